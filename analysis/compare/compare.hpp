#pragma once
/// What changed between result folders, on the same work: tasks are paired by `task_id`, calls by their task and their
/// place among its calls.
///
/// Under one seed two scenarios see the same work (common random numbers), so the difference of a pair is the effect of
/// what was changed, and its interval is far narrower than those of the two means. Neighbouring tasks share queues and
/// are not independent: the 95 % interval is of batch means in the order of arrival (sim/statistics/mean_interval.hpp).
/// The causes' differences sum to that of the duration: they say where the time went. Beside the pairs stand the runs'
/// own figures, from their summaries: service level (also of each agent), rates, watts, cost, and how busy the pools
/// were; and where the runs were judged by different levels, which ones.
///
///   Comparison comparison = compare({"results/base", "results/more-replicas"});
///   comparison.others[0].tasks.figures[0];   // duration_s: base 12.1, other 9.8, difference -2.3 ±0.2

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {

/// One column of a table, over the pairs that have it on both sides.
struct PairedFigure {
  std::string name;
  double base_mean = 0, other_mean = 0;
  double base_p95 = 0, other_p95 = 0;
  sim::MeanInterval difference;  ///< other - base
};

struct PairedTable {
  std::size_t pairs = 0, only_base = 0, only_other = 0;
  std::size_t moved = 0;              ///< pairs that do not arrive at the same time
  std::vector<PairedFigure> figures;  ///< in the order of the table's columns; those that are 0 everywhere left out
};

/// A figure of the whole run, which has no pairs and so no interval.
struct RunFigure {
  std::string part;  ///< "pools" or "agents"; empty: of the run
  std::string of;    ///< which one
  std::string key;   ///< of summary.json: "attainment", "watts_mean", "prefix_hit_rate"
  double base = 0, other = 0;
};

/// A limit by which the runs were judged differently, of all agents or of one. Attainments then differ for that, too.
struct LevelDifference {
  std::string agent;  ///< empty: of all
  std::string key;  ///< of slo: "ttft_s", "attainment"; "judged_by_itself": 1 where slo/agents names the agent, else 0
  std::optional<double> base, other;  ///< none: no limit
};

struct Comparison {
  struct Other {
    std::string folder;
    bool partial = false;                 ///< the run was interrupted before its end
    std::vector<RunFigure> run;           ///< those that both summaries have
    std::vector<LevelDifference> levels;  ///< by the manifests; none where one is absent
    PairedTable tasks, calls;
  };
  std::string base;
  bool base_partial = false;
  std::vector<Other> others;
};

/// The first folder is the base. Throws sim::InputError, with file and line, if a table is missing, or a table, a
/// summary or a manifest malformed.
Comparison compare(const std::vector<std::filesystem::path>& folders);

sim::Json to_json(const Comparison& comparison);

}  // namespace tokenyard::analysis
