#include "analysis/demand/demand.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <tbb/parallel_for.h>

#include "analysis/demand/pareto.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/result/value_at.hpp"
#include "sim/input/faults.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

constexpr int kDoublings = 4;
constexpr int kMostLonger = 4;   // doublings of the time, until the work is steady
constexpr double kFine = 0.1;    // a replica's share of the twofold cell: coarser, and comparing cells shows nothing
constexpr double kFewCells = 8;  // so few that a cell's rate is fitted to the demand

Scenario scaled(Scenario scenario, double factor) {
  if (factor == 1) return scenario;
  const auto more = [factor](auto count) {
    return static_cast<decltype(count)>(std::ceil(static_cast<double>(count) * factor - 1e-9));
  };
  for (agents::WorkloadEntry& entry : scenario.workload.entries) {
    entry.arrivals.rate_per_s *= factor;
    if (entry.max_in_flight != std::numeric_limits<std::uint64_t>::max())
      entry.max_in_flight = more(entry.max_in_flight);
    for (auto& of_member : entry.capacities) {
      for (std::int64_t& capacity : of_member) capacity = more(capacity);
    }
  }
  return scenario;
}

/// As each simulation plays it.
Scenario shortened(Scenario scenario) {
  scenario.run.duration_s = scenario.demand.duration_s.value_or(scenario.run.duration_s);
  scenario.run.warmup_s = scenario.demand.warmup_s.value_or(scenario.run.warmup_s);
  return scenario;
}

/// The sizings of one kind of chip, at any rate.
class Sizer {
 public:
  Sizer(const Scenario& scenario, const Chip& chip, const DemandOptions& options, std::function<void()> on_simulation)
      : scenario_(scenario), chip_(chip), options_(options), on_simulation_(std::move(on_simulation)) {}

  Sizing at(double factor) {
    return kept({{"factor", factor}}, [&](const SizingOptions& options) {
      return steady(scaled(scenario_, factor),
                    [&](const Scenario& scenario) { return fewest_chips(candidate_of(scenario, chip_), options); });
    });
  }

  /// At step times `slowness` times as long, each pool in the way that it has in `found`, or in any if that cannot do.
  Sizing at_step_times(double slowness, double factor, const Sizing& found) {
    return kept({{"factor", factor}, {"slowness", slowness}}, [&](const SizingOptions& options) {
      const Chip chip = slowed(chip_, slowness);
      std::vector<Way> ways;
      for (const Sizing::Pool& pool : found.pools) ways.push_back({pool.parallelism, pool.max_num_seqs});
      return steady(scaled(scenario_, factor), [&](const Scenario& scenario) {
        const Candidate candidate = candidate_of(scenario, chip);
        Candidate in_that_way = candidate;
        in_that_way.keep(ways);
        const Sizing sizing = fewest_chips(in_that_way, options);
        return sizing.met ? sizing : fewest_chips(candidate, options);
      });
    });
  }

  /// Nothing where the step times are fitted to kernel data.
  std::optional<ChipBand> band_of(const Deployment& deployment, double rate) {
    const auto uncertainty = deployment.cell.step_time_uncertainty;
    if (!deployment.cell.met || !uncertainty || *uncertainty <= 0) return {};
    const double factor = rate > 0 ? deployment.cell_tasks_per_s / rate : 1;
    const auto chips = [&](const Sizing& sizing) { return static_cast<double>(sizing.chips) * deployment.cells; };
    const Sizing fast = at_step_times(1 - std::min(*uncertainty, 0.9), factor, deployment.cell);
    const Sizing slow = at_step_times(1 + *uncertainty, factor, deployment.cell);
    ChipBand band{*uncertainty, deployment.chips(), {}};
    if (fast.met) band.low = std::min(band.low, chips(fast));
    if (slow.met) band.high = std::max(deployment.chips(), chips(slow));
    return band;
  }

