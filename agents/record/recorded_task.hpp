#pragma once
/// A recorded task: the calls, tools and waits of one agent run, and what each of them waited for.
///
/// Steps form a directed acyclic graph. A step begins when all its dependencies are met: each at the dispatch or the
/// completion of an earlier step, and `delay` later; and not before `not_before` of the task's arrival. A step without
/// dependencies begins at the arrival (or at `not_before`). A call then takes as long as the simulated serving takes; a
/// tool, a person or a wait takes its recorded `duration`.
///
/// Invariants, which readers establish: a task has a step; dependencies name steps before the step itself, so there is
/// no cycle; durations and delays are not negative, and sum to less than the clock's range; no startup is longer than
/// its duration; a call's prompt holds at least one token.
///
/// A source hands out tasks in order of arrival. Names are known before the first task: a source has looked through its
/// file when it is opened, and found every fault.
///
///   RecordedTask task;
///   while (source.next(task)) for (const RecordedStep& step : task.steps) …

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/record/left_out.hpp"
#include "platforms/serving/call.hpp"

namespace tokenyard::agents {

enum class StepKind : std::uint8_t { kCall, kTool, kHuman, kWait };
/// As observers see them (NodeVisit::kind).
inline constexpr std::array<std::string_view, 4> kStepKindNames = {"llm", "tool", "human", "wait"};

enum class Trigger : std::uint8_t { kCompletion, kDispatch };

struct RecordedDependency {
  std::uint32_t step = 0;
  Trigger trigger = Trigger::kCompletion;
  platforms::Cause cause = platforms::Cause::kOther;  ///< what the delay is
  sim::Time delay;
};

struct RecordedStep {
  StepKind kind = StepKind::kCall;
  std::uint32_t node = 0;    ///< index in RecordedNames::nodes of the task's agent
  std::uint32_t branch = 0;  ///< 0: the main walk; sub-agents and parallel branches have numbers of their own
  std::uint32_t parent_branch = 0;
  sim::Time not_before;  ///< after the task's arrival
  std::uint32_t first_dependency = 0, dependencies = 0;

  // a call
  std::uint32_t model = 0;  ///< index in RecordedNames::models
  std::uint32_t first_extent = 0, extents = 0;
  platforms::Tokens output_tokens = 1;
  std::uint64_t output_content = 0;  ///< as in CallRequest
  std::uint64_t entity = 0;          ///< as in CallRequest; 0: the replay's own

  // a tool, a person, a wait; for a call what it took when recorded, 0 if unknown
  sim::Time duration;
  sim::Time startup;                                  ///< of the duration, at first: a server that was cold
  platforms::Cause cause = platforms::Cause::kOther;  ///< of the rest; of a call: of the time up to `not_before`
  std::uint32_t count = 1;                            ///< tool calls that it stands for
};

struct RecordedTask {
  std::uint32_t agent = 0;  ///< index in RecordedNames::agents
  sim::Time arrival;        ///< from the start of the trace
  /// How it ended when it was recorded. What failed though its steps ended does so again when they are played; whether
  /// it is rejected or unfinished, the replay decides.
  platforms::CallStatus status = platforms::CallStatus::kCompleted;
  std::vector<RecordedStep> steps;
  std::vector<RecordedDependency> dependencies;
  std::vector<platforms::Extent> extents;

  void clear() {
    status = platforms::CallStatus::kCompleted;
    steps.clear();
    dependencies.clear();
    extents.clear();
  }
  /// Adds a dependency of the last step.
  void depend(const RecordedDependency& dependency) {
    RecordedStep& step = steps.back();
    if (step.dependencies == 0) step.first_dependency = static_cast<std::uint32_t>(dependencies.size());
    ++step.dependencies;
    dependencies.push_back(dependency);
  }
  platforms::Tokens prompt_tokens(const RecordedStep& step) const {
    platforms::Tokens tokens = 0;
    for (std::uint32_t e = 0; e < step.extents; ++e) tokens += extents[step.first_extent + e].tokens;
    return tokens;
  }
  /// Its arrival and all dates and waits in it, in seconds: it cannot end later, but for what calls take.
  double longest_s() const;
};

/// The most that `RecordedTask::longest_s` may be: a year. What is longer was recorded in another unit.
inline constexpr double kLongestTaskS = 366 * 86400;

/// When steps begin and end if calls take their recorded time.
struct RecordedTimes {
  std::vector<sim::Time> begin, end;
};
RecordedTimes recorded_times(const RecordedTask& task);

struct RecordedNode {
  std::string name;
  StepKind kind = StepKind::kCall;
};

struct RecordedNames {
  std::vector<std::string> agents;
  std::vector<std::vector<RecordedNode>> nodes;  ///< by agent
  std::vector<std::string> models;

  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  using Index = std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>>;
  std::vector<std::array<Index, kStepKindNames.size()>> node_index = {};  ///< by agent and kind, of what `node` added

  /// The index of a name, which joins the list if it is new. O(names), but for a node: a workflow may have as many as
  /// it has steps.
  std::uint32_t agent(std::string_view name);
  std::uint32_t node(std::uint32_t agent, StepKind kind, std::string_view name);
  std::uint32_t model(std::string_view name);
};

class RecordedTaskSource {
 public:
  virtual ~RecordedTaskSource() = default;
  /// Fills `task` and returns true, or returns false at the end. Arrivals do not decrease.
  virtual bool next(RecordedTask& task) = 0;
  virtual const RecordedNames& names() const = 0;
  /// By reason.
  virtual std::vector<LeftOut> left_out() const = 0;
};

}  // namespace tokenyard::agents
