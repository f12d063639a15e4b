#pragma once
/// The timeline `trace.perfetto.json.gz`: open it at ui.perfetto.dev.
///
/// Tracks: a process per pool (pid 1 + pool) with a thread per replica that holds its batch phases, KV transfers into
/// the pool on threads of their own, and counters (running, waiting, kv_utilization, power_w); a process per agent (pid
/// 10000 + agent) with a thread per task and branch: the task, in it the visits of nodes (their kind is the category)
/// with the wait for capacity, in those the stages of the call (queue, prefill, decode). An arrow leads from the stage
/// in which a call was first scheduled to that replica's batch phase.
///
/// Invariants: slices nest on every thread (what does not goes to a further thread); what is kept is a function of the
/// events alone. Kept are things that touch [window_begin, window_end): the first tasks by arrival, whole; the first
/// phases and transfers as they are reported. What was left out is counted in "otherData". Cost: 50 to 100 ns an event
/// while watching; memory and 2 µs a slice at the commit (mostly gzip) for what is kept.
///
///   PerfettoJson timeline(directory / "trace.perfetto.json.gz", names, {.max_tasks = 100});
///   fleet.add_observer(timeline);
///   player.add_observer(timeline);
///   sampler: timeline.add(series_row);
///   timeline.commit();

#include <map>
#include <string>
#include <vector>

#include "agents/work/observer.hpp"
#include "platforms/serving/observer.hpp"
#include "traces/writers/chrome_events.hpp"
#include "traces/writers/tables.hpp"
#include "traces/writers/task_shelf.hpp"

namespace tokenyard::traces {

struct TimelineOptions {
  sim::Time window_begin = {};
  sim::Time window_end = sim::Time::never();
  std::uint64_t max_slices = 300'000;  ///< half for replicas, half for tasks; and as many counter values
  std::uint64_t max_tasks = 500;       ///< an agent
};

class PerfettoJson final : public platforms::ServingObserver, public agents::TaskObserver {
 public:
  /// Compressed if the name ends in ".gz". Opens the file at once: a folder that cannot be written is found at the
  /// start.
  PerfettoJson(const std::filesystem::path& path, const Names& names, const TimelineOptions& options = {});

  void on_call(const platforms::CallRecord& record) override;
  void on_batch_phase(const platforms::BatchPhase& phase) override;
  void on_kv_transfer(const platforms::KvTransfer& transfer) override;
  void on_task(const agents::TaskRecord& record) override;
  void on_node(const agents::NodeVisit& span) override;
  void add(const SeriesRow& row);

  void commit();

 private:
  struct Label {
    std::string name, kind;
  };
  struct Place {
    std::uint32_t pool = 0, replica = 0;
  };
  struct Counter {
    SeriesRow row;
    sim::Time since;  ///< begin of the row's interval
  };
  struct TaskSlice;

  bool in_window(sim::Time begin, sim::Time end) const;
  bool room_for_replicas();
  std::string pool_name(std::uint32_t pool) const;
  std::vector<std::pair<std::string, std::string>> other_data() const;
  void write_phases(ChromeEvents& events);
  void write_transfers(ChromeEvents& events);
  void write_counters(ChromeEvents& events);
  void write_agent(ChromeEvents& events, std::uint32_t agent);
  void write_task(ChromeEvents& events, std::uint32_t agent, std::uint64_t number, const KeptTask& task,
                  std::uint32_t& tid);
  void write_slice(ChromeEvents& events, Track track, std::uint32_t agent, const TaskSlice& slice) const;
  std::vector<TaskSlice> slices_of(const KeptTask& task) const;
  /// Remembers the arrow of a call whose "prefill" is on `track`, if both its ends have room.
  void add_flow(const KeptCall& call, sim::Time begin, sim::Time end, Track track);

  OutputFile file_;
  Names names_;
  TimelineOptions options_;

  TaskShelf shelf_;
  std::vector<std::vector<Label>> labels_;  ///< by agent, by node; as first seen
  std::vector<platforms::BatchPhase> phases_;
  std::vector<std::uint32_t> phase_lanes_;
  std::vector<platforms::KvTransfer> transfers_;
  std::vector<Counter> counters_;
  std::map<std::uint32_t, sim::Time> last_row_;  ///< by pool
  std::map<std::uint64_t, Place> handed_over_;   ///< calls in flight whose KV moved: where they came from
  struct Flow {
    std::uint64_t call;
    Track from, to;
    sim::Time at;
  };
  std::vector<Flow> flows_;
  std::uint64_t tasks_seen_ = 0, replica_slices_out_ = 0, counters_out_ = 0;
};

}  // namespace tokenyard::traces
