#include "analysis/demand/notes.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "analysis/demand/wording.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {
namespace {

std::string count(const std::optional<double>& value) { return counted_number(value); }
std::string share(double value) { return human_number(value, Unit::kShare); }
std::string listed(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

/// Whether agents, whose calls repeat what came before, are served by a router that knows nothing of it.
bool scatters_tasks(const Scenario& scenario) {
  const bool agents = std::any_of(scenario.workload.entries.begin(), scenario.workload.entries.end(),
                                  [](const agents::WorkloadEntry& entry) { return entry.agent->nodes.size() > 2; });
  return agents && std::any_of(scenario.pools.begin(), scenario.pools.end(), [](const PoolPlan& pool) {
           return pool.takes_calls() && pool.cache.prefix_caching &&
                  (pool.router == platforms::Router::kLeastLoaded || pool.router == platforms::Router::kRoundRobin);
         });
}

/// Engines of the scenario that do not run on the chip.
std::vector<std::string> strange_engines(const Scenario& scenario, const platforms::Chip& chip) {
  std::vector<std::string> names;
  for (const PoolPlan& pool : scenario.pools) {
    if (pool.model == nullptr || pool.engine->runs_on(chip)) continue;
    if (std::find(names.begin(), names.end(), pool.engine->name) == names.end()) names.push_back(pool.engine->name);
  }
  return names;
}

/// What the marks mean, what is not known, and what cannot do it.
void note_kinds(const Demand& demand, const Scenario& scenario, std::vector<std::string>& said) {
  const auto say = [&](std::string what) { said.push_back(std::move(what)); };
  bool front = false, by_user = false, by_catalogue = false, whole = true;
  std::vector<std::string> no_price, no_power;
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.deployment.cell.met) continue;
    front = front || entry.on_front;
    for (const std::string mark : {mark_of_price(entry.prices), mark_of_power(entry)}) {
      by_user = by_user || mark == " *";
      by_catalogue = by_catalogue || mark == " ~";
    }
    whole = whole && entry.deployment.cell.proven;
    if (!entry.economics.usd_per_hour) no_price.push_back(entry.chip->name);
    if (!entry.economics.megawatts) no_power.push_back(entry.chip->name);
  }
  if (front && demand.entries.size() > 1)
    say("▸ no other kind needs at most its chips, power and money, and less of one.");
  if (by_user) say("* you assumed it.");
  if (by_catalogue) say("~ the catalogue marks it as assumed.");
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.band) continue;
    say(fmt::format("({}): {} is extrapolated, its step times ±{}; so many chips at their ends.",
                    ends_text(*entry.band), entry.chip->name, share(entry.band->uncertainty)));
    if (!entry.band->high)
      say(fmt::format("At step times {} longer no number of {} will do.", share(entry.band->uncertainty),
                      entry.chip->name));
  }
  for (const DemandEntry& entry : demand.entries) {
    if (const auto engines = strange_engines(scenario, *entry.chip); !engines.empty())
      say(fmt::format("{} on {}: an engine that does not run on chips of {}, simulated as if it did.", listed(engines),
                      entry.chip->name, entry.chip->vendor));
  }
  say(
      fmt::format("Power is the chips' mean, times a PUE of {:g}; money is rent, for most chips on terms of three "
                  "years (tokenyard catalog chips NAME){}; tokens are output tokens.",
                  demand.pue, demand.whole_nodes ? ", of whole nodes" : ""));
  if (scatters_tasks(scenario)) {
    say("Calls go to the replica with least to do (router), which computes again what another has of their prompt: the "
        "more replicas, the more of it. --set /pools/0/router=task-sticky or prefix-aware may need fewer chips.");
  }
  if (!whole) say("≤ smaller sizes may do: the search was ended before all were tried.");
  if (!no_price.empty())
    say(fmt::format("No price is published for {}: --price CHIP=USD assumes one.", listed(no_price)));
  if (!no_power.empty()) say(fmt::format("No power is known of {}: --watts CHIP=W assumes it.", listed(no_power)));
  for (const DemandEntry& entry : demand.entries) {
    const Deployment& d = entry.deployment;
    if (!d.cell.met) say(fmt::format("{} cannot serve it: {}.", entry.chip->name, d.cell.why_not));
    if (d.cell.met && entry.supply && d.chips() > 0.01 * entry.supply->chips.value) {
      say(fmt::format(
          "{} {} are {} of {}.", count(d.chips()), entry.chip->name, share(d.chips() / entry.supply->chips.value),
          entry.supply->assumed ? fmt::format("the {} that you say there are", count(entry.supply->chips.value))
                                : fmt::format("all that were made so far, {} (Epoch's estimate)",
                                              banded_text(entry.supply->chips, Unit::kCount))));
    }
    if (!d.why_not_twice.empty()) {
      say(fmt::format(
          "{} is scaled by {} cells of {} tasks/s; whether larger cells need fewer is open: of one twice as "
          "large, {}.",
          entry.chip->name, count(d.cells), count(d.cell_tasks_per_s), d.why_not_twice));
    }
    if (!d.independent) continue;
    const std::string of = fmt::format("{} is scaled by {} cells of {} tasks/s: a cell twice as large ",
                                       entry.chip->name, count(d.cells), count(d.cell_tasks_per_s));
    say(of + (*d.independent
                  ? fmt::format("needs no fewer chips per task, within one replica ({:.1f} %).", *d.coarseness * 100)
                  : fmt::format("needs {} fewer chips per task, give or take a replica ({}): an upper bound.",
                                share(*d.saving_of_twice), share(*d.coarseness))));
  }
}

