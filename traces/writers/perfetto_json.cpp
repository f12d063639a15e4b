#include "traces/writers/perfetto_json.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tokenyard::traces {
namespace {

using agents::NodeVisit;
using agents::TaskRecord;
using platforms::BatchPhase;
using platforms::CallRecord;
using platforms::KvTransfer;
using sim::Time;

constexpr std::uint32_t kFirstAgent = 10'000;
/// Threads of a pool beyond its replicas: transfers, and phases that would not nest.
constexpr std::uint32_t kFurtherLanes = 1'000'000;
constexpr std::uint32_t kFirstTransferLane = 2'000'000;

std::uint32_t pool_pid(std::uint32_t pool) { return 1 + pool; }

Track replica_track(std::uint32_t pool, std::uint32_t replica, std::uint32_t lane) {
  return {pool_pid(pool), 1 + replica + lane * kFurtherLanes};
}

std::string phase_name(const BatchPhase& phase) {
  if (phase.prefill_tokens == 0 && phase.decoding == 0) return "waits for other ranks";
  if (phase.prefill_tokens == 0) return fmt::format("decode x{}", phase.decoding);
  if (phase.decoding == 0) return fmt::format("prefill {}", phase.prefill_tokens);
  return fmt::format("prefill {} + decode x{}", phase.prefill_tokens, phase.decoding);
}

std::string_view phase_category(const BatchPhase& phase) {
  if (phase.prefill_tokens == 0 && phase.decoding == 0) return "wait";
  if (phase.prefill_tokens == 0) return "decode";
  return phase.decoding == 0 ? "prefill" : "mixed";
}

std::string name_of(const std::vector<std::string>& names, std::uint32_t index) {
  return index < names.size() ? names[index] : fmt::format("{}", index);
}

}  // namespace

/// A slice of a task's thread, before threads are known.
struct PerfettoJson::TaskSlice {
  enum class What : std::uint8_t { kTask, kNode, kWait, kQueue, kPrefill, kDecode, kMedia };
  std::uint32_t branch = 0;
  Time begin, end;
  What what = What::kTask;
  std::size_t index = 0;  ///< of the node or call
  const KeptTask* task = nullptr;
};

PerfettoJson::PerfettoJson(const std::filesystem::path& path, const Names& names, const TimelineOptions& options)
    : file_(path, path.extension() == ".gz" ? Compression::kGzip : Compression::kNone),
      names_(names),
      options_(options),
      shelf_(options.max_tasks, options.max_slices - options.max_slices / 2) {}

bool PerfettoJson::in_window(Time begin, Time end) const {
  if (begin >= options_.window_end) return false;
  return end > options_.window_begin || (begin == end && begin >= options_.window_begin);
}

bool PerfettoJson::room_for_replicas() {
  if (phases_.size() + transfers_.size() < options_.max_slices / 2) return true;
  ++replica_slices_out_;
  return false;
}

std::string PerfettoJson::pool_name(std::uint32_t pool) const { return name_of(names_.pools, pool); }

void PerfettoJson::on_batch_phase(const BatchPhase& phase) {
  if (phase.end > phase.begin && in_window(phase.begin, phase.end) && room_for_replicas()) phases_.push_back(phase);
}

void PerfettoJson::on_kv_transfer(const KvTransfer& transfer) {
  handed_over_.try_emplace(transfer.call, Place{transfer.from_pool, transfer.from_replica});
  if (in_window(transfer.begin, transfer.end) && room_for_replicas()) transfers_.push_back(transfer);
}

void PerfettoJson::on_call(const CallRecord& record) {
  Place first{record.pool, record.replica};
  if (!handed_over_.empty()) {
    if (const auto found = handed_over_.find(record.call); found != handed_over_.end()) {
      first = found->second;
      handed_over_.erase(found);
    }
  }
  if (!in_window(record.arrival, record.finish)) return;
  if (KeptTask* task = shelf_.keep(record.agent, record.task, 3)) {
    task->calls.push_back({record, first.pool, first.replica});
  }
}

