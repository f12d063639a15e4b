#pragma once
/// A campaign on this machine: several runs at a time, each in a process of its own, recorded as they end.
///
///   CampaignTally tally = run_locally(campaign, catalogs, results, {.jobs = 8, .stop = [] { return interrupted; }});
///   // failed > 0: exit code 4; interrupted: 130, and the next call goes on

#include "analysis/campaign/agenda.hpp"

namespace tokenyard::analysis {

/// How far a campaign is.
struct CampaignTally {
  std::size_t before = 0;            ///< settled when this call began
  std::size_t done = 0, failed = 0;  ///< by this call
  std::size_t left = 0;              ///< known to come
  std::size_t wide = 0;              ///< cells that stopped at `max` repetitions (Agenda::wide)
  double run_s = 0;                  ///< sum of the runs' own time
  double elapsed_s = 0;              ///< of this call
  bool interrupted = false;
};

struct LocalOptions {
  std::size_t jobs = 1;
  Shard shard = {};
  SettledRuns settled = {};       ///< elsewhere, besides those of the results
  MakeNetwork make_network = {};  ///< null: the analytic network
  std::string version = {};
  std::function<bool()> stop = {};  ///< true: start nothing more, end what runs, keep what is finished
  std::function<void(const CampaignTally&)> progress = {};
};

/// Runs what is missing. Throws sim::InputError if a scenario is wrong and traces::OutputError if the results cannot be
/// written; what finished before is kept. `lock` guards the results.
CampaignTally run_locally(const Campaign& campaign, const Catalogs& catalogs, Results& results, const ResultLock& lock,
                          const LocalOptions& options);

/// Reads the scenario of every cell that still has runs to start, and where a service level names agents of a trace, that
/// trace; throws sim::InputError with the faults of the first few.
void check_cells(const Campaign& campaign, const Catalogs& catalogs, const Agenda& agenda);
/// Of those that still have runs to start beyond `settled` and what `file` holds, which need not be there. To be called
/// before the results are opened: a campaign that is refused leaves nothing.
void check_missing(const Campaign& campaign, const Catalogs& catalogs, const std::filesystem::path& file,
                   const Shard& shard, SettledRuns settled);

}  // namespace tokenyard::analysis
