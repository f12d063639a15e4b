#include "analysis/bottleneck/improvement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

/// Replaces a chip throughout the scenario by a changed copy.
void change_chip(Scenario& scenario, const std::string& name, const std::function<void(Chip&)>& change) {
  const Chip* const old = std::find_if(scenario.pools.begin(), scenario.pools.end(), [&](const PoolPlan& pool) {
                            return pool.chip->name == name;
                          })->chip;
  auto better = std::make_shared<Chip>(*old);
  change(*better);
  scenario.own_chips.push_back(better);
  for (PoolPlan& pool : scenario.pools) {
    if (pool.chip == old) pool.chip = better.get();
  }
  for (TrainingPlan& job : scenario.training) {
    if (job.chip == old) job.chip = better.get();
  }
  for (platforms::Site& site : scenario.cluster.sites) {
    for (platforms::NodeGroup& group : site.groups) {
      if (group.chip == old) group.chip = better.get();
    }
  }
}

void scale(std::optional<double>& value, double factor) {
  if (value) *value *= factor;
}

/// Rounded up; the factor reached.
template <typename T>
double raise(T& limit, double factor) {
  const auto before = static_cast<double>(limit);
  limit = static_cast<T>(std::ceil(before * factor - 1e-9));
  return static_cast<double>(limit) / before;
}

bool has_nodes(const agents::WorkloadEntry& entry, bool human) {
  for (const agents::Agent* member : agents::family(*entry.agent)) {
    for (const agents::Node& node : member->nodes) {
      if (node.waits() && (node.kind == agents::NodeKind::kHuman) == human) return true;
    }
  }
  return false;
}

/// More chips of the kind for as many more replicas, on further nodes of the first group that has them.
void add_replicas(Scenario& scenario, std::size_t pool, std::int64_t more) {
  PoolPlan& plan = scenario.pools[pool];
  plan.replicas += more;
  for (platforms::Site& site : scenario.cluster.sites) {
    if (!plan.site.empty() && site.name != plan.site) continue;
    for (platforms::NodeGroup& group : site.groups) {
      if (group.chip != plan.chip) continue;
      const std::int64_t chips = more * plan.parallelism.chips();
      // A node may have to stay partly empty.
      const std::int64_t per_node =
          std::max<std::int64_t>(1, group.chips_per_node / plan.parallelism.chips()) * plan.parallelism.chips();
      site.add_nodes(group, (chips + per_node - 1) / std::min(per_node, group.chips_per_node));
      return;
    }
  }
}

class Finder {
 public:
  explicit Finder(const Scenario& scenario) : scenario_(scenario) {}

  std::vector<Improvement> find() {
    chips();
    engines();
    pools();
    work();
    settings();
    return std::move(found_);
  }

 private:
  void add(std::string kind, std::string of, std::string title, std::function<double(Scenario&, double)> apply,
           Lever lever = Lever::kResource) {
    found_.push_back({std::move(kind), std::move(of), std::move(title), lever, std::move(apply)});
  }

  void add_chip(const std::string& kind, const std::string& chip, const std::string& title,
                std::function<void(Chip&, double)> change) {
    add(kind, chip, title + " of " + chip, [chip, change](Scenario& s, double factor) {
      change_chip(s, chip, [&](Chip& c) { change(c, factor); });
      return factor;
    });
  }

