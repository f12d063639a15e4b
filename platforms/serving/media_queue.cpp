#include "platforms/serving/media_queue.hpp"

#include <fmt/format.h>

#include "sim/input/faults.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Int128;
using sim::Time;

namespace {

constexpr double kLongestS = 30 * 86400;

}  // namespace

MediaQueue::MediaQueue(sim::Simulation& simulation, ReplicaOwner& owner, const MediaCost& cost,
                       const std::optional<StepPower>& power, std::uint32_t pool, std::uint32_t replicas,
                       std::uint64_t entity)
    : simulation_(simulation),
      owner_(owner),
      calls_(owner.calls()),
      cost_(cost),
      power_(power),
      pool_(pool),
      servers_(replicas) {
  entity_.id = entity;
  for (std::uint32_t i = 0; i < replicas; ++i) idle_.push(i);
}

void MediaQueue::submit(std::uint32_t call) {
  calls_[call].mark = simulation_.now();
  if (idle_.empty()) {
    waiting_.push_back(call);
    return;
  }
  const std::uint32_t replica = idle_.top();
  idle_.pop();
  begin(replica, call);
}

void MediaQueue::begin(std::uint32_t replica, std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Time now = simulation_.now();
  call.record.replica = replica;
  call.record.scheduled = now;
  call.account(Cause::kQueue, now);
  const MediaOrder& order = call.request.media;
  const MediaStep step = cost_.step({order.width, order.height, order.frames});
  servers_[replica] = {index, now, Int128{step.ticks} * order.steps, Int128{step.flop} * order.steps};
  if (power_ && power_->limited()) {
    const StepWork work{.busy_s = FineTime(Int128{step.ticks}).seconds(), .flop = static_cast<double>(step.flop)};
    servers_[replica].above_limit_pj = Int128{std::max<std::int64_t>(0, power_->above_limit_pj(work))} * order.steps;
  }
  if (step.ticks == sim::kMostCounted || FineTime(servers_[replica].ticks).seconds() > kLongestS) {
    throw sim::Infeasible(fmt::format(
        "A call for {} frames of {} x {} pixels in {} steps takes more than 1,000 s a step or a month in all.",
        order.frames, order.width, order.height, order.steps));
  }
  simulation_.schedule((FineTime(now) + FineTime(servers_[replica].ticks)).published(), sim::Priority::kStepEnd,
                       entity_, *this, replica);
}

void MediaQueue::on_event(Time now, std::uint64_t argument) {
  const auto replica = static_cast<std::uint32_t>(argument);
  const Server done = servers_[replica];
  servers_[replica] = {};
  ActiveCall& call = calls_[done.call];
  call.account(Cause::kMedia, now);
  call.record.finish = now;
  call.record.status = CallStatus::kCompleted;
  ServingTotals& all = owner_.tally(pool_).totals;
  all.above_limit_pj += done.above_limit_pj;
  StepTotals& totals = all.without_prompts;
  totals.busy_ticks += done.ticks;
  totals.bound_ticks[Bound::kCompute] += done.ticks;
  totals.flop += done.flop;
  totals.steps += call.request.media.steps;
  if (ServingObserver* observer = owner_.observer()) {
    BatchPhase phase{pool_, replica, done.begin, now};
    phase.decoding = 1;
    phase.steps = call.request.media.steps;
    observer->on_batch_phase(phase);
  }
  if (waiting_.empty()) {
    idle_.push(replica);
  } else {
    const std::uint32_t next = waiting_.front();
    waiting_.pop_front();
    begin(replica, next);
  }
  owner_.on_completed(done.call);
}

std::vector<std::uint32_t> MediaQueue::abandon() {
  std::vector<std::uint32_t> left(waiting_.begin(), waiting_.end());
  waiting_.clear();
  for (const Server& server : servers_) {
    if (server.call != ActiveCall::kNone) left.push_back(server.call);
  }
  const Time now = simulation_.now();
  for (const std::uint32_t index : left) {
    ActiveCall& call = calls_[index];
    call.account(call.record.scheduled == CallRecord::kNoTime ? Cause::kQueue : Cause::kMedia, now);
    call.record.finish = now;
    call.record.status = CallStatus::kUnfinished;
  }
  return left;
}

ServingTotals MediaQueue::share_in_progress() const {
  ServingTotals share;
  for (const Server& server : servers_) {
    if (server.call == ActiveCall::kNone) continue;
    const Int128 elapsed = std::min(FineTime(simulation_.now() - server.begin).ticks(), server.ticks);
    const double part = static_cast<double>(elapsed) / static_cast<double>(server.ticks);
    StepTotals& of = share.without_prompts;
    of.busy_ticks += elapsed;
    of.bound_ticks[Bound::kCompute] += elapsed;
    of.flop += static_cast<Int128>(static_cast<double>(server.flop) * part);
    share.above_limit_pj += static_cast<Int128>(static_cast<double>(server.above_limit_pj) * part);
  }
  return share;
}

}  // namespace tokenyard::platforms
