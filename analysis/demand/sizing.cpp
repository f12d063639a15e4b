#include "analysis/demand/sizing.hpp"

#include <cmath>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <queue>
#include <set>
#include <tbb/parallel_for.h>

#include "analysis/demand/bracket.hpp"
#include "analysis/demand/shortfall.hpp"
#include "analysis/demand/trial.hpp"
#include "sim/statistics/student_t.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kMostSizes = 300;
constexpr std::int64_t kFirstReplicas = 4;
constexpr double kAmpleMissed = 0.2;  // of what the level forgives: the rest is left for the pool that is looked at

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// No pool of `size` is larger than that of `other`, way by way.
bool within(const Size& size, const Size& other) {
  for (std::size_t p = 0; p < size.size(); ++p) {
    if (size[p].way != other[p].way || size[p].replicas > other[p].replicas) return false;
  }
  return true;
}

class Search {
 public:
  Search(const Candidate& candidate, const SizingOptions& options)
      : candidate_(candidate), options_(options), trials_(candidate, options.repetitions, options.on_simulation) {}

  Sizing run() {
    try {
      if (find_ample()) {
        find_lower_bound();
        fill(find_size());
      }
    } catch (const sim::Infeasible& error) {
      result_.why_not = error.what();
    }
    result_.simulations = trials_.simulations();
    result_.stopped_early = trials_.stopped();
    return std::move(result_);
  }

 private:
  /// Every pool in the given way, all with the same number of replicas.
  Size uniform(const std::vector<std::size_t>& ways, std::int64_t replicas) const {
    Size size;
    for (const std::size_t way : ways) size.push_back({way, replicas});
    return size;
  }

  bool find_ample() {
    std::vector<std::size_t> widest;
    for (const auto& ways : candidate_.ways) widest.push_back(ways.size() - 1);
    std::string why_not;
    for (const auto& ways : {candidate_.quickest, widest}) {
      bool met_before = false;
      for (std::int64_t replicas = kFirstReplicas; candidate_.chips(uniform(ways, replicas)) <= options_.most_chips;
           replicas *= 2) {
        ample_ = uniform(ways, replicas);
        const Trial& trial = trials_.learn_from(ample_);
        if (trial.met && (met_before || trial.missed < kAmpleMissed * (1 - candidate_.base.slo.attainment)))
          return true;
        met_before = trial.met;
        // Once there is room for many calls, ask whether one call alone would meet the level.
        if (replicas == 4 * kFirstReplicas && !trial.met) {
          const Shortfall alone = shortfall_alone(candidate_, uniform(ways, kFirstReplicas));
          if (!alone.met) {
            why_not = alone.why;
            break;
          }
        }
      }
      if (why_not.empty())
        why_not = fmt::format("{} chips in one simulation are not enough; ask for less at a time (cell_tasks_per_s)",
                              options_.most_chips);
    }
    result_.why_not = why_not;
    return false;
  }

  /// The ample size with one pool replaced.
  Size ample_but(std::size_t pool, const PoolSize& size) const {
    Size other = ample_;
    other[pool] = size;
    return other;
  }

  PoolSize fewest_of(std::size_t pool) {
    PoolSize best = ample_[pool];
    bool found = false;
    for (std::size_t way = 0; way < candidate_.ways[pool].size(); ++way) {
      const std::int64_t chips = candidate_.ways[pool][way].parallelism.chips();
      const std::int64_t most = (candidate_.chips(pool, best) - (found ? 1 : 0)) / chips;
      const auto meets = [&](std::int64_t replicas) { return trials_.meets(ample_but(pool, {way, replicas}), 0); };
      // Where another way was found, this one mostly fails already with the chips that it may take.
      if (most < 1 || (found && !meets(most))) continue;
      if (const auto replicas = fewest_meeting(most, meets)) {
        best = {way, *replicas};
        found = true;
      }
    }
    return best;
  }

  void find_lower_bound() {
    const std::size_t pools = ample_.size();
    lower_.resize(pools);
    missed_alone_.resize(pools);
    missed_ample_ = trials_.run(ample_, 0).missed;
    tbb::parallel_for(std::size_t{0}, pools, [&](std::size_t p) {
      lower_[p] = fewest_of(p);
      missed_alone_[p] = std::max(0.0, trials_.run(ample_but(p, lower_[p]), 0).missed - missed_ample_);
    });
  }

