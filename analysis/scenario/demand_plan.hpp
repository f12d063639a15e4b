#pragma once
/// The `demand` of a scenario: how much work there is to be served, on which kinds of chips, and what to assume of
/// them. `tokenyard demand` reads it; a run does not.
///
///   {"tasks_per_s": 40,                    // or "tokens_per_month": 4.8e14, prompt and output together; default: the
///   workload's own
///    "growth": {"factor_per_year": 50, "months": 12, "step_months": 3},
///    "cell_tasks_per_s": 4,                // demand beyond twice this is served by cells of this size; default: the
///    workload's rate "duration_s": 1200, "warmup_s": 300,  // of each simulation; default: the run's "chips":
///    ["h100-sxm", "tpu-v7"],      // default: those of the pools "tp": [1, 2, 4, 8],                   // default:
///    powers of two up to a node "max_num_seqs": [64, 256],            // batch limits to try; default: the pool's
///    "assume": {"tpu-v7": {"usd_per_chip_hour": 3, "watts_per_chip": 900, "chips_per_node": 64}}}

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct DemandPlan {
  struct Growth {
    double factor_per_year = 1;
    std::int64_t months = 12, step_months = 3;
  };
  /// What the user says of a chip; it wins over the catalogue and is marked in the answer.
  struct Assumption {
    std::optional<double> usd_per_chip_hour;
    std::optional<double> watts_per_chip;  ///< mean, before PUE
    std::optional<std::int64_t> chips_per_node;
  };

  std::optional<double> tasks_per_s, tokens_per_month;  ///< at most one
  std::optional<Growth> growth;
  std::optional<double> cell_tasks_per_s, duration_s, warmup_s;
  std::vector<std::string> chips;
  std::vector<std::int64_t> tp, max_num_seqs;
  std::map<std::string, Assumption> assume;

  static DemandPlan read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::analysis
