#include "analysis/demand/size_search.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <queue>
#include <set>
#include <tbb/parallel_for.h>

#include "analysis/demand/bracket.hpp"
#include "analysis/demand/shortfall.hpp"
#include "analysis/demand/sizing_figures.hpp"
#include "analysis/demand/trial.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/run/validity.hpp"

namespace tokenyard::analysis {
namespace {

constexpr std::size_t kMostSizes = 100, kMostLookedAt = 20'000, kMostVerified = 100;
constexpr std::int64_t kFirstReplicas = 4;
// Of what the level forgives:
constexpr double kAmpleMissed = 0.2;  // by an ample size: the rest is left for the pool that is looked at
constexpr double kFlat = 0.02;        // a pool that alone misses less than this is as good as one without limit
constexpr double kHopeless = 2;       // by the pools together
constexpr double kGainCredit = 3;     // a size is granted so many times what it should gain over one that failed
constexpr double kChance = 0.2;       // by which one simulation of twice the time may miss the level

class Search {
 public:
  Search(const Candidate& candidate, const SizingOptions& options)
      : candidate_(candidate), options_(options), trials_(candidate, options.repetitions, options.on_simulation) {}

  Sizing run() {
    try {
      if (find_ample()) {
        find_lower_bound();
        const Size found = find_fewest();
        result_.steady = holds_in_twice_the_time(found);
        const Size thrifty = result_.steady ? thriftiest(found) : found;
        describe(thrifty == found || holds_in_twice_the_time(thrifty) ? thrifty : found);
      }
    } catch (const sim::Infeasible& error) {
      result_.why_not = error.what();
    }
    result_.simulations = trials_.simulations() + longer_;
    result_.stopped_early = trials_.stopped();
    return std::move(result_);
  }

 private:
  /// Every pool in the given way: with the replicas that its calls would keep busy one by one, or what they may take
  /// together.
  Size first_size(const std::vector<std::size_t>& ways, const Alone& one_by_one) const {
    constexpr double kRoom = 2, kTogether = 16;
    Size size;
    for (std::size_t p = 0; p < ways.size(); ++p) {
      const bool media = candidate_.base.pools[p].media != nullptr;  // one picture at a time
      const double busy = one_by_one.busy.empty() ? 0 : one_by_one.busy[p] * (media ? kRoom : 1 / kTogether);
      size.push_back({ways[p], std::max(kFirstReplicas, static_cast<std::int64_t>(std::ceil(busy)))});
    }
    return size;
  }

  bool find_ample() {
    std::vector<std::size_t> widest;
    for (const auto& ways : candidate_.ways) widest.push_back(ways.size() - 1);
    for (const auto& ways : {candidate_.quickest, widest}) {
      const Alone one_by_one = simulate_alone(candidate_, first_size(ways, {}));
      trials_.expect(one_by_one.counted);
      if (grow_until_ample(first_size(ways, one_by_one), one_by_one)) return true;
      if (widest == candidate_.quickest) break;
    }
    return false;
  }

  /// Doubles all pools; false, with the reason in the result, where that ends in nothing.
  bool grow_until_ample(Size size, const Alone& one_by_one) {
    const Trial* before = nullptr;
    for (int doubled = 0; candidate_.chips(size) <= options_.most_chips; ++doubled) {
      const Trial& trial = trials_.learn_from(size);
      const bool room = trial.met && ((before != nullptr && before->met) || trial.missed < kAmpleMissed * forgiven_);
      if (room && trials_.passes(size)) {
        ample_ = size;
        return true;
      }
      // Once there is room for many calls, ask whether one call alone would meet the level.
      if (doubled >= 2 && !trial.met && !one_by_one.met) break;
      if (before != nullptr && !before->stopped && !trial.stopped &&
          before->missed - trial.missed <= kFlat * forgiven_) {
        result_.why_not =
            fmt::format("more chips no longer help: with {} of them, {}", candidate_.chips(size), attained(size));
        return false;
      }
      before = &trial;
      if (doubled >= 2) trials_.expect(0);  // to the end from here on: whether more chips help shows
      for (PoolSize& pool : size) pool.replicas *= 2;
    }
    result_.why_not =
        !one_by_one.met
            ? one_by_one.why_not
            : fmt::format("{} chips in one simulation are not enough; ask for less at a time (cell_tasks_per_s)",
                          options_.most_chips);
    return false;
  }