  /// What the pools that are as small as can be miss together, if each misses what it does with the others ample.
  double missed_together(const Size& size) const {
    double missed = missed_ample_;
    for (std::size_t p = 0; p < size.size(); ++p) missed += size[p] == lower_[p] ? missed_alone_[p] : 0;
    return missed;
  }

  Size find_size() {
    using Entry = std::pair<std::int64_t, Size>;
    const auto later = [](const Entry& a, const Entry& b) {
      return std::pair(a.first, a.second) > std::pair(b.first, b.second);
    };
    std::priority_queue<Entry, std::vector<Entry>, decltype(later)> open(later);
    std::set<Size> seen;
    std::vector<Size> failed;
    const double forgiven = 1.5 * (1 - candidate_.base.slo.attainment);
    open.push({candidate_.chips(lower_), lower_});
    for (std::size_t tried = 0; tried < kMostSizes && !open.empty();) {
      const Size size = open.top().second;
      open.pop();
      const bool pointless =
          (size.size() > 1 && missed_together(size) > forgiven) ||
          std::any_of(failed.begin(), failed.end(), [&](const Size& other) { return within(size, other); });
      if (!pointless) {
        ++tried;
        if (trials_.meets_all(size)) return size;
        failed.push_back(size);
        note_less(size);
      }
      for (std::size_t p = 0; p < size.size(); ++p) {
        Size next = size;
        ++next[p].replicas;
        if (next[p].replicas <= most_of(p, next[p].way) && seen.insert(next).second)
          open.push({candidate_.chips(next), next});
      }
    }
    return grow(failed.empty() ? lower_ : failed.back());
  }

  std::int64_t most_of(std::size_t pool, std::size_t way) const {
    return 2 * candidate_.chips(pool, ample_[pool]) / candidate_.ways[pool][way].parallelism.chips() + 1;
  }

  /// A size that meets the level, though perhaps not the smallest: more for the pool that misses most, in turn.
  Size grow(Size size) {
    result_.proven = false;
    std::vector<double> weight = missed_alone_;
    while (!trials_.meets_all(size)) {
      const auto p = static_cast<std::size_t>(std::max_element(weight.begin(), weight.end()) - weight.begin());
      ++size[p].replicas;
      weight[p] /= 2;
      if (candidate_.chips(size) > options_.most_chips)
        throw sim::Infeasible(fmt::format("{} chips in one simulation are not enough", options_.most_chips));
    }
    return size;
  }

  /// How near the sizes with fewer chips came.
  void note_less(const Size& size) {
    double worst = 0;
    for (std::uint64_t seed = 0; seed < trials_.repetitions(); ++seed) {
      const Trial& trial = trials_.run(size, seed);
      worst = std::max(worst, trial.missed);
      if (!trial.met) break;
    }
    if (!result_.missed_with_less || worst < *result_.missed_with_less) result_.missed_with_less = worst;
  }

  void fill(const Size& size) {
    result_.met = true;
    result_.chips = candidate_.chips(size);
    for (std::size_t p = 0; p < size.size(); ++p) {
      const Way& way = candidate_.ways[p][size[p].way];
      result_.pools.push_back({candidate_.base.pools[p].name, way.parallelism, way.max_num_seqs, size[p].replicas});
      result_.largest_replica = std::max(result_.largest_replica, way.parallelism.chips());
    }
    std::vector<Json> summaries;
    for (std::uint64_t seed = 0; seed < trials_.repetitions(); ++seed) {
      const Trial& trial = trials_.run(size, seed);
      ++result_.seeds;
      result_.seeds_met += trial.met ? 1 : 0;
      summaries.push_back(trial.summary);
    }
    const auto mean = [&](const char* key, const char* pointer) {
      double sum = 0;
      for (const Json& summary : summaries) {
        const auto value = number(summary[Json::json_pointer(pointer)]);
        if (!value) {
          result_.figures[key] = nullptr;
          return;
        }
        sum += *value;
      }
      result_.figures[key] = sum / static_cast<double>(summaries.size());
    };
    mean("tasks_per_s", "/throughput/tasks_per_s");
    mean("calls_per_s", "/throughput/calls_per_s");
    mean("output_tokens_per_s", "/throughput/output_tokens_per_s");
    mean("total_tokens_per_s", "/throughput/total_tokens_per_s");
    mean("watts", "/energy/watts_mean");
    for (Json& summary : summaries) {
      const Json& counts = summary["counts"];
      const double tasks = counts["tasks"].get<double>();
      summary["tokens_per_task"] =
          tasks > 0 ? Json((counts["prompt_tokens"].get<double>() + counts["output_tokens"].get<double>()) / tasks)
                    : Json(nullptr);
    }
    mean("tokens_per_task", "/tokens_per_task");
    mean("ttft_p95_s", "/latency/ttft_s/p95");
    mean("tpot_p95_s", "/latency/tpot_s/p95");
    mean("task_p95_s", "/latency/task_s/p95");
    mean("attainment", "/slo/attainment");
    result_.figures["attainment_half_width"] = half_width(summaries);
    find_limit(summaries.front());
  }

