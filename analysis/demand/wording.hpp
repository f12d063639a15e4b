#pragma once
/// The words of the answer to a demand.

#include <string>
#include <utility>
#include <vector>

#include "analysis/demand/demand.hpp"
#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {

/// "4 tasks/s (11.6 G tokens a month)", "5,000 users" of a closed loop, whose rate differs from chip to chip.
std::string work_text(const Demand& demand);
/// "95 % of the calls within TTFT ≤ 2 s, TPOT ≤ 50 ms; of voice's calls within TTFT ≤ 400 ms".
std::string level_text(const Slo& slo);
/// How one replica is divided: "tp", and what else is above 1.
std::vector<std::pair<const char*, std::int64_t>> degrees_of(const platforms::Parallelism& parallelism);
/// "4×tp2 2×tp1pp2ep8": of each pool, in the order of the scenario, replicas × how one is divided.
std::string pools_text(const Sizing& sizing);
/// "17–27", "17–?" where no number will do at the longer step times.
std::string ends_text(const ChipBand& band);
/// "21", "≤ 21" where smaller sizes may do, "21 (17–27)" where step times are uncertain.
std::string chips_text(const DemandEntry& entry);
/// "99.1 ±0.2 %" of the work within the level, over the seeds.
std::string attainment_text(const Sizing& sizing);
std::string power_text(const std::optional<double>& megawatts);
/// "21", "21 (17–27)", "never (…)".
std::string banded_text(const std::optional<Banded>& value, Unit unit);
using FigureOf = std::optional<double> (*)(const DemandEntry&);
/// The kind with least of something, of those that meet the level; null if nobody knows.
const DemandEntry* least_of(const Demand& demand, FigureOf figure);
/// One sentence: which kind needs fewest chips, which costs least, which draws least power; or that none can do it, and
/// why.
std::string answer_text(const Demand& demand);

}  // namespace tokenyard::analysis