  /// "89.4 ±1.2 % of the work is within the level, 90 % is asked for".
  std::string attained(const Size& size) {
    trials_.passes(size);
    const std::vector<const Trial*> trials = trials_.judged(size);
    const sim::MeanInterval interval = mean_attainment(trials);
    const double half_width = interval.half_width.value_or(0);
    const double counted = std::accumulate(trials.begin(), trials.end(), 0.0,
                                           [](double sum, const Trial* trial) { return sum + trial->counted; });
    const bool few = interval.mean + half_width >= 1 - forgiven_ || counted * forgiven_ < 1;
    const auto complete =
        std::find_if(trials.begin(), trials.end(), [](const Trial* trial) { return !trial->stopped; });
    return fmt::format("{} of the work is within the level, {:g} % is asked for{}{}",
                       share_text(interval.mean, interval.half_width), 100 * (1 - forgiven_),
                       few ? ": too few to tell, simulate longer (duration_s)" : "",
                       complete != trials.end() ? own_failures((*complete)->summary, candidate_.base.slo) : "");
  }

  /// The ample size with one pool replaced.
  Size ample_but(std::size_t pool, const PoolSize& size) const {
    Size other = ample_;
    other[pool] = size;
    return other;
  }

  /// With the others ample, the size of a pool that passes with fewest chips.
  PoolSize fewest_of(std::size_t pool) {
    // By the first seed alone, from how many replicas on each way may pass.
    using Entry = std::pair<std::int64_t, PoolSize>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
    const auto push = [&](const PoolSize& size) { open.push({candidate_.chips(pool, size), size}); };
    std::int64_t best = candidate_.chips(pool, ample_[pool]);
    for (std::size_t way = 0; way < candidate_.ways[pool].size(); ++way) {
      const std::int64_t most = best / candidate_.ways[pool][way].parallelism.chips();
      const auto meets = [&](std::int64_t replicas) { return trials_.meets(ample_but(pool, {way, replicas}), 0); };
      // Where another way was found, this one mostly fails already with the chips that it may take.
      const bool pointless = most < 1 || (!open.empty() && !meets(most));
      const PoolSize fewest{way, pointless ? most + 1 : fewest_meeting(most, meets).value_or(most + 1)};
      best = std::min(best, candidate_.chips(pool, fewest));
      push(fewest);
      alone_[pool].push_back(fewest.replicas);
    }
    push(ample_[pool]);
    while (true) {
      PoolSize size = open.top().second;
      if (size == ample_[pool] || trials_.passes(ample_but(pool, size))) return size;
      open.pop();
      ++size.replicas;
      push(size);
    }
  }

  void find_lower_bound() {
    lower_.resize(ample_.size());
    alone_.resize(ample_.size());
    tbb::parallel_for(std::size_t{0}, ample_.size(), [&](std::size_t p) { lower_[p] = fewest_of(p); });
  }

  double missed_by(const Size& size, std::uint64_t seed) { return trials_.run(size, seed).missed; }

  /// What the pool misses beyond the ample size, the others ample; nothing where it is flat.
  double missed_alone(std::size_t pool, const PoolSize& size, std::uint64_t seed) {
    const auto beyond_ample = [&](const PoolSize& of) {
      return std::max(0.0, missed_by(ample_but(pool, of), seed) - missed_by(ample_, seed));
    };
    const std::int64_t least = alone_[pool][size.way];
    if (size.replicas < least) return beyond_ample(size);
    std::vector<double>& known = missed_alone_[{pool, size.way, seed}];
    while (known.size() <= static_cast<std::size_t>(size.replicas - least)) {
      if (!known.empty() && known.back() <= kFlat * forgiven_) return 0;
      known.push_back(beyond_ample({size.way, least + static_cast<std::int64_t>(known.size())}));
    }
    return known[static_cast<std::size_t>(size.replicas - least)];
  }

  /// If each pool misses what it does with the others ample: at least as much as makes it hopeless, or all of it.
  double missed_together(const Size& size) {
    double missed = missed_by(ample_, 0);
    for (std::size_t p = 0; p < size.size() && missed <= kHopeless * forgiven_; ++p)
      missed += missed_alone(p, size[p], 0);
    return missed;
  }

  struct Failure {
    Size size;
    std::uint64_t seed = 0;
    double missed = 0;
  };

  /// What `size` misses less than one that failed, at most.
  double gain(const Size& size, const Failure& over) {
    double sum = 0;
    for (std::size_t p = 0; p < size.size(); ++p) {
      if (size[p] != over.size[p])
        sum += std::max(0.0, missed_alone(p, over.size[p], over.seed) - missed_alone(p, size[p], over.seed));
    }
    return kGainCredit * sum;
  }

  bool is_hopeless(const Size& size) {
    if (size.size() == 1) return false;
    return missed_together(size) > kHopeless * forgiven_ ||
           std::any_of(failures_.begin(), failures_.end(),
                       [&](const Failure& failure) { return failure.missed - gain(size, failure) > forgiven_; });
  }

