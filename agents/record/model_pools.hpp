#pragma once
/// Which pool serves a recorded model.
///
/// Rules, the first that fits: a rule of the exact name; the longest rule that is a prefix (`claude-*`); a pool of that
/// name; a pool whose model has that name; the rule `*`; the default pool. The pool `none` drops the calls: they are
/// played as waits of their recorded duration, and counted.
///
///   const ModelPools pools = ModelPools::parse("gpt-4o=small,claude-*=main", {{"main", "llama-3.1-70b"}}, 0, faults);
///   std::uint32_t pool = pools.pool("claude-opus-4-5");

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/input/faults.hpp"

namespace tokenyard::agents {

inline constexpr std::uint32_t kDropped = 0xffffffff;

class ModelPools {
 public:
  /// A pool that takes calls; one that takes none has no name.
  struct Pool {
    std::string name, model;
  };

  /// Reads "recorded=pool,prefix*=pool,*=pool"; what is wrong becomes a fault of "--pools".
  static ModelPools parse(std::string_view rules, std::vector<Pool> pools, std::uint32_t fallback, sim::Faults& faults);

  /// A rule for none of the recorded models is a fault of "--pools", but for "*".
  void check(const std::vector<std::string>& models, sim::Faults& faults) const;
  std::uint32_t pool(std::string_view model) const;

 private:
  std::vector<std::pair<std::string, std::uint32_t>> rules_;
  std::vector<Pool> pools_;
  std::uint32_t fallback_ = 0;
};

}  // namespace tokenyard::agents