  void chips() {
    std::vector<std::string> seen;
    for (const PoolPlan& pool : scenario_.pools) {
      const std::string& chip = pool.chip->name;
      if (std::find(seen.begin(), seen.end(), chip) != seen.end()) continue;
      seen.push_back(chip);
      add_chip("compute", chip, "FLOP/s", [](Chip& c, double f) {
        for (const platforms::Precision p : platforms::kPrecisions) scale(c.peak_flops_per_s[p], f);
      });
      add_chip("hbm-bandwidth", chip, "HBM bandwidth", [](Chip& c, double f) { scale(c.memory_bytes_per_s, f); });
      add("hbm-capacity", chip, "HBM capacity of " + chip, [chip](Scenario& s, double factor) {
        change_chip(s, chip, [&](Chip& c) { scale(c.memory_bytes, factor); });
        for (PoolPlan& p : s.pools) {
          if (p.chip->name != chip || p.media != nullptr) continue;
          if (p.blocks_overridden) {
            p.cache.blocks = static_cast<std::int64_t>(std::ceil(static_cast<double>(p.cache.blocks) * factor));
          } else {
            p.size_cache();
          }
        }
        return factor;
      });
      const bool spread = std::any_of(scenario_.pools.begin(), scenario_.pools.end(), [&](const PoolPlan& p) {
        return p.chip == pool.chip && p.parallelism.chips() > 1;
      });
      if (spread) {
        add_chip("scale-up", chip, "scale-up bandwidth", [](Chip& c, double f) {
          scale(c.scale_up.bytes_per_s, f);
          for (Chip::AllReduce& measured : c.collectives.by_chips) measured.seconds.stretch(f);
        });
      }
    }
    const bool moves = std::any_of(scenario_.pools.begin(), scenario_.pools.end(), [&](const PoolPlan& p) {
      if (p.media != nullptr) return false;
      return p.role == platforms::PoolRole::kPrefill ||
             p.spec_on(scenario_.cluster).span.crosses(p.parallelism.chips());
    });
    if (!moves) return;
    add("scale-out", "", "network between nodes", [](Scenario& s, double factor) {
      std::vector<std::string> names;
      for (const PoolPlan& p : s.pools) names.push_back(p.chip->name);
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
      for (const std::string& name : names)
        change_chip(s, name, [&](Chip& c) { scale(c.scale_out_bytes_per_s, factor); });
      for (platforms::Site& site : s.cluster.sites) scale(site.fabric.bytes_per_s, factor);
      s.cluster.wan.bytes_per_s *= factor;
      return factor;
    });
  }

  void engines() {
    std::vector<const platforms::EngineDefaults*> seen;
    for (const PoolPlan& pool : scenario_.pools) {
      const platforms::EngineDefaults* engine = pool.engine;
      if (engine == nullptr || std::find(seen.begin(), seen.end(), engine) != seen.end()) continue;
      seen.push_back(engine);
      add("host", engine->name, "host time of " + engine->name, [engine](Scenario& s, double factor) {
        auto better = std::make_shared<platforms::EngineDefaults>(*engine);
        auto& host = better->host;
        for (double* time : {&host.step_s, &host.sequence_s, &host.prefill_step_s, &host.layer_s, &host.expert_layer_s,
                             &host.prompt_token_s})
          *time /= factor;
        s.own_engines.push_back(better);
        for (PoolPlan& p : s.pools) {
          if (p.engine == engine) p.engine = better.get();
        }
        return factor;
      });
    }
  }

  void pools() {
    for (std::size_t p = 0; p < scenario_.pools.size(); ++p) {
      if (scenario_.pools[p].takes_calls()) {
        add(
            "prefix-reuse", scenario_.pools[p].name, "prefix reuse in pool " + scenario_.pools[p].name,
            [p](Scenario& s, double factor) {
              s.pools[p].more_reuse = 1 - 1 / factor;
              return factor;
            },
            Lever::kWork);
      }
      add("replicas", scenario_.pools[p].name, "replicas of pool " + scenario_.pools[p].name,
          [p](Scenario& s, double factor) {
            const auto before = static_cast<double>(s.pools[p].replicas);
            const auto more = static_cast<std::int64_t>(std::ceil(before * (factor - 1) - 1e-9));
            add_replicas(s, p, more);
            return (before + static_cast<double>(more)) / before;
          });
    }
  }

