#include "analysis/demand/wording.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("Demand: a level in words tells calls from tasks, and agents' own limits from those of all") {
  Slo slo{.limits = {.ttft_s = 2, .e2e_s = 20, .task_s = 1800}};
  CHECK(level_text(slo) ==
        "95\u00a0% of the calls within TTFT ≤ 2\u00a0s, call ≤ 20\u00a0s and of the tasks within task ≤ 30\u00a0min");
  slo.limits = {};
  slo.agents = {{"voice", {.ttft_s = 0.4}}, {"chat", {}}, {"reports", {.task_s = 3600}}};
  CHECK(level_text(slo) ==
        "95\u00a0% of voice's calls within TTFT ≤ 400\u00a0ms; of reports's tasks within task ≤ 60\u00a0min");
}

TEST_CASE("Demand: a number of chips says whether fewer may do, and its ends where step times are uncertain") {
  DemandEntry entry;
  entry.deployment.cell.chips = 21;
  CHECK(chips_text(entry) == "21");
  entry.band = ChipBand{0.25, 17, 27};
  CHECK(chips_text(entry) == "21 (17–27)");
  entry.band->high.reset();
  entry.deployment.cell.proven = false;
  CHECK(chips_text(entry) == "≤ 21 (17–?)");
}

TEST_CASE("Demand: pools in words name the degrees above one, and tp") {
  Sizing sizing;
  sizing.pools = {{.name = "a", .parallelism = {2, 1, 1, 1}, .replicas = 4},
                  {.name = "b", .parallelism = {1, 2, 1, 8}, .replicas = 2}};
  CHECK(pools_text(sizing) == "4×tp2 2×tp1pp2ep8");
}
