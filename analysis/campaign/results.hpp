#pragma once
/// The results of a campaign: one SQLite file, `campaign.db`, or `shard-K-of-N.db` beside it. Schema:
///
///   campaign(name, value)                   schema, name, definition: what was asked
///   cells(cell, factors)                    a cell's factors, as a JSON object of pointers and values
///   runs(key, cell, repetition, seed, failure, message, outputs)
///                                           outputs: a JSON object of summary keys and numbers, or NULL with a failure
///   provenance(key, version, host, finished, wall_s, memory_mb)   what differs between two campaigns that are the same
///   outputs(key, cell, repetition, output, value)                 a view: one row for each number
///
/// A finished run is one transaction: kill the process at any moment, and what was recorded is there. (Write-ahead log,
/// synced at checkpoints: a power cut may take the last runs, which are then missing and run again.) All but
/// `provenance` depends on the campaign alone, not on who ran what where and in which order. A run of an earlier form
/// of the campaign has no cell: it is kept, and comes back if the file does.
///
///   Results results(folder / "campaign.db", Database::Mode::kWrite);
///   results.adopt(campaign);
///   results.record(campaign, run, result, version);

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "analysis/campaign/run_once.hpp"
#include "analysis/campaign/sqlite.hpp"

namespace tokenyard::analysis {

/// One of `of` equal parts of a campaign; counted from 1.
struct Shard {
  std::size_t index = 1, of = 1;
  bool whole() const { return of == 1; }
  std::string file() const;
};

/// A run that needs not be run again.
struct Settled {
  bool done = false;             ///< else infeasible
  std::optional<double> metric;  ///< what the repetition rule looks at
  double wall_s = 0;
};
using SettledRuns = std::unordered_map<std::string, Settled>;  ///< by key

/// A run as it is stored.
struct StoredRun {
  RunId id;
  std::uint64_t seed = 0;
  std::string key, failure, message;
  std::vector<std::pair<std::string, std::optional<double>>> outputs;
};

class Results {
 public:
  /// Throws sim::InputError where the file holds something else, which is then left as it is. To write, the file may
  /// be absent or empty; to read, it must have results.
  Results(const std::filesystem::path& file, Database::Mode mode);

  /// Makes the file this campaign's: its cells, and the runs of before that are still its own and have every output.
  /// Throws sim::InputError, with what has changed, if there are runs and not one is its own: a campaign may grow and
  /// shrink, but a changed scenario is another campaign.
  void adopt(const Campaign& campaign);
  void record(const Campaign& campaign, RunId run, const RunOutcome& result, const std::string& version);
  /// Takes the runs of a shard; a finished run wins over a failed one. Throws sim::InputError if it is another
  /// campaign's.
  void merge(const std::filesystem::path& shard);
  /// Whether the campaign is the one that the file was made for.
  bool is_of(const Campaign& campaign) { return value("definition") == campaign.definition(); }
  const std::filesystem::path& path() const { return db_.path(); }
  /// Leaves one file, without a log beside it.
  void close_log();

  /// Whether or not the file is already made for the campaign's present form; throws as `adopt`.
  void add_settled(const Campaign& campaign, SettledRuns& runs);
  /// In the order of cells and repetitions.
  void each_run(const std::function<void(const StoredRun&)>& visit);
  std::size_t failures();

 private:
  void check();
  void create();
  std::string value(std::string_view name);
  /// The stored runs that the campaign names, by key.
  std::map<std::string, RunId> own_runs(const Campaign& campaign);

  Database db_;
  std::optional<Statement> begin_, commit_, insert_run_, insert_provenance_;
};

/// Whether the file is there and has anything in it: a campaign that has just begun, or was killed then, has made no
/// tables yet. Throws sim::InputError where it is no database.
bool has_results(const std::filesystem::path& file);

/// The result files in a folder that have results: the campaign's own and its shards', sorted.
std::vector<std::filesystem::path> result_files(const std::filesystem::path& folder);

/// Held while a result file is written, so that no second process runs the same campaign into it.
class ResultLock {
 public:
  /// Makes the folder. Throws traces::OutputError if another process holds the lock.
  ResultLock(const std::filesystem::path& folder, const Shard& shard);
  ~ResultLock();
  ResultLock(const ResultLock&) = delete;
  ResultLock& operator=(const ResultLock&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace tokenyard::analysis