  /// Step 4: a size of fewer chips that passes, in whatever ways, each pool with no less than a replica below what it
  /// needs alone. A smaller one that passes, if there is any, grows by its own smallest replicas into those that are
  /// looked at; into two of them, since one replica more can send another pool its calls in too thick bursts. Passed
  /// over are those that what their pools miss makes hopeless. Nothing if there is none, or if too many had to be tried,
  /// and the result is not proven.
  std::optional<Size> just_below(const Size& than) {
    const std::int64_t most = candidate_.chips(than) - 1;
    std::vector<Size> sizes;
    add_sizes({}, 0, most, sizes);
    std::erase_if(sizes, [&](const Size& size) { return candidate_.chips(size) + 2 * smallest_replica(size) <= most; });
    std::stable_sort(sizes.begin(), sizes.end(),
                     [&](const Size& a, const Size& b) { return candidate_.chips(a) < candidate_.chips(b); });
    for (const Size& size : sizes) {
      if (failed_.contains(size) || is_hopeless(size)) continue;
      if (verified_ == kMostVerified) {
        result_.proven = false;
        return {};
      }
      ++verified_;
      if (trials_.passes(size)) return size;
      failures_.push_back(failure_of(size));
    }
    return {};
  }

  std::int64_t smallest_replica(const Size& size) const {
    std::int64_t smallest = candidate_.ways[0][size[0].way].parallelism.chips();
    for (std::size_t p = 1; p < size.size(); ++p)
      smallest = std::min(smallest, candidate_.ways[p][size[p].way].parallelism.chips());
    return smallest;
  }

  /// All sizes that begin with `head` and have at most `most` chips, up to kMostLookedAt.
  void add_sizes(const Size& head, std::int64_t chips, std::int64_t most, std::vector<Size>& sizes) {
    const std::size_t pool = head.size();
    if (pool == candidate_.ways.size()) return sizes.push_back(head);
    for (std::size_t way = 0; way < candidate_.ways[pool].size(); ++way) {
      for (PoolSize next{way, std::max<std::int64_t>(1, alone_[pool][way] - 1)}; sizes.size() < kMostLookedAt;
           ++next.replicas) {
        const std::int64_t with = chips + candidate_.chips(pool, next);
        if (with > most) break;
        Size longer = head;
        longer.push_back(next);
        add_sizes(longer, with, most, sizes);
      }
    }
    if (sizes.size() >= kMostLookedAt) result_.proven = false;
  }

  /// With several pools, what step 3 found, or less.
  Size find_fewest() {
    Size size = from_lower_bound();
    while (size.size() > 1 && result_.proven) {
      const std::optional<Size> less = just_below(size);
      if (!less) break;
      size = *less;
    }
    return size;
  }

  /// Step 3.
  Size from_lower_bound() {
    using Entry = std::pair<std::int64_t, Size>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
    std::set<Size> seen;
    open.push({candidate_.chips(lower_), lower_});
    while (failures_.size() < kMostSizes && seen.size() < kMostLookedAt) {
      Size size = open.top().second;
      open.pop();
      if (!is_hopeless(size)) {
        if (trials_.passes(size)) return size;
        failures_.push_back(failure_of(size));
      }
      for (std::size_t p = 0; p < size.size(); ++p) {
        Size next = size;
        ++next[p].replicas;
        if (seen.insert(next).second) open.push({candidate_.chips(next), next});
      }
    }
    result_.proven = false;
    return grow(failures_.empty() ? lower_ : failures_.back().size);
  }

  /// A size that passes, though perhaps not the smallest: more for all pools, an eighth at a time.
  Size grow(Size size) {
    while (!trials_.passes(size)) {
      for (PoolSize& pool : size) pool.replicas += (pool.replicas + 7) / 8;
      if (candidate_.chips(size) >= candidate_.chips(ample_)) return ample_;
    }
    return size;
  }

  /// Of a size that did not pass: the seed that missed the level, or else the end of the interval.
  Failure failure_of(const Size& size) {
    failed_.insert(size);
    Failure failure{size};
    const std::vector<const Trial*> trials = trials_.judged(size);
    for (std::uint64_t seed = 0; seed < trials.size(); ++seed) {
      if (trials[seed]->missed > std::max(forgiven_, failure.missed)) failure = {size, seed, trials[seed]->missed};
    }
    const sim::MeanInterval attainment = mean_attainment(trials);
    if (failure.missed == 0) failure.missed = 1 - attainment.mean + attainment.half_width.value_or(0);
    if (!result_.missed_with_less || failure.missed < *result_.missed_with_less)
      result_.missed_with_less = failure.missed;
    return failure;
  }