void PerfettoJson::on_node(const NodeVisit& span) {
  if (!in_window(span.begin, span.end)) return;
  KeptTask* task = shelf_.keep(span.agent, span.task, span.served > span.begin ? 2 : 1);
  if (task == nullptr) return;
  if (span.agent >= labels_.size()) labels_.resize(span.agent + std::size_t{1});
  std::vector<Label>& labels = labels_[span.agent];
  if (span.node >= labels.size()) labels.resize(span.node + std::size_t{1});
  Label& label = labels[span.node];
  if (label.name.empty()) label = {std::string(span.name), std::string(span.kind)};
  task->nodes.push_back({span.node, span.branch, span.begin, span.served, span.end, span.call});
}

void PerfettoJson::on_task(const TaskRecord& record) {
  if (!in_window(record.arrival, record.finish)) return;
  ++tasks_seen_;
  if (KeptTask* task = shelf_.keep(record.agent, record.task, 1)) task->record = record;
}

void PerfettoJson::add(const SeriesRow& row) {
  const auto [last, inserted] = last_row_.try_emplace(row.pool, Time());
  const Time since = last->second;
  last->second = row.time;
  if (!in_window(since, row.time)) return;
  if (4 * counters_.size() >= options_.max_slices) {
    ++counters_out_;
    return;
  }
  counters_.push_back({row, since});
}

std::vector<std::pair<std::string, std::string>> PerfettoJson::other_data() const {
  std::vector<std::pair<std::string, std::string>> other = {
      {"generator", "tokenyard"},
      {"clock", "simulated"},
      {"window_begin_s", fmt::format("{:.9f}", options_.window_begin.seconds())},
      {"tasks", fmt::format("{}", shelf_.tasks())},
      {"tasks_left_out", fmt::format("{}", tasks_seen_ > shelf_.tasks() ? tasks_seen_ - shelf_.tasks() : 0)},
      {"task_events_left_out", fmt::format("{}", shelf_.refused())},
      {"replica_slices", fmt::format("{}", phases_.size() + transfers_.size())},
      {"replica_slices_left_out", fmt::format("{}", replica_slices_out_)},
      {"counter_rows_left_out", fmt::format("{}", counters_out_)}};
  if (options_.window_end != Time::never())
    other.emplace_back("window_end_s", fmt::format("{:.9f}", options_.window_end.seconds()));
  return other;
}

void PerfettoJson::commit() {
  ChromeEvents events(file_, other_data());
  std::vector<std::uint32_t> pools(names_.pools.size());
  for (std::uint32_t p = 0; p < pools.size(); ++p) pools[p] = p;
  for (const BatchPhase& phase : phases_) pools.push_back(phase.pool);
  for (const KvTransfer& transfer : transfers_) pools.push_back(transfer.to_pool);
  for (const Counter& counter : counters_) pools.push_back(counter.row.pool);
  std::sort(pools.begin(), pools.end());
  pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
  for (const std::uint32_t pool : pools) events.process(pool_pid(pool), "pool " + pool_name(pool));
  write_phases(events);
  write_transfers(events);
  write_counters(events);
  for (std::uint32_t agent = 0; agent < shelf_.agents().size(); ++agent) write_agent(events, agent);
  for (const Flow& flow : flows_) {
    events.flow(flow.call, flow.from, flow.at + Time::nanoseconds(1), flow.to, flow.at + Time::nanoseconds(2));
  }
  events.close();
  file_.commit();
}

