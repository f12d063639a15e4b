#pragma once
/// Counts of tokens, and sums of them.

#include <cstdint>

namespace tokenyard::platforms {

using Tokens = std::int64_t;

}  // namespace tokenyard::platforms