  /// Watts of the chips, mean over the seeds; nothing where they are not known.
  std::optional<double> watts(const Size& size) const {
    const sim::Json mean = size_figures(trials_.judged(size))["watts"];
    return mean.is_number() ? std::optional(mean.get<double>()) : std::nullopt;
  }

  /// Step 6. Ways are tried from the smallest replica, so that others of as many chips were not looked at.
  Size thriftiest(Size best) {
    std::optional<double> least = watts(best);
    for (std::size_t p = 0; p < best.size() && least; ++p) {
      const std::int64_t chips = candidate_.chips(p, best[p]);
      const std::size_t found = best[p].way;
      for (std::size_t way = 0; way < candidate_.ways[p].size(); ++way) {
        const std::int64_t each = candidate_.ways[p][way].parallelism.chips();
        if (way == found || chips % each != 0) continue;
        Size size = best;
        size[p] = {way, chips / each};
        if (failed_.contains(size) || !trials_.passes(size)) continue;
        const std::optional<double> drawn = watts(size);
        if (!drawn || *drawn >= *least) continue;
        least = drawn;
        best = size;
      }
    }
    return best;
  }

  /// With the first seed. A queue that grows slowly, and work that comes later than the warm-up, as that of tasks
  /// which take longer, show only then. A trace has its own length, and the hours of a day differ: those are taken as
  /// they are.
  bool holds_in_twice_the_time(const Size& size) {
    const WorkloadPlan& workload = candidate_.base.workload;
    const auto varies = [](const agents::WorkloadEntry& entry) { return entry.arrivals.diurnal.has_value(); };
    if (workload.trace || std::any_of(workload.entries.begin(), workload.entries.end(), varies)) return true;
    Candidate longer = candidate_;
    longer.base.run.duration_s *= 2;
    longer.base.run.warmup_s *= 2;
    Trials trials(longer, 1, options_.on_simulation);
    const double chance = mean_attainment(trials_.judged(size)).half_width.value_or(0);
    const bool holds = trials.run(size, 0).missed <= forgiven_ + std::max(chance, kChance * forgiven_);
    longer_ += trials.simulations();
    return holds;
  }

  /// Whether seats are what the pool's last replica is for. By the first seed, mostly known.
  std::optional<double> seats_full_with_less(const Size& size, std::size_t pool) {
    if (size[pool].replicas == 1 || candidate_.base.pools[pool].media != nullptr) return {};
    Size less = size;
    --less[pool].replicas;
    return trials_.run(less, 0).seats_full[pool];
  }

  /// Into the result, of the size that was found.
  void describe(const Size& size) {
    result_.met = true;
    result_.chips = candidate_.chips(size);
    result_.nodes = candidate_.nodes(size);
    result_.chips_per_node = candidate_.chips_per_node;
    result_.duration_s = candidate_.base.run.duration_s;
    result_.warmup_s = candidate_.base.run.warmup_s;
    for (const PoolPlan& pool : candidate_.at(size).pools)
      result_.step_time_uncertainty = std::max(result_.step_time_uncertainty, step_time_uncertainty(pool));
    for (std::size_t p = 0; p < size.size(); ++p) {
      const Way& way = candidate_.ways[p][size[p].way];
      result_.pools.push_back({candidate_.base.pools[p].name, way.parallelism, way.max_num_seqs, size[p].replicas,
                               seats_full_with_less(size, p)});
      result_.largest_replica = std::max(result_.largest_replica, way.parallelism.chips());
    }
    const std::vector<const Trial*> trials = trials_.judged(size);
    result_.seeds = static_cast<int>(trials.size());
    result_.seeds_met =
        static_cast<int>(std::count_if(trials.begin(), trials.end(), [](const Trial* trial) { return trial->met; }));
    result_.figures = size_figures(trials);
    const Limit limit = limit_of(trials.front()->summary, result_.chips);
    result_.limit = limit.bound;
    result_.limit_share = limit.share;
  }

  const Candidate& candidate_;
  const SizingOptions& options_;
  Trials trials_;
  const double forgiven_ = 1 - candidate_.base.slo.attainment;
  Size ample_, lower_;
  std::vector<std::vector<std::int64_t>> alone_;  ///< replicas that a pool needs with the others ample, by way
  std::set<Size> failed_;
  std::vector<Failure> failures_;
  std::size_t verified_ = 0, longer_ = 0;
  /// By pool, way and seed, from what the pool needs alone on.
  std::map<std::tuple<std::size_t, std::size_t, std::uint64_t>, std::vector<double>> missed_alone_;
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

}  // namespace tokenyard::analysis