void PerfettoJson::write_phases(ChromeEvents& events) {
  std::stable_sort(phases_.begin(), phases_.end(), [](const BatchPhase& a, const BatchPhase& b) {
    return std::tie(a.pool, a.replica, a.begin, b.end) < std::tie(b.pool, b.replica, b.begin, a.end);
  });
  phase_lanes_.clear();
  std::vector<Interval> intervals;
  for (std::size_t first = 0; first < phases_.size();) {
    const std::uint32_t pool = phases_[first].pool, replica = phases_[first].replica;
    intervals.clear();
    std::size_t end = first;
    for (; end < phases_.size() && phases_[end].pool == pool && phases_[end].replica == replica; ++end) {
      intervals.push_back({phases_[end].begin, phases_[end].end});
    }
    const std::vector<std::uint32_t> lanes = assign_lanes(intervals, true);
    for (std::uint32_t lane = 0; lane <= *std::max_element(lanes.begin(), lanes.end()); ++lane) {
      events.thread(replica_track(pool, replica, lane),
                    lane == 0 ? fmt::format("replica {}", replica) : fmt::format("replica {} ({})", replica, lane + 1));
    }
    for (std::size_t i = first; i < end; ++i) {
      const BatchPhase& phase = phases_[i];
      events.slice(replica_track(pool, replica, lanes[i - first]), phase_name(phase), phase_category(phase),
                   phase.begin, phase.end);
      events.arg("steps", phase.steps);
      events.arg("decoding", phase.decoding);
      events.arg("prefilling", phase.prefilling);
      events.arg("prefill_tokens", phase.prefill_tokens);
    }
    phase_lanes_.insert(phase_lanes_.end(), lanes.begin(), lanes.end());
    first = end;
  }
}

void PerfettoJson::write_transfers(ChromeEvents& events) {
  std::stable_sort(transfers_.begin(), transfers_.end(), [](const KvTransfer& a, const KvTransfer& b) {
    return std::tie(a.to_pool, a.begin, b.end, a.call) < std::tie(b.to_pool, b.begin, a.end, b.call);
  });
  std::vector<Interval> intervals;
  for (std::size_t first = 0; first < transfers_.size();) {
    const std::uint32_t pool = transfers_[first].to_pool;
    intervals.clear();
    std::size_t end = first;
    for (; end < transfers_.size() && transfers_[end].to_pool == pool; ++end) {
      intervals.push_back({transfers_[end].begin, transfers_[end].end});
    }
    const std::vector<std::uint32_t> lanes = assign_lanes(intervals, false);
    for (std::uint32_t lane = 0; lane <= *std::max_element(lanes.begin(), lanes.end()); ++lane) {
      events.thread({pool_pid(pool), kFirstTransferLane + lane}, fmt::format("kv in {}", lane));
    }
    for (std::size_t i = first; i < end; ++i) {
      const KvTransfer& t = transfers_[i];
      events.slice(
          {pool_pid(pool), kFirstTransferLane + lanes[i - first]},
          fmt::format("kv {}/{} to {}/{}", pool_name(t.from_pool), t.from_replica, pool_name(t.to_pool), t.to_replica),
          "kv_transfer", t.begin, t.end);
      events.arg("call", static_cast<std::int64_t>(t.call));
      events.arg("bytes", std::isfinite(t.bytes) && std::abs(t.bytes) < 9e18 ? std::llround(t.bytes) : 0);
    }
    first = end;
  }
}

void PerfettoJson::write_counters(ChromeEvents& events) {
  for (const Counter& counter : counters_) {
    const SeriesRow& row = counter.row;
    const std::uint32_t pid = pool_pid(row.pool);
    events.counter(pid, "running", row.time, "calls", fmt::format("{}", row.running));
    events.counter(pid, "waiting", row.time, "calls", fmt::format("{}", row.waiting));
    if (std::isfinite(row.kv_utilization))
      events.counter(pid, "kv_utilization", row.time, "share", fmt::format("{:.6f}", row.kv_utilization));
    // A mean over the row's interval: drawn from where that begins.
    if (row.power_w && std::isfinite(*row.power_w))
      events.counter(pid, "power_w", counter.since, "W", fmt::format("{:.3f}", *row.power_w));
  }
}

