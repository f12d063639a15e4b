/// A scenario's cluster, seen in its results: KV moves, and tensor-parallel groups add up, over the links that the
/// cluster has.

#include "sim/network/analytic_network.hpp"
#include "tests/analysis/run/in_process.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

namespace {

/// One request of 1000 tokens that makes 11.
class OneRequest final : public agents::RequestSource {
 public:
  bool next(agents::RecordedRequest& request) override {
    if (given_) return false;
    given_ = true;
    request = {};
    request.prompt.push_back({1, 1000});
    request.output_tokens = 11;
    return true;
  }

 private:
  bool given_ = false;
};

sim::Json one_request(const std::string& name, const std::string& cluster, const std::string& pools) {
  const ResultFolder folder(name);
  OneRequest source;
  return simulate_text(R"({"cluster": )" + cluster + R"(, "pools": )" + pools + "}", folder, {}, &source);
}

/// Llama-3.1-8B: 32 layers of 8 heads of 128, keys and values, 2 bytes.
constexpr double kKvBytes = 1000 * 131072.0;

double kv_transfer_s(const std::string& cluster, int tp = 8) {
  const std::string pools =
      R"([{"name": "p", "model": "llama-3.1-8b", "chip": "h100-sxm", "role": "prefill", "decode_pool": "d", "parallelism": {"tp": TP}},
                                {"name": "d", "model": "llama-3.1-8b", "chip": "h100-sxm", "role": "decode", "parallelism": {"tp": TP}}])";
  std::string with_tp = pools;
  for (std::size_t at = with_tp.find("TP"); at != std::string::npos; at = with_tp.find("TP"))
    with_tp.replace(at, 2, std::to_string(tp));
  const sim::Json summary = one_request("kv", cluster, with_tp);
  CHECK(summary["counts"]["calls_completed"] == 1);
  CHECK(summary["network"]["bytes"] == kKvBytes);
  return summary["causes_s"]["kv_transfer"].get<double>();
}

/// Of a token after the first.
double token_s(const std::string& fabric) {
  const sim::Json summary = one_request(
      "tokens", R"({"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2}]}], "fabric": )" + fabric + "}",
      R"([{"model": "llama-3.1-405b", "chip": "h100-sxm", "parallelism": {"tp": 16}, "precision": {"weights": "fp8", "kv": "fp8"}}])");
  return summary["causes_s"]["decode"].get<double>() / 10;
}

}  // namespace

TEST_CASE("KV moves over the links between the two pools' replicas") {
  const auto one_site = [](const char* nodes, const char* more) {
    return std::string(R"({"sites": [{"nodes": [{"chip": "h100-sxm", )") + nodes + "}]}]" + more + "}";
  };
  // 4 chips and 4 in one node: 4 · 450 GB/s.
  CHECK(kv_transfer_s(one_site(R"("count": 1)", ""), 4) == Approx(2e-6 + kKvBytes / (4 * 450e9)).margin(2e-9));
  // 8 NICs of 50 GB/s.
  CHECK(kv_transfer_s(one_site(R"("count": 2)", "")) == Approx(5e-6 + kKvBytes / (8 * 50e9)).margin(2e-9));
  CHECK(kv_transfer_s(one_site(R"("count": 2)", R"(, "fabric": {"bytes_per_s": 1e9, "latency_s": 1e-3})")) ==
        Approx(1e-3 + kKvBytes / 1e9).margin(2e-9));
  CHECK(
      kv_transfer_s(
          R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}, {"nodes": [{"chip": "h100-sxm"}]}], "wan": {"bytes_per_s": 1e10, "latency_s": 0.01}})") ==
      Approx(5e-6 + 0.01 + kKvBytes / 1e10).margin(2e-9));
}

TEST_CASE("A tensor-parallel group on two nodes pays its all-reduces over the fabric") {
  // Llama-3.1-405B: 126 layers with two all-reduces of 16384 values of 2 bytes for a token; each ring between two nodes
  // has 2 steps of 1/2 of 1/8 of it. A chip's share of the fabric is an eighth.
  const double fast = token_s(R"({"bytes_per_s": 8e9, "latency_s": 1e-5})");
  const double bytes = 2 * 126 * 2 * (2 * 16384.0) / 16;
  CHECK(token_s(R"({"bytes_per_s": 8e8, "latency_s": 1e-5})") - fast ==
        Approx(bytes / 1e8 - bytes / 1e9).epsilon(1e-6));
  CHECK(token_s(R"({"bytes_per_s": 8e9, "latency_s": 1e-3})") - fast ==
        Approx(2 * 126 * 2 * (1e-3 - 1e-5)).epsilon(1e-6));
}

TEST_CASE("More transfers at once than a network simulates well are noted, with what helps") {
  class SoonCrowded final : public sim::AnalyticNetwork {
    using AnalyticNetwork::AnalyticNetwork;
    std::size_t cheap_flows() const override { return 3; }
  };
  // 20 prompts of 131 MB a second want to cross a link of 1 GB/s.
  const Scenario scenario = read_scenario(R"({
    "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2}]}], "fabric": {"bytes_per_s": 1e9}},
    "pools": [{"name": "p", "model": "llama-3.1-8b", "chip": "h100-sxm", "role": "prefill", "decode_pool": "d", "replicas": 8},
              {"name": "d", "model": "llama-3.1-8b", "chip": "h100-sxm", "role": "decode", "replicas": 8}],
    "workload": {"requests": {"rate_per_s": 20, "prompt_tokens": 1000, "output_tokens": 5}}, "run": {"duration_s": 5}})");
  SimulateOptions options;
  options.make_network = [](const sim::Topology& topology, sim::Simulation& simulation) {
    return std::make_unique<SoonCrowded>(topology, simulation);
  };
  const std::string notes = simulate(scenario, Replay(), options)["notes"].dump();
  CHECK(notes.find("transfers were in flight at once over SimGrid, which simulates up to 3 well") != std::string::npos);
  CHECK(notes.find("fabric/bytes_per_s") != std::string::npos);
  options.make_network = nullptr;
  CHECK(simulate(scenario, Replay(), options)["notes"].dump().find("in flight") == std::string::npos);
}
