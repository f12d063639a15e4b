#pragma once
/// Contents of extents, made from whatever names them in a trace: equal names give equal contents, other names others.

#include <cstdint>

#include "sim/random/scatter.hpp"

namespace tokenyard::traces {

/// The content of an id within a scope (0: the whole trace); never 0, which would mean "not shared".
constexpr std::uint64_t content_of(std::uint64_t id, std::uint64_t scope = 0) {
  const std::uint64_t content = sim::scatter(id + 0x9E3779B97F4A7C15U * (scope + 1));
  return content != 0 ? content : 0x9E3779B97F4A7C15U;
}

}  // namespace tokenyard::traces