void PerfettoJson::write_agent(ChromeEvents& events, std::uint32_t agent) {
  const auto& tasks = shelf_.agents()[agent];
  if (tasks.empty()) return;
  events.process(kFirstAgent + agent, "agent " + name_of(names_.agents, agent));
  std::uint32_t tid = 0;
  for (const auto& [number, task] : tasks) write_task(events, agent, number, task, tid);
}

std::vector<PerfettoJson::TaskSlice> PerfettoJson::slices_of(const KeptTask& task) const {
  using What = TaskSlice::What;
  std::vector<TaskSlice> slices;
  const auto add = [&](std::uint32_t branch, Time begin, Time end, What what, std::size_t index) {
    if (end >= begin && end != Time::never()) slices.push_back({branch, begin, end, what, index, &task});
  };
  if (task.record) add(0, task.record->arrival, task.record->finish, What::kTask, 0);
  std::map<std::uint64_t, std::uint32_t> branch_of_call;
  for (std::size_t i = 0; i < task.nodes.size(); ++i) {
    const KeptNode& node = task.nodes[i];
    add(node.branch, node.begin, node.end, What::kNode, i);
    if (node.served > node.begin && node.served <= node.end) add(node.branch, node.begin, node.served, What::kWait, i);
    if (node.call) branch_of_call.emplace(*node.call, node.branch);
  }
  for (std::size_t i = 0; i < task.calls.size(); ++i) {
    const CallRecord& r = task.calls[i].record;
    const auto found = branch_of_call.find(r.call);
    const std::uint32_t branch = found == branch_of_call.end() ? 0 : found->second;
    const Time scheduled = std::min(r.scheduled, r.finish), first_token = std::min(r.first_token, r.finish);
    if (scheduled > r.arrival) add(branch, r.arrival, scheduled, What::kQueue, i);
    if (r.media_steps > 0) {
      if (r.finish > scheduled) add(branch, scheduled, r.finish, What::kMedia, i);
      continue;
    }
    if (first_token > scheduled) add(branch, scheduled, first_token, What::kPrefill, i);
    if (r.finish > first_token) add(branch, first_token, r.finish, What::kDecode, i);
  }
  std::stable_sort(slices.begin(), slices.end(), [](const TaskSlice& a, const TaskSlice& b) {
    return std::tie(a.branch, a.begin, b.end, a.what) < std::tie(b.branch, b.begin, a.end, b.what);
  });
  return slices;
}

void PerfettoJson::write_task(ChromeEvents& events, std::uint32_t agent, std::uint64_t number, const KeptTask& task,
                              std::uint32_t& tid) {
  const std::uint32_t pid = kFirstAgent + agent;
  const std::vector<TaskSlice> slices = slices_of(task);
  std::vector<Interval> intervals;
  for (std::size_t first = 0; first < slices.size();) {
    const std::uint32_t branch = slices[first].branch;
    intervals.clear();
    std::size_t end = first;
    for (; end < slices.size() && slices[end].branch == branch; ++end)
      intervals.push_back({slices[end].begin, slices[end].end});
    const std::vector<std::uint32_t> lanes = assign_lanes(intervals, true);
    const std::uint32_t lane_count = 1 + *std::max_element(lanes.begin(), lanes.end());
    for (std::uint32_t lane = 0; lane < lane_count; ++lane) {
      std::string name = fmt::format("task {}", number);
      if (branch > 0) name += fmt::format(" branch {}", branch);
      if (lane > 0) name += fmt::format(" ({})", lane + 1);
      events.thread({pid, tid + 1 + lane}, name);
    }
    for (std::size_t i = first; i < end; ++i) {
      const Track track{pid, tid + 1 + lanes[i - first]};
      write_slice(events, track, agent, slices[i]);
      if (slices[i].what == TaskSlice::What::kPrefill)
        add_flow(task.calls[slices[i].index], slices[i].begin, slices[i].end, track);
    }
    tid += lane_count;
    first = end;
  }
}

