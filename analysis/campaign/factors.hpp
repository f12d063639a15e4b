#pragma once
/// What a campaign varies: blocks of factors, each a list of settings of JSON pointers into the scenario.
///
///   {"grid": {"/pools/0/replicas": [1, 2, 4], "/workload/requests/rate_per_s": {"low": 1, "high": 100, "count": 5,
///   "scale": "log"}}}
///   {"zip":  {"/pools/0/chip": ["h100-sxm", "b200-sxm"], "/pools/0/parallelism/tp": [4, 2]}}
///   {"list": [{"/pools/0/replicas": 1}, {"/pools/0/replicas": 2, "/pools/0/router": "round-robin"}]}
///   {"random": {"/workload/requests/rate_per_s": DIST, "/pools/0/replicas": [1, 2, 4]}, "count": 20}
///   {"latin-hypercube": {"/pools/0/replicas": {"low": 1, "high": 8, "whole": true}, …}, "count": 20}
///
/// Blocks multiply; within the product the last block varies fastest, and within a grid its last pointer. An axis is an
/// array of any values or a range; `random` draws uniformly from either, or from a DIST; `latin-hypercube` puts one
/// point in each of `count` strata of every axis (McKay, Beckman and Conover, Technometrics 21, 1979). A draw depends
/// on the campaign's seed, the pointer and the point's number only: more pointers or points change no other draw (of a
/// Latin hypercube: no other pointer's).

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/scenario/json_pointer.hpp"

namespace tokenyard::analysis {

/// Values for some pointers, in the order in which they are set.
using Setting = std::vector<std::pair<std::string, sim::Json>>;

struct FactorBlock {
  std::vector<Setting> settings;
  std::string place = {};  ///< in the campaign's file: "/factors/0/grid"
  bool list = false;       ///< each setting is an element of its own there
  /// Where a pointer of this block stands in the file; nothing if it is of another.
  std::optional<std::string> place_of(const std::string& pointer) const;
};

/// The most combinations of a campaign, conditions aside.
inline constexpr std::uint64_t kMostCells = 1'000'000;

/// Reads the array under `key`; every fault is collected. A pointer may be varied by one block only.
std::vector<FactorBlock> read_factors(sim::ObjectReader& reader, std::string_view key, std::uint64_t seed);

/// The number of combinations; above kMostCells it may be any number above.
std::uint64_t combinations(const std::vector<FactorBlock>& blocks);
/// Combination `index` of the product.
Setting combination(const std::vector<FactorBlock>& blocks, std::uint64_t index);

/// A pointer that cannot be set, and why.
struct UnsetFactor {
  std::string pointer;
  PointerFault fault;
};
/// Sets the values in a document, up to the first that cannot be set there.
std::optional<UnsetFactor> set_values(const Setting& setting, sim::Json& document);

}  // namespace tokenyard::analysis
