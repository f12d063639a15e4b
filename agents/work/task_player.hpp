#pragma once
/// Plays tasks: walks through task graphs, whose nodes are calls to the fleet, tools, people and waiting.
///
/// A task's every nanosecond belongs to one cause. A walk accounts for its own time; where several things ran side by
/// side (branches, copies), the one that ended last was on the critical path, and its causes are the walk's. What a
/// service's server, cold at first, takes to start is `startup`.
///
/// Calls that fail before they are served (`call_failure`) are repeated after a back-off; a task whose call is
/// rejected, or fails for good, ends with that status once its branches have ended.
///
/// An answer without thinking stays reusable in the KV cache; after one with thinking, the visible part is prefilled
/// again with the next prompt.
///
/// What tasks do, without time: walk.hpp, visit_draws.hpp, contexts.hpp, prompts.hpp. In time, of this class:
/// task_player.cpp how tasks come and end, task_player_walks.cpp how their walks go on, fork and meet,
/// task_player_calls.cpp their calls, task_player_waits.cpp what they wait for.
///
/// Cost: about a microsecond per call plus its draws; about 400 bytes per task in flight; nothing per finished task.
///
///   TaskPlayer player(simulation, fleet, seed, entries, Time::seconds(3600));
///   player.add_observer(metrics);
///   player.start();   // then simulation.run()

#include <deque>
#include <optional>
#include <vector>

#include "agents/work/contexts.hpp"
#include "agents/work/family_at_work.hpp"
#include "agents/work/task_arrivals.hpp"
#include "agents/work/tool_overlap.hpp"
#include "agents/work/walk.hpp"
#include "agents/work/workload.hpp"
#include "agents/work/workload_entry.hpp"
#include "platforms/serving/front_door.hpp"
#include "sim/core/simulation.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::agents {

