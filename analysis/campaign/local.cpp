#include "analysis/campaign/local.hpp"

#include <set>

namespace tokenyard::analysis {

void check_cells(const Campaign& campaign, const Catalogs& catalogs, const Agenda& agenda) {
  constexpr std::size_t kEnough = 20;  // faults: the cells of one mistake are many
  sim::Faults faults;
  std::set<std::size_t> seen;
  for (const RunId run : agenda.ready()) {
    if (!seen.insert(run.cell).second) continue;
    try {
      read_run(campaign, catalogs, run, faults);
    } catch (const sim::Infeasible&) {  // a result, when its turn comes
    }
    if (faults.size() >= kEnough) break;
  }
  faults.throw_if_any();
}

Tally run_locally(const Campaign& campaign, const Catalogs& catalogs, Results& results, const ResultLock& lock,
                  const LocalOptions& options) {
  constexpr int kGlance_ms = 200;  // how long an interrupt or a progress line may be late
  SettledRuns settled = options.settled;
  results.add_settled(campaign, settled);
  Agenda agenda(campaign, settled, options.shard);
  check_cells(campaign, catalogs, agenda);

  RunProcesses processes(options.jobs, campaign.limits(),
                         [&](RunId run) { return run_once(campaign, catalogs, run, options.make_network); });
  processes.close_in_children(lock.descriptor());
  const auto begin = std::chrono::steady_clock::now();
  Tally tally;
  tally.before = agenda.settled();
  const auto report = [&] {
    tally.left = agenda.left();
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
    if (const auto finished = processes.wait(kGlance_ms)) {
      const RunOutcome& result = finished->result;
      if (result.failure == RunFailure::kInput)
        throw sim::InputError({"", "", result.message, "a campaign whose runs are right"});
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