  static Json half_width(const std::vector<Json>& summaries) {
    const auto n = static_cast<double>(summaries.size());
    if (summaries.size() < 2) return nullptr;
    double mean = 0, square = 0;
    for (const Json& summary : summaries) mean += summary["slo"]["attainment"].get<double>() / n;
    for (const Json& summary : summaries) square += std::pow(summary["slo"]["attainment"].get<double>() - mean, 2);
    return sim::student_t_975(static_cast<int>(summaries.size()) - 1) * std::sqrt(square / (n - 1) / n);
  }

  /// What the chips' time goes to, idleness aside.
  void find_limit(const Json& summary) {
    std::map<std::string, double> shares;
    for (const auto& [name, pool] : summary["pools"].items()) {
      for (const auto& [bound, share] : pool["bound"].items()) {
        if (bound == "idle" || !share.is_number()) continue;
        shares[bound] += share.get<double>() * pool["chips"].get<double>() / static_cast<double>(result_.chips);
      }
    }
    for (const auto& [bound, share] : shares) {
      if (share <= result_.limit_share) continue;
      result_.limit = bound;
      result_.limit_share = share;
    }
  }

  const Candidate& candidate_;
  const SizingOptions& options_;
  Trials trials_;
  Size ample_, lower_;
  std::vector<double>
      missed_alone_;  ///< by pool, at its lower bound and the others ample, beyond what the ample size misses
  double missed_ample_ = 0;
  Sizing result_;
};

}  // namespace

Sizing fewest_chips(const Candidate& candidate, const SizingOptions& options) {
  if (!candidate.why_not.empty()) {
    Sizing none;
    none.why_not = candidate.why_not;
    return none;
  }
  return Search(candidate, options).run();
}

Json Sizing::to_json() const {
  Json json = {{"met", met},
               {"why_not", why_not.empty() ? Json(nullptr) : Json(why_not)},
               {"chips", met ? Json(chips) : Json(nullptr)},
               {"largest_replica", largest_replica},
               {"seeds", seeds},
               {"seeds_met", seeds_met},
               {"missed_with_less", missed_with_less ? Json(*missed_with_less) : Json(nullptr)},
               {"proven", proven},
               {"limit", limit},
               {"limit_share", limit_share},
               {"figures", figures},
               {"simulations", simulations},
               {"stopped_early", stopped_early},
               {"pools", Json::array()}};
  for (const Pool& pool : pools) {
    const platforms::Parallelism& p = pool.parallelism;
    json["pools"].push_back({{"name", pool.name},
                             {"parallelism", {{"tp", p.tp}, {"pp", p.pp}, {"dp", p.dp}, {"ep", p.ep}}},
                             {"max_num_seqs", pool.max_num_seqs},
                             {"replicas", pool.replicas},
                             {"chips", pool.chips()}});
  }
  return json;
}

Sizing Sizing::from_json(const Json& json) {
  Sizing sizing;
  sizing.met = json.at("met");
  if (json.at("why_not").is_string()) sizing.why_not = json.at("why_not");
  if (sizing.met) sizing.chips = json.at("chips");
  sizing.largest_replica = json.at("largest_replica");
  sizing.seeds = json.at("seeds");
  sizing.seeds_met = json.at("seeds_met");
  sizing.missed_with_less = number(json.at("missed_with_less"));
  sizing.proven = json.at("proven");
  sizing.limit = json.at("limit");
  sizing.limit_share = json.at("limit_share");
  sizing.figures = json.at("figures");
  sizing.simulations = json.at("simulations");
  sizing.stopped_early = json.at("stopped_early");
  for (const Json& pool : json.at("pools")) {
    const Json& p = pool.at("parallelism");
    sizing.pools.push_back({pool.at("name"),
                            {p.at("tp"), p.at("pp"), p.at("dp"), p.at("ep")},
                            pool.at("max_num_seqs"),
                            pool.at("replicas")});
  }
  return sizing;
}

}  // namespace tokenyard::analysis