class TaskPlayer final : public Workload, private sim::EventHandler, private platforms::CallListener {
 public:
  /// Generated arrivals stop at `end`.
  TaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, std::uint64_t seed,
             std::vector<WorkloadEntry> entries, sim::Time end);

  void start() override { arrivals_.start(); }
  bool arrivals_over() const override { return arrivals_.over(); }
  std::uint64_t tasks_in_flight() const override { return tasks_.in_use(); }
  void finish_unfinished() override;

 private:
  struct Entry {
    explicit Entry(WorkloadEntry given) : spec(std::move(given)), family(spec) {}
    WorkloadEntry spec;
    FamilyAtWork family;
    std::deque<std::uint32_t> paused;  ///< the main walks of tasks that wait to be admitted
    std::uint64_t at_work = 0;         ///< tasks
    bool admitting = false;
  };

  struct Task {
    std::uint64_t number = 0;
    std::uint64_t entity = 0;  ///< what it is: entry and ordinal
    TaskContents contents;
    sim::Time arrival;
    sim::Time deadline;
    std::uint32_t entry = 0;
    std::uint32_t user = kNoUser;
    std::uint32_t branches = 0;
    TaskWork work;
    std::optional<TaskStatus> aborted;
    sim::Entity events;
    bool live = false;
  };

  /// The first part of a prompt, computed while a tool makes the rest.
  struct Part {
    bool on_its_way = false;
    bool awaited = false;                                               ///< the tool has ended
    std::uint32_t pool = platforms::CallRequest::kNoPool, replica = 0;  ///< that hold it, once it is computed
  };

  /// A walk with its clock: when its visits begin and end, and what its time goes to.
  struct alignas(sim::kCacheLine) TimedWalk : Walk {
    Contexts contexts;
    std::uint32_t task = 0;
    std::uint32_t parent = kNone;
    std::uint32_t member = 0;  ///< of the entry's family
    std::uint32_t branch = 0;
    std::uint32_t stop = kNone;  ///< a branch ends before this node: its fan-out's join
    bool live = false;
    // The visit in progress.
    const Edge* way = nullptr;  ///< chosen on entry, where the node calls a model
    platforms::Cause waiting_for = platforms::Cause::kOther;
    std::int32_t open = 0;   ///< copies, branches or sub-agents still running
    bool error = false;      ///< one of the copies failed
    bool exhausted = false;  ///< the call failed for good
    std::uint32_t tool_calls = 0;
    sim::Time begin, served;
    /// Of its copies that a service has begun, the one that ends last: when, and when its server starts, and has.
    sim::Time last_end, cold_from, cold_to;
    AskingCall call;               ///< the last one, where tools overlap with it
    Part part;                     ///< of the prompt to come, where prompts are split
    sim::Time mark;                ///< up to which its time is accounted: now, when a visit begins, unless it waited
                                   ///< for the part of a prompt
    sim::Time path_served;         ///< the calls on the longest path to here
    Tokens result_tokens = 0;      ///< to be appended at the end of the visit
    platforms::CauseTimes causes;  ///< since the walk began
  };

  /// A call under way; its cookie says where, and of which walk.
  struct CallSlot {
    Tokens visible = 0;
    bool part = false;  ///< of a prompt
    Prompt prompt;
  };
  /// A walk goes on; a service has served it, as one of a batch or not; a service may serve somebody.
  enum class Event : std::uint64_t { kWake, kServed, kServedBesides, kService };

  void on_event(sim::Time now, std::uint64_t argument) override;
  void on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) override;
  void before_call_end(std::uint64_t cookie) const override;

  // task_player.cpp
  void wake(std::uint32_t walk, sim::Time date, Event event);
  void begin_task(std::uint32_t entry, std::uint64_t entity, std::uint32_t user);
  void admit_tasks(std::uint32_t entry);
  void end_task(std::uint32_t root, bool failed);
  void settle(std::uint32_t walk, const std::vector<std::vector<std::uint32_t>>& children);
  Entry& entry_of(const TimedWalk& walk) { return entries_[tasks_[walk.task].entry]; }
  FamilyAtWork::Member& member_of(const TimedWalk& walk) { return entry_of(walk).family.members[walk.member]; }

  // task_player_walks.cpp. `begin_…` is true if the node takes time, or has moved the walk on by itself.
  std::uint32_t new_walk(std::uint32_t task, std::uint32_t parent, std::uint32_t member, std::uint32_t path,
                         bool branch = false);
  void go(std::uint32_t walk, std::uint32_t node);
  bool begin_node(std::uint32_t walk);
  void leave_node(std::uint32_t walk, bool error);
  void end_walk(std::uint32_t walk, bool failed);
  bool begin_branches(std::uint32_t walk);
  bool begin_sub_agents(std::uint32_t walk);
  void end_branch(std::uint32_t parent, std::uint32_t child, bool failed);
  /// The time since its mark goes to `cause`, but for what a server took to start.
  void account(TimedWalk& walk, platforms::Cause cause);
  void keep_result(TimedWalk& walk);
  void report_node(const TimedWalk& walk, std::optional<std::uint64_t> call = {});

  // task_player_calls.cpp
  bool begin_call(std::uint32_t walk);
  void retry_call(std::uint32_t walk);
  void submit_calls(std::uint32_t walk);
  void submit_part(std::uint32_t walk);
  void end_part(std::uint32_t walk, const platforms::CallRecord& record);
  bool begin_pictures(std::uint32_t walk);
  platforms::CallRequest request_of(const TimedWalk& walk);

  // task_player_waits.cpp
  bool begin_wait(std::uint32_t walk);
  void serve(std::uint32_t entry, std::uint32_t member, std::uint32_t service);
  void end_service(std::uint32_t walk, bool frees);
  void end_wait(std::uint32_t walk);

  sim::Simulation& simulation_;
  platforms::FrontDoor& door_;
  const std::uint64_t seed_;
  TaskArrivals arrivals_;
  std::vector<Entry> entries_;
  sim::Slab<Task> tasks_;
  sim::Slab<TimedWalk> walks_;
  sim::Slab<CallSlot> calls_;
  sim::Entity services_;
  std::uint64_t tasks_begun_ = 0;
};

}  // namespace tokenyard::agents
