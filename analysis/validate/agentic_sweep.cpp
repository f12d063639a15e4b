#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "agents/record/recorded_task_player.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "analysis/validate/agentic_sessions.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "platforms/cost/kernel_step_cost.hpp"
#include "platforms/cost/replica_memory.hpp"
#include "platforms/serving/fleet.hpp"
#include "sim/network/analytic_network.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::CallRecord;
using platforms::CallStatus;
using sim::Time;

// Of the servers' logs (experimental/multiturn/vllm_benchmark/results/pareto_input of the data's repository).
constexpr std::int64_t kBlockTokens = 32, kTokens = 1'901'888, kHostBlocks = 143'248;

/// What a client would have written down by the end of the run.
class Client final : public platforms::ServingObserver {
 public:
  void on_call(const CallRecord& record) override {
    if (record.status != CallStatus::kCompleted) return;
    ttft_s.push_back((record.first_token - record.arrival).seconds());
    prompts.push_back(static_cast<double>(record.prompt_tokens));
    if (record.output_tokens > 1)
      itl_s.push_back((record.finish - record.first_token).seconds() / static_cast<double>(record.output_tokens - 1));
  }
  std::vector<double> ttft_s, itl_s, prompts;
};

class EndOfRun final : public sim::EventHandler {
 public:
  explicit EndOfRun(sim::Simulation& simulation) : simulation_(simulation) {}
  void on_event(Time, std::uint64_t) override { simulation_.stop(); }

 private:
  sim::Simulation& simulation_;
};

struct Outcome {
  double in_hbm = 0;                                ///< of the prompts
  double in_host = 0;                               ///< of what HBM lacks
  double ttft_s = 0, itl_s = 0, prompt_tokens = 0;  ///< medians of the requests that ended
};

class Sweep {
 public:
  Sweep(const std::filesystem::path& data, const std::filesystem::path& runs, const platforms::Catalog& catalog,
        std::int64_t chips)
      : sessions_(data), runs_(runs) {
    spec_.chip = catalog.find_chip("b200-sxm");
    spec_.model = catalog.find_model("deepseek-r1");
    spec_.parallelism = {.tp = chips, .ep = chips};
    spec_.weights = platforms::Precision::kFp4;
    spec_.kv = platforms::Precision::kFp8;
    platforms::serve_with(*catalog.find_engine("vllm-0.19"), spec_);
  }

  std::optional<std::size_t> row(std::int64_t users, bool offload) const {
    for (std::size_t row = 0; row < runs_.rows(); ++row) {
      if (runs_.number(row, "tp") == static_cast<double>(spec_.parallelism.tp) &&
          runs_.number(row, "users") == static_cast<double>(users) &&
          (runs_.text(row, "offload_mode") == "on") == offload)
        return row;
    }
    return {};
  }
  const platforms::ReplicaSpec& spec() const { return spec_; }
  double measured(std::size_t row, const char* column) const { return runs_.number(row, column); }

  Outcome simulate(std::int64_t users, bool offload) const {
    sim::Simulation simulation;
    sim::Topology topology;
    topology.add_host("server", topology.add_star("star"), {{1e9, {}}, {}});
    sim::AnalyticNetwork network(topology, simulation);
    std::vector<platforms::PoolOptions> pools;
    pools.push_back(pool(offload));
    platforms::Fleet fleet(simulation, network, std::move(pools));
    Client client;
    fleet.add_observer(client);
    traces::TaskList source =
        sessions_.play(users, fmt::format("tp{}_bs{}_offload{}", spec_.parallelism.tp, users, offload ? "on" : "off"));
    agents::ReplayPlan plan;
    plan.closed_loop = agents::ClosedLoop{.users = users};
    agents::RecordedTaskPlayer player(simulation, fleet, source, plan, {0}, 1);
    EndOfRun end(simulation);
    sim::Entity entity;
    simulation.schedule(Time::seconds(measured(*row(users, offload), "duration_seconds")), sim::Priority::kStop, entity,
                        end);
    player.start();
    network.run(simulation);
    const platforms::ServingTotals& totals = fleet.tally_of(0).totals;
    const auto prompt = static_cast<double>(totals.prompt_tokens);
    const auto host = static_cast<double>(totals.tier_tokens[0]);
    const double in_hbm = (static_cast<double>(totals.cached_tokens) - host) / prompt;
    return {in_hbm, host / (prompt * (1 - in_hbm)), median_of(client.ttft_s), median_of(client.itl_s),
            median_of(client.prompts)};
  }

 private:
  /// Logged for four chips; more have the room of the weights, too, that a chip no longer holds.
  std::int64_t kv_tokens() const {
    platforms::ReplicaSpec four = spec_;
    four.parallelism = {.tp = 4, .ep = 4};
    const double room = platforms::weight_bytes_per_chip(four) - platforms::weight_bytes_per_chip(spec_);
    return kTokens + static_cast<std::int64_t>(room / platforms::kv_bytes_per_token_per_chip(spec_));
  }
  platforms::PoolOptions pool(bool offload) const {
    platforms::PoolOptions pool;
    pool.name = "server";
    pool.cost = std::make_shared<platforms::KernelStepCost>(spec_);
    pool.batching.max_num_seqs = 1024;
    pool.batching.async_scheduling = spec_.host.asynchronous;
    pool.batching.max_model_len = spec_.model->max_context;
    pool.kv = {.blocks = kv_tokens() / kBlockTokens, .block_size = kBlockTokens};
    pool.tokenize_s_per_token = spec_.host.prompt_token_s;
    pool.hosts = {0};
    if (offload) {
      const auto chips = static_cast<double>(spec_.parallelism.chips());
      pool.tiers = {{platforms::KvTierKind::kHost, kHostBlocks, chips * *spec_.chip->host_bytes_per_s}};
      pool.tier_bytes_per_token = chips * platforms::kv_bytes_per_token_per_chip(spec_);
      pool.nodes = {0};
    }
    return pool;
  }