void PerfettoJson::write_slice(ChromeEvents& events, Track track, std::uint32_t agent, const TaskSlice& slice) const {
  using What = TaskSlice::What;
  switch (slice.what) {
    case What::kTask: {
      const TaskRecord& r = *slice.task->record;
      events.slice(track, fmt::format("task {}", r.task), "task", slice.begin, slice.end);
      events.arg("status", agents::kTaskStatusNames[static_cast<std::size_t>(r.status)]);
      events.arg("calls", r.calls);
      events.arg("tool_calls", r.tool_calls);
      events.arg("prompt_tokens", r.prompt_tokens);
      events.arg("cached_tokens", r.cached_tokens);
      events.arg("output_tokens", r.output_tokens);
      for (std::size_t c = 0; c < platforms::kCauses; ++c) {
        if (r.causes.by_cause[c] != Time())
          events.arg_seconds(fmt::format("{}_s", platforms::kCauseNames[c]), r.causes.by_cause[c]);
      }
      break;
    }
    case What::kNode: {
      const KeptNode& node = slice.task->nodes[slice.index];
      const Label& label = labels_[agent][node.node];
      events.slice(track, label.name, label.kind, slice.begin, slice.end);
      if (node.call) events.arg("call", static_cast<std::int64_t>(*node.call));
      break;
    }
    case What::kWait:
      events.slice(track, "wait", "wait", slice.begin, slice.end);
      break;
    case What::kQueue:
    case What::kPrefill:
    case What::kDecode:
    case What::kMedia: {
      const KeptCall& call = slice.task->calls[slice.index];
      const CallRecord& r = call.record;
      const std::string_view name = slice.what == What::kQueue     ? "queue"
                                    : slice.what == What::kPrefill ? "prefill"
                                    : slice.what == What::kDecode  ? "decode"
                                                                   : "media";
      events.slice(track, name, name, slice.begin, slice.end);
      events.arg("call", static_cast<std::int64_t>(r.call));
      if (slice.what == What::kPrefill) {
        events.arg("pool", pool_name(call.first_pool));
        events.arg("replica", call.first_replica);
        events.arg("prompt_tokens", r.prompt_tokens);
        events.arg("cached_tokens", r.cached_tokens);
      } else if (slice.what == What::kDecode) {
        events.arg("output_tokens", r.output_tokens);
        events.arg("preemptions", r.preemptions);
        events.arg("status", platforms::kCallStatusNames[static_cast<std::size_t>(r.status)]);
      } else if (slice.what == What::kMedia) {
        events.arg("pool", pool_name(r.pool));
        events.arg("replica", r.replica);
        events.arg("steps", r.media_steps);
      }
      break;
    }
  }
}

void PerfettoJson::add_flow(const KeptCall& call, Time begin, Time end, Track track) {
  // The last phase of that replica that began by then.
  const auto key = std::tie(call.first_pool, call.first_replica, begin);
  const auto after = std::upper_bound(phases_.begin(), phases_.end(), key, [](const auto& at, const BatchPhase& phase) {
    return at < std::tie(phase.pool, phase.replica, phase.begin);
  });
  if (after == phases_.begin()) return;
  const BatchPhase& phase = *(after - 1);
  if (phase.pool != call.first_pool || phase.replica != call.first_replica) return;
  // Both ends strictly inside their slices, in this order: an arrow on a slice's edge may bind to its neighbour.
  if (end <= begin + Time::nanoseconds(1) || phase.end <= begin + Time::nanoseconds(2)) return;
  const std::uint32_t lane = phase_lanes_[static_cast<std::size_t>(after - 1 - phases_.begin())];
  flows_.push_back({call.record.call, track, replica_track(phase.pool, phase.replica, lane), begin});
}

}  // namespace tokenyard::traces