  /// `rate`: of the scenario; `tasks_per_s`: what is to be served.
  Deployment deploy(double rate, double tasks_per_s) {
    require_work(tasks_per_s);
    double cell = scenario_.demand.cell_tasks_per_s.value_or(rate);
    for (int doubled = 0;; ++doubled, cell *= 2) {
      Deployment deployment;
      if (tasks_per_s > 2 * cell * (1 + 1e-9)) deployment.cells = std::ceil(tasks_per_s / cell - 1e-9);
      deployment.cell_tasks_per_s = deployment.cells <= kFewCells ? tasks_per_s / deployment.cells : cell;
      deployment.cell = at(deployment.cell_tasks_per_s / rate);
      if (!deployment.cell.met || deployment.cells == 1) return deployment;
      const Sizing twice = at(2 * deployment.cell_tasks_per_s / rate);
      if (!twice.met) {
        deployment.why_not_twice = twice.why_not;
        return deployment;
      }
      deployment.saving_of_twice =
          std::max(0.0, 1 - static_cast<double>(twice.chips) / (2 * static_cast<double>(deployment.cell.chips)));
      deployment.coarseness = static_cast<double>(twice.largest_replica) / static_cast<double>(twice.chips);
      deployment.independent =
          *deployment.coarseness <= kFine && twice.chips + twice.largest_replica >= 2 * deployment.cell.chips;
      if (*deployment.independent || doubled == kDoublings) return deployment;
    }
  }
  std::size_t simulations() const { return simulations_; }

 private:
  /// Nobody can judge by work that hardly comes, of all agents or of one that is judged by itself.
  void require_work(double tasks_per_s) const {
    require_tasks(tasks_per_s, "tasks");
    for (const agents::WorkloadEntry& entry : scenario_.workload.entries) {
      if (!entry.closed_loop && scenario_.slo.own(entry.name) != nullptr)
        require_tasks(entry.arrivals.rate_per_s * tasks_per_s / rate_of(scenario_), "tasks of " + entry.name);
    }
  }
  void require_tasks(double tasks_per_s, const std::string& what) const {
    constexpr double kFewest = 3;
    const double measured_s = scenario_.run.duration_s - scenario_.run.warmup_s;
    if (tasks_per_s * measured_s >= kFewest) return;
    throw sim::InputError({"", scenario_.demand.duration_s ? "/demand/duration_s" : "/run/duration_s",
                           fmt::format("{:g} {} in the {:g} s that are measured, at {:g} a second",
                                       tasks_per_s * measured_s, what, measured_s, tasks_per_s),
                           fmt::format("at least {:g} tasks, so at least {:.2g} s", kFewest, kFewest / tasks_per_s)});
  }
  /// What `size` finds for the scenario, in as long a time as the work takes to become steady: the scenario's own, or
  /// some doublings of it.
  template <typename Find>
  static Sizing steady(Scenario scenario, const Find& size) {
    std::size_t simulations = 0, stopped = 0;
    for (int doubled = 0;; ++doubled) {
      Sizing sizing = size(scenario);
      simulations += sizing.simulations;
      stopped += sizing.stopped_early;
      if (!sizing.met || sizing.steady || doubled == kMostLonger) {
        sizing.simulations = simulations;
        sizing.stopped_early = stopped;
        return sizing;
      }
      scenario.run.duration_s *= 2;
      scenario.run.warmup_s *= 2;
    }
  }

  /// What `find` gives, or gave before: `of` tells it apart.
  template <typename Find>
  Sizing kept(const sim::Json& of, const Find& find) {
    sim::Json key = options_.key;
    key["chip"] = chip_.name;
    key.update(of);
    key["repetitions"] = options_.sizing.repetitions;
    key["most_chips"] = options_.sizing.most_chips;
    if (const auto known = options_.cache.find(key)) {
      if (std::optional<Sizing> sizing = Sizing::from_json(*known)) return *std::move(sizing);
    }
    SizingOptions options = options_.sizing;
    options.on_simulation = on_simulation_;
    Sizing sizing = find(options);
    simulations_ += sizing.simulations;
    options_.cache.keep(key, sizing.to_json());
    return sizing;
  }

