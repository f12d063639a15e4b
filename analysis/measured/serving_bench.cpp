#include "analysis/measured/serving_bench.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

#include "platforms/cost/replica_memory.hpp"
#include "platforms/serving/fleet.hpp"
#include "sim/network/analytic_network.hpp"
#include "sim/random/stream.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::CallRecord;
using sim::Time;

/// Sends requests and notes what became of them.
class Client final : public sim::EventHandler, public platforms::CallListener {
 public:
  Client(sim::Simulation& simulation, platforms::Fleet& fleet) : simulation_(simulation), fleet_(fleet) {}

  void send_at(Time date, const TimedRequest& request) {
    requests_.push_back(request);
    simulation_.schedule(date, sim::Priority::kArrival, entity_, *this, requests_.size() - 1);
  }
  void loop(const BenchLoad& load, std::int64_t requests) {
    load_ = &load;
    to_send_ = requests;
    for (std::int64_t i = 0; i < std::min(load.users, requests); ++i) next(Time());
  }

  void on_event(Time now, std::uint64_t argument) override {
    const TimedRequest& request = requests_[argument];
    prompts_.push_back({0, request.prompt_tokens});
    platforms::CallRequest call;
    call.task = call.entity = argument;
    call.prompt = {&prompts_.back(), 1};
    call.output_tokens = request.output_tokens;
    call.listener = this;
    call.cookie = argument;
    served.resize(std::max(served.size(), static_cast<std::size_t>(argument) + 1));
    served[argument].arrival_s = now.seconds();
    fleet_.submit(call);
  }
  void on_call_end(const CallRecord& record, std::uint64_t cookie) override {
    ServedCall& call = served[cookie];
    if (record.first_token != CallRecord::kNoTime) {
      call.ttft_s = (record.first_token - record.arrival).seconds();
      call.e2e_s = (record.finish - record.arrival).seconds();
      if (record.output_tokens > 1) {
        call.tpot_s = (record.finish - record.first_token).seconds() / static_cast<double>(record.output_tokens - 1);
      }
    }
    ++ended;
    last = record.finish;
    if (load_ != nullptr) {
      if (ended == 2 * static_cast<std::size_t>(load_->users)) steady_from = mark();
      if (to_send_ == 1) steady_to = mark();
      sim::Stream pause(1, sim::StreamName("turnaround"), cookie);
      next(record.finish + Time::seconds(load_->turnaround_s * pause.exponential()));
    }
  }

  std::vector<ServedCall> served;
  std::size_t ended = 0;
  Time last;
  ServingResult::Mark steady_from, steady_to;

 private:
  /// A call ends with a step: the totals are those of whole steps.
  ServingResult::Mark mark() {
    fleet_.settle();
    return {last.seconds(), fleet_.tally_of(0).totals};
  }
  void next(Time date) {
    if (to_send_ == 0) return;
    --to_send_;
    sim::Stream length(1, sim::StreamName("length"), requests_.size());
    const auto tokens = [](platforms::Tokens longest, double share) {
      return std::max<platforms::Tokens>(1, std::llround(static_cast<double>(longest) * share));
    };
    const auto uniform = [&] { return load_->shortest + (1 - load_->shortest) * length.uniform(); };
    const platforms::Tokens prompt = tokens(load_->prompt_tokens, uniform());
    const std::vector<double>& shares = load_->length_shares;
    const double share = shares.empty() ? uniform() : shares[length.below(shares.size())];
    send_at(date, {date.seconds(), prompt, tokens(load_->output_tokens, share)});
  }

  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  sim::Entity entity_{1};
  std::vector<TimedRequest> requests_;
  std::deque<platforms::Extent> prompts_;
  const BenchLoad* load_ = nullptr;
  std::int64_t to_send_ = 0;
};