/// Of simulations that went on for longer than was asked for, or should have.
void note_steadiness(const Demand& demand, const Scenario& scenario, std::vector<std::string>& said) {
  const double asked_s = scenario.demand.duration_s.value_or(scenario.run.duration_s);
  std::map<double, std::vector<std::string>> longer;
  std::vector<std::string> restless;
  for (const DemandEntry& entry : demand.entries) {
    const Sizing& cell = entry.deployment.cell;
    if (!cell.met) continue;
    if (cell.duration_s > asked_s) longer[cell.duration_s].push_back(entry.chip->name);
    if (!cell.steady) restless.push_back(entry.chip->name);
  }
  for (const auto& [duration_s, chips] : longer) {
    said.push_back(
        fmt::format("{}: simulated for {}, {:g} times what was asked for; in less, sizes passed whose work had not "
                    "become steady.",
                    listed(chips), human_number(duration_s, Unit::kSeconds), duration_s / asked_s));
  }
  if (!restless.empty()) {
    said.push_back(
        fmt::format("{}: in twice the time the size misses the level: its work is still growing. Simulate longer "
                    "(run/duration_s, run/warmup_s).",
                    listed(restless)));
  }
}

/// Where a setting of the engine, not the chips, asks for the last replica.
void note_seats(const Demand& demand, std::vector<std::string>& said) {
  constexpr double kNoticeable = 0.05;
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.deployment.cell.met) continue;
    for (const Sizing::Pool& pool : entry.deployment.cell.pools) {
      if (!pool.seats_full_with_less || *pool.seats_full_with_less < kNoticeable) continue;
      said.push_back(fmt::format(
          "{}: with a replica less of {}, calls wait in {} of the time while all {} seats (max_num_seqs) of theirs are "
          "taken. Larger batches may need fewer chips: --set /demand/max_num_seqs=[{},{}] tries both.",
          entry.chip->name, pool.name, share(*pool.seats_full_with_less), pool.max_num_seqs, pool.max_num_seqs,
          2 * pool.max_num_seqs));
    }
  }
}

/// What a chip has of its node's memory and SSDs stays as the scenario has it.
void note_kv_tiers(const Scenario& scenario, std::vector<std::string>& said) {
  std::vector<std::string> tiers;
  for (const PoolPlan& pool : scenario.pools) {
    for (const KvTierPlan& tier : pool.kv_tiers) {
      if (!is_of_node(tier)) continue;
      tiers.push_back(fmt::format("{} GiB of {} in {}", count(tier.gib / static_cast<double>(pool.parallelism.chips())),
                                  tier.kind == platforms::KvTierKind::kHost ? "host memory" : "SSDs", pool.name));
    }
  }
  if (!tiers.empty())
    said.push_back(fmt::format("For KV each chip has what it has in the scenario, however many make a replica: {}.",
                               listed(tiers)));
}

