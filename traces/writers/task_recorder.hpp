#pragma once
/// Watches a simulation and turns every task that ends into a recorded task: what ran, when, and after what.
///
/// Tasks come out in the order of their numbers, which is that of arrival; a task that ends early waits for those
/// before it. What a step waited for follows from the walks: within a branch steps follow each other in time, a branch
/// begins after what its parent did before, and the parent goes on after its branches. Replayed where it was recorded,
/// every call is dispatched at the same nanosecond, in the same order.
///
/// Cost: about a microsecond a step; memory for the tasks in flight and those that wait for earlier ones.
///
///   TaskRecorder recorder(names, [&](const RanTask& ran, const agents::RecordedNames& recorded) { … });
///   fleet.add_observer(recorder);
///   workload.add_observer(recorder);

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agents/record/recorded_task.hpp"
#include "agents/work/observer.hpp"
#include "platforms/serving/observer.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::traces {

/// When a step ran.
struct StepRun {
  sim::Time begin, end;
  sim::Time first_token = sim::Time::never();
  platforms::Tokens cached_tokens = 0;  ///< -1: not known
  bool failed = false;
  platforms::CauseTimes causes;
  platforms::Tokens output_tokens = 0;  ///< made; the step's own are those asked for
};

struct RanTask {
  agents::TaskRecord record;
  agents::RecordedTask task;  ///< agents, nodes and models are indices in RecordedNames
  std::vector<StepRun> runs;  ///< by step
};

class TaskRecorder final : public platforms::ServingObserver, public agents::TaskObserver {
 public:
  using Sink = std::function<void(const RanTask&, const agents::RecordedNames&)>;
  /// Models are named by their pools: a replay finds the pool of that name.
  TaskRecorder(const Names& names, Sink sink) : given_(names), sink_(std::move(sink)) {}

  void on_submit(const platforms::CallRequest& request, const platforms::CallRecord& record) override;
  void on_call(const platforms::CallRecord& record) override;
  void on_node(const agents::NodeVisit& span) override;
  void on_task(const agents::TaskRecord& record) override;

 private:
  struct Call {
    platforms::CallRecord record;
    std::vector<platforms::Extent> prompt;
    std::uint64_t output_content = 0, entity = 0;
    platforms::Tokens made = 0;  ///< the record's own are those asked for, as a replay asks for as many
    bool placed = false;
  };
  /// A visit of a node, or a branch as its parent sees it.
  struct Item {
    sim::Time begin, end;
    std::uint32_t branch = 0, node = 0;
    agents::StepKind kind = agents::StepKind::kTool;
    std::uint32_t child = kNone;  ///< the branch it stands for
    std::vector<std::size_t> calls;
    std::uint32_t tool_calls = 0;
    sim::Time startup;  ///< of its time, at first
  };
  struct Open {
    std::vector<Call> calls;
    std::vector<Item> items;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> unplaced;  ///< calls by branch and node
    std::map<std::uint32_t, std::uint32_t> parents;  ///< of branches: the branch each forked from
  };
  static constexpr std::uint32_t kNone = 0xffffffff, kMostLevels = 256;

  class Builder;

  Names given_;
  Sink sink_;
  agents::RecordedNames names_;
  std::map<std::uint64_t, Open> open_;  ///< by task
  std::map<std::uint64_t, RanTask> done_;
  std::uint64_t next_ = 0;
};

}  // namespace tokenyard::traces
