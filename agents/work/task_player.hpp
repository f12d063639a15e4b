#pragma once
/// Plays tasks: walks through task graphs, whose steps are calls to the fleet, tools, people and waiting.
///
/// A task's every nanosecond belongs to one cause. A walk accounts for its own time; where several things ran side by
/// side (branches, copies), the one that ended last was on the critical path, and its causes are the walk's.
///
/// Contexts: the prompt of a call is its role's prefix (the same content for every task of the agent), then what the
/// task has added so far, then what is new: one growing extent per walk and context. An answer without thinking stays
/// reusable in the KV cache; after one with thinking, the visible part is prefilled again with the next prompt.
///
/// Calls that fail before they are served (`call_failure`) are repeated after a back-off; a task whose call is
/// rejected, or fails for good, ends with that status once its branches have ended.
///
/// Cost: about a microsecond per call plus its draws; about 400 bytes per task in flight; nothing per finished task.
///
///   TaskPlayer player(simulation, fleet, seed, entries, Time::seconds(3600));
///   player.add_observer(metrics);
///   player.start();   // then simulation.run()

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/graph/agent_catalog.hpp"
#include "agents/work/contexts.hpp"
#include "agents/work/service.hpp"
#include "agents/work/task_arrivals.hpp"
#include "agents/work/tool_overlap.hpp"
#include "agents/work/walk.hpp"
#include "agents/work/workload.hpp"
#include "platforms/serving/front_door.hpp"
#include "sim/core/simulation.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::agents {

/// What-if: work made easier or harder without touching its draws.
struct WorkScale {
  double tool_time = 1, human_time = 1, output_tokens = 1;
};

/// One agent at work: where its calls go and when its tasks come.
struct WorkloadEntry {
  std::string name;  ///< unique in the workload: names its streams
  std::shared_ptr<const Agent> agent;
  /// The pool of each role, for each member of `family(*agent)`: pools[member][role].
  std::vector<std::vector<std::uint32_t>> pools;
  /// Capacities that replace the agent's, by member and service; empty: the agent's own.
  std::vector<std::vector<std::int64_t>> capacities;
  ArrivalSpec arrivals;  ///< used unless there is a closed loop
  std::optional<ClosedLoop> closed_loop;
  std::uint64_t max_tasks = std::numeric_limits<std::uint64_t>::max();
  sim::Time deadline = sim::Time::never();  ///< of a task, from its arrival
  /// Tasks at work at a time; those beyond are paused as they arrive, first come, first served.
  std::uint64_t max_in_flight = std::numeric_limits<std::uint64_t>::max();
  ToolOverlapOptions tools;
  WorkScale scale;
};

class TaskPlayer final : public Workload, private sim::EventHandler, private platforms::CallListener {
 public:
  /// Generated arrivals stop at `end`.
  TaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, std::uint64_t seed,
             std::vector<WorkloadEntry> entries, sim::Time end);
  ~TaskPlayer() override;

  void start() override { arrivals_.start(); }
  bool arrivals_over() const override { return arrivals_.over(); }
  std::uint64_t tasks_in_flight() const override { return tasks_.in_use(); }
  void finish_unfinished() override;

  /// What a tool or team of an entry is doing: member of the agent's family, service within it.
  const Service& service(std::size_t entry, std::size_t member, std::size_t service) const;

 private:
  struct Entry;
  struct Task {
    std::uint64_t number = 0;
    std::uint64_t entity = 0;  ///< what it is: entry and ordinal
    TaskContents contents;
    sim::Time arrival;
    sim::Time served, waited;  ///< its ended calls, in all
    sim::Time deadline;
    std::uint32_t entry = 0;
    std::uint32_t user = TaskArrivals::kNoUser;
    std::uint32_t branches = 0;
    std::uint32_t calls = 0, tool_calls = 0;
    Tokens prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    std::optional<TaskStatus> aborted;
    sim::Entity events;
    bool live = false;
  };

  struct Step {
    Walk walk;
    Contexts contexts;
    std::uint32_t task = 0;
    std::uint32_t parent = kNone;
    std::uint32_t member = 0;  ///< of the entry's family
    std::uint32_t branch = 0;
    std::uint32_t stop = kNone;  ///< a branch ends before this node: its fan-out's join
    bool live = false;
    // The visit in progress.
    const Agent::Route* way = nullptr;  ///< chosen on entry, where the node calls a model
    platforms::Cause waiting_for = platforms::Cause::kOther;
    std::int32_t open = 0;   ///< copies, branches or sub-agents still running
    bool error = false;      ///< one of the copies failed
    bool exhausted = false;  ///< the call failed for good
    sim::Time begin, served;
    AskingCall call;               ///< the last one, where tools overlap with it
    sim::Time mark;                ///< up to which its time is accounted
    sim::Time path_served;         ///< the calls on the longest path to here
    Tokens result_tokens = 0;      ///< to be appended at the end of the visit
    platforms::CauseTimes causes;  ///< since the walk began
  };

  struct CallSlot {
    std::uint32_t step = 0;
    Tokens visible = 0;
    std::vector<platforms::Extent> prompt;
  };
  enum class Event : std::uint64_t { kWake, kServed };

  void on_event(sim::Time now, std::uint64_t argument) override;
  void on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) override;

  void begin_task(std::uint32_t entry, std::uint64_t entity, std::uint32_t user);
  void end_task(std::uint32_t task);
  void admit_tasks(std::uint32_t entry);

  /// A walk in time.
  std::uint32_t new_step(std::uint32_t task, std::uint32_t parent, std::uint32_t member, std::uint32_t path,
                         bool branch = false);
  void go(std::uint32_t step, std::uint32_t node);
  bool begin_node(std::uint32_t step);
  void leave_node(std::uint32_t step, bool error);
  void end_step(std::uint32_t step, bool failed);

  bool begin_call(std::uint32_t step);
  void submit_calls(std::uint32_t step);
  bool begin_pictures(std::uint32_t step);
  platforms::CallRequest request_of(const Step& step);
  bool begin_wait(std::uint32_t step);
  void begin_service(std::uint32_t step, sim::Time duration);
  void end_wait(std::uint32_t step);
  bool begin_branches(std::uint32_t step);
  bool begin_sub_agents(std::uint32_t step);
  void end_branch(std::uint32_t parent, std::uint32_t child, bool failed);

  void build_prompt(std::uint32_t step, std::vector<platforms::Extent>& prompt);
  void compact_context(std::uint32_t step);
  void open_context(std::uint32_t step, std::uint32_t context);
  std::int64_t copies(const Step& step, const Draw& parallel) const;
  void account(Step& step, platforms::Cause cause);
  void settle(std::uint32_t step, const std::vector<std::vector<std::uint32_t>>& children);
  void report_node(const Step& step, bool has_call, std::uint64_t call);
  void wake(std::uint32_t step, sim::Time date, Event event);

  sim::Simulation& simulation_;
  platforms::FrontDoor& door_;
  const std::uint64_t seed_;
  TaskArrivals arrivals_;
  std::vector<Entry> entries_;
  sim::Slab<Task> tasks_;
  sim::Slab<Step> steps_;
  sim::Slab<CallSlot> calls_;
  std::uint64_t tasks_begun_ = 0;
};

}  // namespace tokenyard::agents
