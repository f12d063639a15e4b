#pragma once
/// How many chips a demand needs, on each kind of chip: sizing, scaling, power and money side by side.
///
/// The demand is the workload at another rate, its mix of work unchanged. Up to twice `cell_tasks_per_s` it is
/// simulated whole. Beyond, it is served by equal *cells* that share nothing. Cells may stand for one large cluster
/// only if size brings nothing: a cell twice as large must need no fewer chips per task, within one replica, as
/// replicas come whole; and one replica must be at most a tenth of it, or the comparison would show nothing. Where this
/// fails, cells are doubled, up to four times; what may still be gained then is reported as `saving_of_twice` and
/// `coarseness`.
///
/// A trace has one rate, its own; /workload/trace/speed changes it.
///
/// A size must hold in twice the time that it was found in (size_search.hpp); else it is sought again in twice the time,
/// up to sixteen times the scenario's.
///
/// Step times of a chip without kernel data are uncertain by what its entry says: it is sized at both ends, too, each
/// pool run in the way found. Tools and people grow with the rate (capacities are rounded up). Kinds of chips, pools
/// and simulations go side by side in threads, on the analytic network; the result does not depend on how many. Sizings
/// are kept in a cache: prices, power and PUE may change without another simulation.
///
///   Demand demand = find_demand(scenario, catalog, chips, {.cache = Cache(folder), .key = …});
///   demand.entries[0].economics.usd_per_task;

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/demand/cache.hpp"
#include "analysis/demand/economics.hpp"
#include "analysis/demand/size_search.hpp"

namespace tokenyard::analysis {

/// 365.25 / 12 days.
inline constexpr double kSecondsPerMonth = 365.25 / 12 * 86400;

/// Arrivals of tasks and requests per second, closed loops aside; 0: a trace, or users alone.
double rate_of(const Scenario& scenario);

struct DemandEntry;

struct DemandProgress {
  std::size_t chips_done = 0, chips = 0, simulations = 0;
  std::string working_on;                 ///< kinds of chips, "h100-sxm, tpu-v7"
  const DemandEntry* finished = nullptr;  ///< the kind that has just been sized
};

struct DemandOptions {
  SizingOptions sizing;
  bool bands = true;  ///< size chips at the ends of their step times' uncertainty, too
  Cache cache;
  /// Identifies the scenario, the user's catalogues and the program: a sizing is kept in the cache under this, its chip
  /// and its rate.
  sim::Json key;
  std::function<void(const DemandProgress&)> progress;  ///< one thread at a time
};

/// A demand on one kind of chip.
struct Deployment {
  Sizing cell;
  double cells = 1;
  double cell_tasks_per_s = 0;  ///< arrivals; of a closed loop, as simulated
  // Of more cells than one:
  std::optional<bool> independent;        ///< twice the cell needs as many chips per task
  std::optional<double> saving_of_twice;  ///< the share by which it needs fewer
  std::optional<double> coarseness;       ///< the share of it that one replica is
  std::string why_not_twice;              ///< no size of it was found: none of the three is known
  double chips() const { return static_cast<double>(cell.chips) * cells; }
  double nodes() const { return static_cast<double>(cell.nodes) * cells; }
  /// What is paid for: `chips`, or all of the nodes.
  double rented(bool whole_nodes) const {
    return whole_nodes ? nodes() * static_cast<double>(cell.chips_per_node) : chips();
  }
};

/// Chips at the ends of the step times' uncertainty.
struct ChipBand {
  double uncertainty = 0;      ///< relative, of step times
  double low = 0;              ///< at the shorter ones
  std::optional<double> high;  ///< at the longer ones; nothing if no number will do
};

struct DemandEntry {
  const platforms::Chip* chip = nullptr;
  Deployment deployment;
  std::optional<ChipBand> band;  ///< of an extrapolated chip
  Prices prices;
  Economics economics;
  std::optional<Ownership> ownership;  ///< where the scenario asks for it
  std::optional<Supply> supply;        ///< where it is known
  bool on_front = false;               ///< no other kind has at most its chips, power and money, and less of one
  struct Point {
    std::int64_t month = 0;
    double tasks_per_s = 0;
    Deployment deployment;
    Economics economics;
  };
  std::vector<Point> growth;
  std::size_t simulations = 0;  ///< run by this call; 0: all came from the cache
};

struct Demand {
  double tasks_per_s = 0;                 ///< asked for; of a closed loop, as the first kind that meets the level does
  std::optional<double> users;            ///< of closed loops, whose rate each kind of chip sets for itself
  bool arrivals = true;                   ///< of tasks at a rate of their own, besides
  std::optional<double> tokens_per_task;  ///< prompt and output, as simulated
  std::string level;                      ///< "95 % of the calls within TTFT ≤ 2 s, TPOT ≤ 50 ms"
  double pue = 1;
  bool whole_nodes = false;
  std::vector<DemandEntry> entries;  ///< in the order asked for
  std::string answer;                ///< one sentence
  bool met() const;
  /// Prompt and output; nothing where `tokens_per_task` is not known.
  std::optional<double> tokens_per_month() const;
};

/// The scenario's own `demand` says how much. `catalog` knows what is assumed of the chips.
Demand find_demand(const Scenario& scenario, const platforms::Catalog& catalog,
                   const std::vector<const platforms::Chip*>& chips, const DemandOptions& options);

/// demand.json, and demand.csv with a line per kind of chip.
sim::Json to_json(const Demand& demand, const Scenario& scenario);
std::string to_csv(const Demand& demand);

}  // namespace tokenyard::analysis
