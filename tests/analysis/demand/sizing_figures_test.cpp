#include "analysis/demand/sizing_figures.hpp"

#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

TEST_CASE("Tokens per task are those of whole tasks, whether the run drains or not") {
  const auto tokens = [](const std::string& drain) {
    const ResultFolder folder("tokens-per-task");
    const Json summary = simulate_text(R"({
        "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
        "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 2}],
        "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 1},
                                {"agent": "swe-bench", "rate_per_s": 0.02}]},
        "run": {"duration_s": 3000, "warmup_s": 600, "drain": )" +
                                           drain + "}}",
                                       folder);
    CHECK((summary["counts"]["tasks_unfinished"] > 0) == (drain == "false"));
    return tokens_per_task(summary).get<double>();
  };
  CHECK(tokens("false") == Approx(tokens("true")).epsilon(0.03));
}

TEST_CASE("Tokens per task follow the mix in which tasks arrive, and are unknown of no task") {
  const Json agents = {
      {"brief", {{"tasks", 30}, {"prompt_tokens_per_task", 90.0}, {"output_tokens_per_task", 10.0}}},
      {"long", {{"tasks", 10}, {"prompt_tokens_per_task", 800.0}, {"output_tokens_per_task", 100.0}}},
      {"never", {{"tasks", 5}, {"prompt_tokens_per_task", nullptr}, {"output_tokens_per_task", nullptr}}}};
  Json counts = {{"tasks", 45}, {"tasks_unfinished", 9}, {"prompt_tokens", 1}, {"output_tokens", 1}};
  CHECK(tokens_per_task({{"counts", counts}, {"agents", agents}}) == (30 * 100.0 + 10 * 900.0) / 40);
  counts["tasks"] = 0;
  CHECK(tokens_per_task({{"counts", counts}, {"agents", agents}}).is_null());
}