  void work() {
    for (std::size_t e = 0; e < scenario_.workload.entries.size(); ++e) {
      const agents::WorkloadEntry& entry = scenario_.workload.entries[e];
      if (has_nodes(entry, false)) {
        add("tool-time", entry.name, "speed of the tools of " + entry.name, [e](Scenario& s, double factor) {
          s.workload.entries[e].scale.tool_time /= factor;
          return factor;
        });
      }
      if (has_nodes(entry, true)) {
        add("human-time", entry.name, "speed of the people of " + entry.name, [e](Scenario& s, double factor) {
          s.workload.entries[e].scale.human_time /= factor;
          return factor;
        });
      }
      std::size_t m = 0;
      for (const agents::Agent* member : agents::family(*entry.agent)) {
        const std::string of = m == 0 ? entry.name : entry.name + '/' + member->name;  // each sub-agent has its own
        for (std::size_t i = 0; i < member->services.size(); ++i) {
          add("capacity", of + '/' + member->services[i].name,
              fmt::format("capacity of {} of {}", member->services[i].name, of), [e, m, i](Scenario& s, double factor) {
                std::int64_t& capacity = s.workload.entries[e].capacities[m][i];
                const auto before = static_cast<double>(capacity);
                capacity = std::max(capacity + 1, static_cast<std::int64_t>(std::ceil(before * factor - 1e-9)));
                return static_cast<double>(capacity) / before;
              });
        }
        ++m;
      }
      add(
          "output-length", entry.name, "brevity of the answers of " + entry.name,
          [e](Scenario& s, double factor) {
            s.workload.entries[e].scale.output_tokens /= factor;
            return factor;
          },
          Lever::kWork);
    }
  }

  /// Limits that hold work back although the resources may have room; they cost nothing to raise.
  void settings() {
    for (std::size_t p = 0; p < scenario_.pools.size(); ++p) {
      if (scenario_.pools[p].media != nullptr) continue;
      add(
          "max-num-seqs", scenario_.pools[p].name,
          "max_num_seqs and max_num_batched_tokens of pool " + scenario_.pools[p].name,
          [p](Scenario& s, double factor) {
            platforms::BatchingOptions& batching = s.pools[p].batching;
            const double reached = raise(batching.max_num_seqs, factor);
            raise(batching.max_num_batched_tokens, reached);
            return reached;
          },
          Lever::kSetting);
    }
    for (std::size_t e = 0; e < scenario_.workload.entries.size(); ++e) {
      const agents::WorkloadEntry& entry = scenario_.workload.entries[e];
      if (entry.max_in_flight == std::numeric_limits<std::uint64_t>::max()) continue;
      add(
          "max-in-flight", entry.name, "max_in_flight of " + entry.name,
          [e](Scenario& s, double factor) { return raise(s.workload.entries[e].max_in_flight, factor); },
          Lever::kSetting);
    }
  }

  const Scenario& scenario_;
  std::vector<Improvement> found_;
};

}  // namespace

std::string_view name_of(Lever lever) {
  constexpr std::array<std::string_view, 3> kNames = {"resource", "work", "setting"};
  return kNames[static_cast<std::size_t>(lever)];
}

std::vector<Improvement> improvements_of(const Scenario& scenario) { return Finder(scenario).find(); }

std::vector<Choice> choices_of(const Scenario& scenario) {
  using platforms::Router;
  std::vector<Choice> choices;
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    const PoolPlan& pool = scenario.pools[p];
    if (!pool.takes_calls() || pool.ranks() < 2) continue;
    const auto name_of = [](Router router) { return platforms::kRouterNames[static_cast<std::size_t>(router)]; };
    for (const Router router : {Router::kLeastLoaded, Router::kPrefixAware, Router::kTaskSticky}) {
      if (router == pool.router) continue;
      choices.push_back(
          {"router", pool.name, std::string(name_of(router)),
           fmt::format("the router of pool {} {} in place of {}", pool.name, name_of(router), name_of(pool.router)),
           [p, router](Scenario& s) { s.pools[p].router = router; }});
    }
  }
  return choices;
}

}  // namespace tokenyard::analysis