  AgenticSessions sessions_;
  MeasuredTable runs_;
  platforms::ReplicaSpec spec_;
};

std::string signed_percent(double simulated, double measured) {
  return fmt::format("{:+.0f} %", 100 * (simulated / measured - 1));
}

/// 12 users are left out: their run stood still for a quarter of an hour.
constexpr std::int64_t kUsers[] = {1, 2, 4, 8, 16, 24, 32, 48, 64}, kUsersOfEight[] = {1, 2, 4, 8};

ValidationTable table_of(const Sweep& sweep, std::span<const std::int64_t> of_users, bool offload,
                         const std::string& fitted_on) {
  ValidationTable table;
  std::int64_t real_cliff = 0, model_cliff = 0;
  FitError ttft, itl;  // below the cliff
  for (const std::int64_t users : of_users) {
    const std::optional<std::size_t> row = sweep.row(users, offload);
    if (!row) continue;
    const Outcome o = sweep.simulate(users, offload);
    const auto add = [&](const char* metric, const char* column, double model, double scale, const char* unit) {
      const double real = sweep.measured(*row, column);
      table.rows.push_back({fmt::format("{} users: {}", users, metric), fmt::format("{:.3f}{}", real * scale, unit),
                            fmt::format("{:.3f}{}", model * scale, unit),
                            *unit == '\0' ? fmt::format("{:+.3f}", model - real) : signed_percent(model, real),
                            fitted_on});
    };
    add("share of prompts in HBM", "server_gpu_cache_hit_rate", o.in_hbm, 1, "");
    if (offload) add("in host memory, of the rest", "server_cpu_cache_hit_rate", o.in_host, 1, "");
    add("TTFT, median", "median_ttft", o.ttft_s, 1, " s");
    add("ITL, median", "median_itl", o.itl_s, 1e3, " ms");
    constexpr double kOverTheCliffS = 5;
    if (real_cliff == 0 && sweep.measured(*row, "median_ttft") > kOverTheCliffS) real_cliff = users;
    if (model_cliff == 0 && o.ttft_s > kOverTheCliffS) model_cliff = users;
    if (real_cliff == 0) {
      ttft.add(o.ttft_s, sweep.measured(*row, "median_ttft"));
      itl.add(o.itl_s, sweep.measured(*row, "median_itl"));
    }
  }
  table.served.emplace_back(sweep.spec(), "vllm-0.19");
  table.served.back().tpot = itl;
  table.served.back().ttft = ttft;
  for (const auto& [name, error] :
       {std::pair{"ITL, median, below the cliff", &itl}, {"TTFT, median, below the cliff", &ttft}}) {
    table.rows.insert(table.rows.begin(),
                      {name, fmt::format("{} loads", error->rows()), fmt::format("x {:.3f}", error->bias()),
                       error->summary(), fitted_on, ValidationRow::Glance::kFigure});
  }
  if (real_cliff > 0)
    table.rows.insert(table.rows.begin(), {"users at which half of them wait 5 s and more", std::to_string(real_cliff),
                                           std::to_string(model_cliff), "", fitted_on, ValidationRow::Glance::kFigure});
  return table;
}

}  // namespace

std::vector<ValidationTable> validate_agentic_sweep(const std::filesystem::path& data,
                                                    const platforms::Catalog& catalog) {
  const std::filesystem::path runs = data / "inferencex_agentic" / "b200_dsr1_fp4_vllm_agentic_runs.csv";
  if (!std::filesystem::exists(runs) || !std::filesystem::exists(data / "kv_cache_tester_agentic")) return {};
  const std::string fitted_on = "reading of prompts: one user";
  std::vector<ValidationTable> tables;
  const Sweep four(data, runs, catalog, 4);
  for (const bool offload : {false, true}) {
    tables.push_back(table_of(four, kUsers, offload, fitted_on));
    tables.back().title =
        fmt::format("Agents on 4 B200, KV in {}", offload ? "HBM and 600 GiB of host memory" : "HBM alone");
    tables.back().note =
        "DeepSeek-R1 fp4, KV fp8, vLLM 0.19.1, TP4/EP4; a closed loop of users who replay coding sessions for half an "
        "hour. Beyond the cliff the servers were busy with answers that never ended (24 users with offload: they made "
        "838 k tokens, clients got 527 k), which are not played. Left out: 12 users, whose run stood still for 15 "
        "minutes. The engine's prompt_token_s comes from one user's requests, on 4 and on 8 chips; the rest is fitted "
        "on nothing of these runs.";
  }
  tables.push_back(table_of(Sweep(data, runs, catalog, 8), kUsersOfEight, false, fitted_on));
  tables.back().title = "Agents on 8 B200, KV in HBM alone";
  tables.back().note =
      "As before, TP8/EP8. Left out: 12 users and more, whose runs stood still for 20 minutes. KV has the room, "
      "beside that of four chips, of the weights that a chip no longer holds.";
  return tables;
}

}  // namespace tokenyard::analysis