  const Scenario& scenario_;
  const Chip& chip_;
  const DemandOptions& options_;
  std::function<void()> on_simulation_;
  std::size_t simulations_ = 0;
};

class DemandSearch {
 public:
  DemandSearch(const Scenario& scenario, const platforms::Catalog& catalog, const std::vector<const Chip*>& chips,
               const DemandOptions& options)
      : scenario_(shortened(scenario)), options_(options), rate_(rate_of(scenario)), chips_(chips.size()) {
    for (const Chip* chip : chips) {
      demand_.entries.push_back(
          {.chip = chip, .prices = prices_of(*chip, scenario), .supply = supply_of(*chip, scenario.demand, catalog)});
      sizers_.emplace_back(scenario_, *chip, options_, [this] { count_simulation(); });
    }
  }

  Demand run() {
    demand_.pue = scenario_.cluster.pue;
    demand_.whole_nodes = scenario_.demand.whole_nodes;
    demand_.level = level_text(scenario_.slo);
    for (const agents::WorkloadEntry& entry : scenario_.workload.entries) {
      if (entry.closed_loop) demand_.users = demand_.users.value_or(0) + static_cast<double>(entry.closed_loop->users);
    }
    demand_.arrivals = rate_ > 0 || !demand_.users;
    find_volume();
    tbb::parallel_for(std::size_t{0}, chips_, [&](std::size_t i) {
      show([&] { working_on_.insert(demand_.entries[i].chip->name); });
      serve(demand_.entries[i], sizers_[i]);
      show([&] {
        working_on_.erase(demand_.entries[i].chip->name);
        ++progress_.chips_done;
        progress_.finished = &demand_.entries[i];
      });
    });
    for (const DemandEntry& entry : demand_.entries) {
      const sim::Json& figures = entry.deployment.cell.figures;
      if (!entry.deployment.cell.met) continue;
      if (!demand_.tokens_per_task) demand_.tokens_per_task = number_at(figures, {"tokens_per_task"});
      if (rate_ == 0 && demand_.tasks_per_s == 0) demand_.tasks_per_s = number_at(figures, {"tasks_per_s"}).value_or(0);
    }
    find_front();
    find_design_costs();
    demand_.answer = answer_text(demand_);
    return std::move(demand_);
  }

 private:
  /// Tasks per second from what the user asked for.
  void find_volume() {
    demand_.tasks_per_s = scenario_.demand.tasks_per_s.value_or(rate_);
    if (!scenario_.demand.tokens_per_month) return;
    for (Sizer& sizer : sizers_) {
      const Sizing sizing = sizer.at(1);
      demand_.tokens_per_task = sizing.met ? number_at(sizing.figures, {"tokens_per_task"}) : std::nullopt;
      if (!demand_.tokens_per_task) continue;
      demand_.tasks_per_s = *scenario_.demand.tokens_per_month / kSecondsPerMonth / *demand_.tokens_per_task;
      return;
    }
    // No kind of chip can do the work at all; each says why in its own sizing.
  }

  void serve(DemandEntry& entry, Sizer& sizer) {
    const auto deploy = [&](double tasks_per_s) {
      return rate_ > 0 ? sizer.deploy(rate_, tasks_per_s) : Deployment{.cell = sizer.at(1)};
    };
    const auto economics = [&](const Deployment& of) {
      return of.cell.met ? economics_of(of.cell, of.cells, of.rented(demand_.whole_nodes), *entry.chip, entry.prices,
                                        demand_.pue)
                         : Economics();
    };
    entry.deployment = deploy(demand_.tasks_per_s);
    entry.economics = economics(entry.deployment);
    if (options_.bands) entry.band = sizer.band_of(entry.deployment, rate_);
    if (scenario_.demand.own && entry.deployment.cell.met) find_ownership(entry);
    if (const auto& growth = scenario_.demand.growth; growth && rate_ > 0) {
      for (std::int64_t month = 0; month <= growth->months; month += growth->step_months) {
        const double tasks =
            demand_.tasks_per_s * sim::portable_pow(growth->factor_per_year, static_cast<double>(month) / 12);
        DemandEntry::Point point{month, tasks, deploy(tasks), {}};
        point.economics = economics(point.deployment);
        entry.growth.push_back(std::move(point));
      }
    }
    entry.simulations = sizer.simulations();
  }

