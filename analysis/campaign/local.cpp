#include "analysis/campaign/local.hpp"

#include <map>
#include <set>

#include "analysis/campaign/run_processes.hpp"
#include "analysis/run/recording.hpp"

namespace tokenyard::analysis {

namespace {

/// What is wrong in one cell and in others alike is said once.
void add_once(const sim::Fault& fault, std::vector<sim::Fault>& faults) {
  constexpr const char* kOthers = " and other cells";
  for (sim::Fault& known : faults) {
    if (known.place != fault.place || known.found != fault.found || known.allowed != fault.allowed) continue;
    if (known.file != fault.file && !known.file.ends_with(kOthers)) known.file += kOthers;
    return;
  }
  faults.push_back(fault);
}

/// Whether the traces that cells play have the agents that their service levels name. Each trace is read once, whatever
/// the number of its cells.
class TracedLevels {
 public:
  void check(const Scenario& scenario, const std::string& name, sim::Faults& faults) {
    const std::optional<TraceWorkload>& trace = scenario.workload.trace;
    if (!trace || scenario.slo.agents.empty()) return;
    const auto [known, fresh] = agents_.try_emplace({trace->path, trace->format});
    if (fresh) {
      try {
        known->second = agents_of(*trace);
      } catch (const sim::InputError& error) {
        faults.add(error.faults());
      }
    }
    if (known->second) scenario.slo.check_agents(*known->second, name, faults);
  }

 private:
  /// By path and format; nothing of a trace that is faulty.
  std::map<std::pair<std::string, std::string>, std::optional<std::vector<std::string>>> agents_;
};

}  // namespace

void check_cells(const Campaign& campaign, const Catalogs& catalogs, const Agenda& agenda) {
  constexpr std::size_t kEnough = 20;  // faults: the cells of one mistake are many
  std::vector<sim::Fault> faults;
  std::size_t found = 0;
  std::set<std::size_t> seen;
  TracedLevels levels;
  for (const RunId run : agenda.ready()) {
    if (!seen.insert(run.cell).second) continue;
    sim::Faults of_cell;
    try {
      const Scenario scenario = read_run(campaign, catalogs, run, of_cell);
      if (of_cell.empty()) levels.check(scenario, run_name(campaign, run), of_cell);
    } catch (const sim::Infeasible&) {  // a result, when its turn comes
    }
    for (const sim::Fault& fault : of_cell.list()) add_once(fault, faults);
    found += of_cell.size();
    if (found >= kEnough) break;
  }
  if (!faults.empty()) throw sim::InputError(faults);
}

void check_missing(const Campaign& campaign, const Catalogs& catalogs, const std::filesystem::path& file,
                   const Shard& shard, SettledRuns settled) {
  if (has_results(file)) Results(file, Database::Mode::kRead).add_settled(campaign, settled);
  check_cells(campaign, catalogs, Agenda(campaign, settled, shard));
}

CampaignTally run_locally(const Campaign& campaign, const Catalogs& catalogs, Results& results, const ResultLock& lock,
                          const LocalOptions& options) {
  constexpr int kGlanceMs = 200;  // how long an interrupt or a progress line may be late
  SettledRuns settled = options.settled;
  results.add_settled(campaign, settled);
  Agenda agenda(campaign, settled, options.shard);
  RunProcesses processes(options.jobs, campaign.limits(),
                         [&](RunId run) { return run_once(campaign, catalogs, run, options.make_network); });
  processes.close_in_children(lock.descriptor());
  const auto begin = std::chrono::steady_clock::now();
  CampaignTally tally;
  tally.before = agenda.settled();
  const auto report = [&] {
    tally.left = agenda.left();
    tally.wide = agenda.wide();
    tally.elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (options.progress) options.progress(tally);
  };
  while (!agenda.over()) {
    if (options.stop && options.stop()) {
      tally.interrupted = true;
      break;
    }
    while (!processes.full()) {
      const auto run = agenda.next();
      if (!run) break;
      processes.start(*run);
    }
    if (const auto finished = processes.wait(kGlanceMs)) {
      const RunOutcome& result = finished->result;
      if (result.failure == RunFailure::kInput) throw sim::InputError(result.faults);
      results.record(campaign, finished->run, result, options.version);
      agenda.settle(finished->run, result);
      ++(result.done() ? tally.done : tally.failed);
      tally.run_s += result.wall_s;
    }
    report();
  }
  processes.kill_all();
  report();
  return tally;
}

}  // namespace tokenyard::analysis
