#include "analysis/demand/sizing.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

TEST_CASE("A sizing is read back, and what lacks a part of one or has another type there is none") {
  Sizing sizing;
  sizing.met = true;
  sizing.chips = sizing.nodes = sizing.chips_per_node = 4;
  sizing.pools = {{"main", {4, 1, 1, 1}, 256, 1}};
  for (const char* key : {"tasks_per_s", "calls_per_s", "output_tokens_per_s", "total_tokens_per_s", "watts",
                          "tokens_per_task", "ttft_p95_s", "tpot_p95_s", "task_p95_s", "attainment_half_width"})
    sizing.figures[key] = nullptr;
  sizing.figures["attainment"] = 1.0;
  const Json json = sizing.to_json();
  REQUIRE(Sizing::from_json(json));
  CHECK(Sizing::from_json(json)->to_json() == json);

  for (const auto& [key, value] : json.items()) {
    INFO(key);
    Json without = json, of_a_type = json;
    without.erase(key);
    CHECK(!Sizing::from_json(without));
    of_a_type[key] = Json::array({Json::object()});
    if (key != "why_not" && key != "missed_with_less" && key != "step_time_uncertainty")
      CHECK(!Sizing::from_json(of_a_type));
  }
  for (const auto& [key, value] : json["figures"].items()) {
    INFO(key);
    Json without = json, of_a_type = json;
    without["figures"].erase(key);
    CHECK(!Sizing::from_json(without));
    of_a_type["figures"][key] = "many";
    CHECK(!Sizing::from_json(of_a_type));
  }
  CHECK(!Sizing::from_json(Json()));
  CHECK(!Sizing::from_json(7));
}