/// Users start the next task when the last one ends: what they do in a second follows from the chips.
void note_users(const Demand& demand, std::vector<std::string>& said) {
  if (!demand.users) return;
  std::vector<std::string> rates;
  for (const DemandEntry& entry : demand.entries) {
    const Sizing& cell = entry.deployment.cell;
    const auto rate = cell.met ? number_at(cell.figures, {"tasks_per_s"}) : std::nullopt;
    if (rate) rates.push_back(fmt::format("{} tasks/s on {}", count(*rate), entry.chip->name));
  }
  if (rates.empty()) return;
  said.push_back(fmt::format("{} {}: users wait for their answers, so their rate follows from the chips.",
                             demand.arrivals ? "Users and arrivals together get done" : "The users get done",
                             listed(rates)));
}

/// What a task costs is taken from those that completed in the measured time.
void note_completions(const Demand& demand, const Scenario& scenario, std::vector<std::string>& said) {
  constexpr double kMostComplete = 0.8;  // of what comes: fewer, and it is no longer the edges of the measured time
  const bool closed = std::any_of(scenario.workload.entries.begin(), scenario.workload.entries.end(),
                                  [](const agents::WorkloadEntry& entry) { return entry.closed_loop.has_value(); });
  if (closed) return;
  for (const DemandEntry& entry : demand.entries) {
    const Deployment& d = entry.deployment;
    const auto completed = d.cell.met ? number_at(d.cell.figures, {"tasks_per_s"}) : std::nullopt;
    if (!completed || d.cell_tasks_per_s <= 0 || *completed >= kMostComplete * d.cell_tasks_per_s) continue;
    said.push_back(fmt::format(
        "{}: of {} tasks/s that come to a cell, {} complete in the measured time: the others fail, or take longer. "
        "What a task costs is of those that complete; where tasks are long, simulate longer (run/duration_s, "
        "run/warmup_s).",
        entry.chip->name, count(d.cell_tasks_per_s), count(*completed)));
  }
}

/// How often was simulated, and when a size passes.
void note_effort(const Demand& demand, std::vector<std::string>& said) {
  std::size_t simulations = 0, stopped = 0;
  int seeds = 0;
  for (const DemandEntry& entry : demand.entries) {
    simulations += entry.deployment.cell.simulations;
    stopped += entry.deployment.cell.stopped_early;
    seeds = std::max(seeds, entry.deployment.cell.seeds);
  }
  said.emplace_back(seeds > 1 ? "A size passes if the first seeds all meet the level and the 95 % interval of the mean "
                                "over seeds does not reach below it; seeds are added until that is clear."
                              : "A size passes if its one simulation meets the level.");
  said.push_back(fmt::format("{} simulations, {} of them stopped early.", simulations, stopped));
}

}  // namespace

const char* mark_of_price(const Prices& prices) {
  if (!prices.usd_per_chip_hour.value || !prices.usd_per_chip_hour.assumed) return "";
  return prices.usd_per_chip_hour.source == "catalogue" ? " ~" : " *";
}

const char* mark_of_power(const DemandEntry& entry) {
  if (entry.prices.watts_per_chip.value) return " *";
  return entry.economics.megawatts && entry.prices.power_assumed ? " ~" : "";
}

std::vector<std::string> notes_of(const Demand& demand, const Scenario& scenario) {
  std::vector<std::string> said;
  note_kinds(demand, scenario, said);
  note_users(demand, said);
  note_kv_tiers(scenario, said);
  note_seats(demand, said);
  note_steadiness(demand, scenario, said);
  note_completions(demand, scenario, said);
  if (!scenario.training.empty())
    said.emplace_back("Training jobs were left out: the chips are those that serve the work.");
  note_effort(demand, said);
  return said;
}

}  // namespace tokenyard::analysis
