#pragma once
/// What a reader left out of a recording, and why: "plumbing spans" → 93.

#include <cstdint>
#include <string>

namespace tokenyard::agents {

struct LeftOut {
  std::string what;
  std::uint64_t count = 0;
};

}  // namespace tokenyard::agents