class Watch final : public sim::EventHandler {
 public:
  Watch(sim::Simulation& simulation, platforms::Fleet& fleet, const Client& client, std::size_t requests)
      : simulation_(simulation), fleet_(fleet), client_(client), requests_(requests) {
    simulation_.schedule(Time::seconds(1), sim::Priority::kObserve, entity_, *this);
  }
  void on_event(Time now, std::uint64_t) override {
    ServingResult::Sample& sum = samples.emplace_back();
    for (std::size_t rank = 0; rank < fleet_.replicas(0); ++rank) {
      platforms::Replica& replica = fleet_.replica(0, rank);
      replica.settle();
      sum.running += replica.running();
      sum.waiting += replica.waiting();
      sum.kv_blocks += replica.kv().used_blocks();
    }
    if (client_.ended < requests_)
      simulation_.schedule(now + Time::seconds(1), sim::Priority::kObserve, entity_, *this);
  }
  std::vector<ServingResult::Sample> samples;

 private:
  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  const Client& client_;
  std::size_t requests_;
  sim::Entity entity_{2};
};

template <typename Start>
ServingResult run(const ServingBench& bench, std::size_t requests, bool sampled, const Start& start) {
  sim::Topology topology;
  const sim::HostId host = topology.add_host("replica", topology.add_star("network"), {});
  sim::Simulation simulation;
  sim::AnalyticNetwork network(topology, simulation);
  platforms::PoolOptions pool;
  pool.name = "bench";
  pool.ranks = bench.ranks;
  pool.in_step = bench.in_step;
  pool.cost = bench.cost;
  pool.batching = bench.batching;
  pool.kv = bench.kv;
  pool.tokenize_s_per_token = bench.tokenize_s_per_token;
  pool.hosts = {host};
  platforms::Fleet fleet(simulation, network, {pool});
  Client client(simulation, fleet);
  std::optional<Watch> watch;
  if (sampled) watch.emplace(simulation, fleet, client, requests);
  start(client);
  simulation.run();
  fleet.settle();
  ServingResult result;
  result.calls = std::move(client.served);
  result.totals = fleet.tally_of(0).totals;
  result.span_s = client.last.seconds();
  result.itl_p50_s = fleet.tally_of(0).itl.quantile_s(0.5).value_or(0);
  result.steady_from = client.steady_from;
  result.steady_to = client.steady_to;
  if (watch) result.samples = std::move(watch->samples);
  return result;
}

}  // namespace

ServingResult ServingBench::closed_loop(const BenchLoad& load) const {
  const std::int64_t requests = load.requests > 0 ? load.requests : 10 * load.users;
  return run(*this, static_cast<std::size_t>(requests), false, [&](Client& client) { client.loop(load, requests); });
}

ServingResult ServingBench::replay(const std::vector<TimedRequest>& requests, bool sampled) const {
  return run(*this, requests.size(), sampled, [&](Client& client) {
    for (const TimedRequest& request : requests) client.send_at(Time::seconds(request.arrival_s), request);
  });
}

std::optional<ServingBench> bench_of(const platforms::EngineDefaults& engine, const platforms::ReplicaSpec& spec,
                                     std::optional<double> memory_utilization) {
  if (!platforms::missing_numbers(spec).empty()) return {};
  const double tokens = platforms::kv_capacity_tokens(spec, memory_utilization.value_or(engine.gpu_memory_utilization),
                                                      engine.reserved_bytes);
  if (tokens <= 0) return {};
  ServingBench bench;
  bench.ranks = static_cast<std::uint32_t>(spec.parallelism.dp);
  bench.in_step = spec.model->moe.has_value();
  bench.batching.max_num_seqs = static_cast<std::int32_t>(engine.max_num_seqs);
  bench.batching.max_num_batched_tokens = engine.budget_on(*spec.chip);
  bench.batching.chunked_prefill = engine.enable_chunked_prefill;
  bench.batching.mixed_chunk = engine.enable_mixed_chunk;
  bench.batching.scheduler_reserve_full_isl = engine.scheduler_reserve_full_isl;
  bench.batching.output_reserve = engine.output_reserve;
  bench.batching.async_scheduling = engine.host.asynchronous;
  bench.batching.one_prompt = engine.static_shapes;
  if (engine.max_model_len) bench.batching.max_model_len = *engine.max_model_len;
  bench.kv.block_size = engine.block_size;
  bench.kv.blocks = static_cast<std::int64_t>(tokens) / engine.block_size;
  bench.kv.bounded = platforms::bounded_kv(spec);
  bench.tokenize_s_per_token = engine.host.prompt_token_s;
  return bench;
}

}  // namespace tokenyard::analysis
