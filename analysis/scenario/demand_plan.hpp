#pragma once
/// The `demand` of a scenario: how much work there is to be served, on which kinds of chips, and what to assume of
/// them. `tokenyard demand` reads it; a run does not.
///
///   {"tasks_per_s": 40,                  // or "tokens_per_month": 4.8e14; default: the workload's own
///    "growth": {"factor_per_year": 50, "months": 12, "step_months": 3},
///    "cell_tasks_per_s": 4,              // beyond twice this, cells of this size; default: the workload's rate
///    "duration_s": 1200, "warmup_s": 300,  // of each simulation; default: the run's
///    "chips": ["h100-sxm", "tpu-v7"],    // default: those of the pools
///    "tp": [1, 2, 4, 8],                 // default: powers of two up to a node
///    "pp": [1, 2],                       // default: 1; more over PCI Express, and where no node holds the model
///    "ep": [1, 8],                       // default: 1, and of a model with experts as many as tp
///    "max_num_seqs": [64, 256],          // batch limits to try; default: the pool's
///    "whole_nodes": true,                // chips are rented and bought by the node
///    "own": {"years": 5, "capital_rate": 0.1, "server_share": 0.6},   // what the chips cost if bought, too
///    "assume": {"tpu-v7": {"usd_per_chip_hour": 3, "watts_per_chip": 900, "chips_per_node": 64,
///                          "usd_per_chip": 12000, "design_usd": 7e8, "available_chips": 4e5}}}

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
  /// Chips bought with borrowed money, with `server_share` of their price for server, network and building.
  struct Own {
    // The defaults are assumed: depreciation that cloud companies report is 4 to 6 years; an H100 that InferenceX-app's
    // constants put at $1.30 an hour if owned comes to 1.6 times its price alone (docs: asic-break-even).
    double years = 5, capital_rate = 0.1, server_share = 0.6;
  };
  /// What the user says of a chip; it wins over the catalogue and is marked in the answer.
  struct Assumption {
    std::optional<double> usd_per_chip_hour;
    std::optional<double> watts_per_chip;  ///< mean, before PUE
    std::optional<std::int64_t> chips_per_node;
    std::optional<double> usd_per_chip;     ///< to buy
    std::optional<double> design_usd;       ///< up front, of a chip of one's own
    std::optional<double> available_chips;  ///< in place of those made so far
  };

  std::optional<double> tasks_per_s, tokens_per_month;  ///< at most one
  std::optional<Growth> growth;
  std::optional<double> cell_tasks_per_s, duration_s, warmup_s;
  std::vector<std::string> chips;
  std::vector<std::int64_t> tp, pp, ep, max_num_seqs;
  bool whole_nodes = false;
  std::optional<Own> own;
  std::map<std::string, Assumption> assume;

  static DemandPlan read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::analysis
