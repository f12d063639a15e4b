#pragma once
/// The resources of a scenario that more of might help, each as a change to the scenario.
///
/// A resource is improved by a factor: 1.1 of a chip's bandwidth is 10 % more of it, 1.1 of a tool's speed is its time
/// divided by 1.1, 1.1 of a pool's prefix reuse that of the prompt tokens which a cache without limit, shared by the
/// pool's replicas, would have found and HBM has lost, 1/1.1 are still computed. What comes in wholes (replicas,
/// people, calls in a batch) is rounded up, and the factor reached is returned, so that effects can be compared per
/// percent.
///
///   for (const Improvement& improvement : improvements_of(scenario)) {
///     Scenario better = scenario;
///     const double factor = improvement.apply(better, 1.1);
///   }

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// More of a resource for the same work, less work for the same resources, or a limit that somebody set.
enum class Lever { kResource, kWork, kSetting };
/// "resource", "work", "setting".
std::string_view name_of(Lever lever);

struct Improvement {
  std::string kind;   ///< "hbm-bandwidth": the resource
  std::string of;     ///< "h100-sxm": whose; empty: the whole scenario's
  std::string title;  ///< "HBM bandwidth of h100-sxm"
  Lever lever;
  std::function<double(Scenario&, double factor)> apply;
};

/// Everything that this scenario has and uses, in a fixed order.
std::vector<Improvement> improvements_of(const Scenario& scenario);

/// A setting that is one of several and costs nothing to change.
struct Choice {
  std::string setting;  ///< "router"
  std::string of;       ///< the pool
  std::string value;    ///< "prefix-aware"
  std::string title;    ///< "the router of pool main prefix-aware in place of round-robin"
  std::function<void(Scenario&)> apply;
};

/// Those that the scenario has not made: the routers that pools of several replicas could have.
std::vector<Choice> choices_of(const Scenario& scenario);

}  // namespace tokenyard::analysis