  void find_front() {
    constexpr double kUnknown = std::numeric_limits<double>::infinity();
    std::vector<std::vector<double>> points;
    std::vector<DemandEntry*> of_point;
    for (DemandEntry& entry : demand_.entries) {
      if (!entry.deployment.cell.met) continue;
      points.push_back({entry.deployment.rented(demand_.whole_nodes), entry.economics.megawatts.value_or(kUnknown),
                        entry.economics.usd_per_hour.value_or(kUnknown)});
      of_point.push_back(&entry);
    }
    for (const std::size_t i : pareto_front(points)) of_point[i]->on_front = true;
  }

  void find_ownership(DemandEntry& entry) const {
    const double chips = entry.deployment.rented(demand_.whole_nodes);
    Banded band(chips);
    const double by = demand_.whole_nodes ? static_cast<double>(entry.deployment.cell.chips_per_node) : 1;
    const auto bought = [&](double count) { return std::ceil(count / by) * by; };
    if (entry.band)
      band = {chips, std::min(chips, bought(entry.band->low)),
              std::max(chips, bought(entry.band->high.value_or(chips)))};
    entry.ownership =
        ownership_of(*scenario_.demand.own, entry.prices, band, entry.economics, scenario_.cluster.power_usd_per_kwh);
  }

  /// Against the kind that is cheapest besides: bought if its price is known, else rented.
  void find_design_costs() {
    for (DemandEntry& entry : demand_.entries) {
      const auto assumed = scenario_.demand.assume.find(entry.chip->name);
      if (!entry.ownership || assumed == scenario_.demand.assume.end() || !assumed->second.design_usd) continue;
      std::optional<Banded> cheapest;
      for (const DemandEntry& other : demand_.entries) {
        std::optional<Banded> cost;
        if (other.ownership && other.ownership->usd_per_hour) {
          cost = other.ownership->usd_per_hour;
        } else if (other.economics.usd_per_hour) {
          cost = Banded(*other.economics.usd_per_hour);
        }
        if (&other == &entry || !cost || (cheapest && cheapest->value <= cost->value)) continue;
        cheapest = cost;
        entry.ownership->against = other.chip->name;
      }
      if (cheapest) find_break_even(*entry.ownership, *scenario_.demand.own, *assumed->second.design_usd, *cheapest);
    }
  }

  void count_simulation() {
    show([this] { ++progress_.simulations; });
  }

  template <typename Change>
  void show(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
    if (!options_.progress) return;
    progress_.working_on = fmt::format("{}", fmt::join(working_on_, ", "));
    options_.progress(progress_);
    progress_.finished = nullptr;
  }

  const Scenario scenario_;
  const DemandOptions& options_;
  double rate_;
  std::size_t chips_;
  std::vector<Sizer> sizers_;
  std::mutex mutex_;
  DemandProgress progress_{.chips = chips_};
  std::set<std::string> working_on_;
  Demand demand_;
};

}  // namespace

double rate_of(const Scenario& scenario) {
  double rate = 0;
  for (const agents::WorkloadEntry& entry : scenario.workload.entries)
    rate += entry.closed_loop ? 0 : entry.arrivals.rate_per_s;
  return rate;
}

bool Demand::met() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const DemandEntry& entry) { return entry.deployment.cell.met; });
}

std::optional<double> Demand::tokens_per_month() const {
  return tokens_per_task ? std::optional(tasks_per_s * *tokens_per_task * kSecondsPerMonth) : std::nullopt;
}

Demand find_demand(const Scenario& scenario, const platforms::Catalog& catalog, const std::vector<const Chip*>& chips,
                   const DemandOptions& options) {
  return DemandSearch(scenario, catalog, chips, options).run();
}

}  // namespace tokenyard::analysis
