#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "agents/record/recorded_player.hpp"
#include "analysis/calibrate/measured_table.hpp"
#include "analysis/validate/agentic_sessions.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "platforms/cost/kernel_step_cost.hpp"
#include "platforms/serving/fleet.hpp"
#include "sim/network/analytic_network.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::CallRecord;
using platforms::CallStatus;
using sim::Time;

// Of the servers' logs (experimental/multiturn/vllm_benchmark/results/pareto_input of the data's repository).
constexpr std::int64_t kBlockTokens = 32, kTokensOfTp4 = 1'901'888, kHostBlocks = 143'248;

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// What a client would have written down by the end of the run.
struct Client final : platforms::ServingObserver {
  std::vector<double> ttft_s, itl_s;
  void on_call(const CallRecord& record) override {
    if (record.status != CallStatus::kCompleted) return;
    ttft_s.push_back((record.first_token - record.arrival).seconds());
    if (record.output_tokens > 1)
      itl_s.push_back((record.finish - record.first_token).seconds() / static_cast<double>(record.output_tokens - 1));
  }
};

class EndOfRun final : public sim::EventHandler {
 public:
  explicit EndOfRun(sim::Simulation& simulation) : simulation_(simulation) {}
  void on_event(Time, std::uint64_t) override { simulation_.stop(); }

 private:
  sim::Simulation& simulation_;
};

struct Outcome {
  double hbm = 0, host = 0, ttft_mean_s = 0, ttft_s = 0, itl_mean_s = 0, itl_s = 0;
  std::size_t calls = 0;
};

Outcome simulate(const platforms::ReplicaSpec& spec, bool offload, std::int64_t users, double duration_s,
                 std::vector<agents::RecordedTask> tasks) {
  sim::Simulation simulation;
  sim::Topology topology;
  topology.add_host("server", topology.add_star("star"), {{1e9, {}}, {}});
  sim::AnalyticNetwork network(topology, simulation);
  platforms::PoolOptions pool;
  pool.name = "server";
  pool.cost = std::make_shared<platforms::KernelStepCost>(spec);
  pool.batching.max_num_seqs = 1024;
  pool.batching.max_model_len = spec.model->max_context;
  pool.kv = {.blocks = kTokensOfTp4 / kBlockTokens, .block_size = kBlockTokens};
  const auto chips = static_cast<double>(spec.parallelism.chips());
  if (offload) {
    pool.tiers = {{platforms::KvTierKind::kHost, kHostBlocks, chips * *spec.chip->host_bytes_per_s}};
    pool.tier_bytes_per_token = chips * platforms::kv_bytes_per_token_per_chip(spec);
    pool.nodes = {0};
  }
  pool.hosts = {0};
  std::vector<platforms::PoolOptions> pools;
  pools.push_back(std::move(pool));
  platforms::Fleet fleet(simulation, network, std::move(pools));
  Client client;
  fleet.add_observer(client);
  HeldTasks source(std::move(tasks));
  agents::ReplayPlan plan;
  plan.closed_loop = agents::ClosedLoop{.users = users};
  agents::RecordedPlayer player(simulation, fleet, source, plan, {0}, 1);
  EndOfRun end(simulation);
  sim::Entity entity;
  simulation.schedule(Time::seconds(duration_s), sim::Priority::kStop, entity, end);
  player.start();
  network.run(simulation);
  const platforms::ServingTotals& totals = fleet.tally_of(0).totals;
  const auto prompt = static_cast<double>(totals.prompt_tokens);
  const auto host = static_cast<double>(totals.tier_tokens[0]);
  return {(static_cast<double>(totals.cached_tokens) - host) / prompt,
          host / prompt,
          mean(client.ttft_s),
          median(client.ttft_s),
          mean(client.itl_s),
          median(client.itl_s),
          client.ttft_s.size()};
}

std::string signed_percent(double simulated, double measured) {
  return fmt::format("{:+.0f} %", 100 * (simulated / measured - 1));
}

}  // namespace

std::vector<ValidationTable> validate_agentic_sweep(const std::filesystem::path& data,
                                                    const platforms::Catalog& catalog) {
  const std::filesystem::path path = data / "inferencex_agentic" / "b200_dsr1_fp4_vllm_agentic_runs.csv";
  if (!std::filesystem::exists(path) || !std::filesystem::exists(data / "kv_cache_tester_agentic")) return {};
  const AgenticSessions sessions(data);
  const MeasuredTable runs(path);
  platforms::ReplicaSpec spec;
  spec.chip = catalog.find_chip("b200-sxm");
  spec.model = catalog.find_model("deepseek-r1");
  spec.parallelism = {.tp = 4, .ep = 4};
  spec.weights = platforms::Precision::kFp4;
  spec.kv = platforms::Precision::kFp8;
  spec.host = catalog.find_engine("vllm-0.19")->host;
  std::vector<ValidationTable> tables;
  for (const bool offload : {false, true}) {
    ValidationTable table{
        fmt::format("Agents on 4 x B200, {}", offload ? "600 GiB of KV in host memory" : "KV in HBM alone"),
        "DeepSeek-R1 fp4, vLLM 0.19.1, TP4/EP4; closed loop of users who replay coding sessions.",
        {}};
    for (const std::int64_t users : {1, 2, 4, 8, 12, 16, 24, 32, 48, 64}) {
      for (std::size_t row = 0; row < runs.rows(); ++row) {
        if (runs.number(row, "tp") != 4 || runs.number(row, "users") != static_cast<double>(users) ||
            (runs.text(row, "offload_mode") == "on") != offload)
          continue;
        const std::string run = fmt::format("tp4_bs{}_offload{}", users, offload ? "on" : "off");
        const Outcome o =
            simulate(spec, offload, users, runs.number(row, "duration_seconds"), sessions.play(users, run));
        const auto add = [&](const char* metric, const char* column, double simulated, double scale, const char* unit) {
          const std::optional<double> measured = runs.optional_number(row, column);
          if (!measured) return;
          const bool share = *unit == '\0';
          table.rows.push_back(
              {fmt::format("{} users: {}", users, metric), fmt::format("{:.3f}{}", *measured * scale, unit),
               fmt::format("{:.3f}{}", simulated * scale, unit),
               share ? fmt::format("{:+.3f}", simulated - *measured) : signed_percent(simulated, *measured),
               "nothing of it"});
        };
        add("prompts found in HBM", "server_gpu_cache_hit_rate", o.hbm, 1, "");
        if (offload) add("prompts found in host memory", "server_cpu_cache_hit_rate", o.host, 1, "");
        add("TTFT, median", "median_ttft", o.ttft_s, 1, " s");
        add("TTFT, mean", "mean_ttft", o.ttft_mean_s, 1, " s");
        add("ITL, median", "median_itl", o.itl_s, 1e3, " ms");
        add("requests", "num_requests_successful", static_cast<double>(o.calls), 1, " ");
      }
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace tokenyard::analysis
