#pragma once
/// The words of the answer to a demand.

#include <string>

#include "analysis/demand/demand.hpp"
#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {

/// "95 % of the calls within TTFT ≤ 2 s, TPOT ≤ 50 ms; of voice's calls within TTFT ≤ 400 ms".
std::string level_text(const Slo& slo);
/// "4×tp2 2×tp1pp2ep8": of each pool, in the order of the scenario, replicas × how one is divided.
std::string pools_text(const Sizing& sizing);
/// "21", "21 (17–27)", "never (…)".
std::string banded_text(const std::optional<Banded>& value, Unit unit);
/// One sentence: which kind needs fewest chips, which costs least, which draws least power; or that none can do it, and
/// why.
std::string answer_text(const Demand& demand);

}  // namespace tokenyard::analysis
