#pragma once
/// Stand-ins for the serving floor, and what tests of agents share: agents from JSON text, a recorder of tasks.

#include <deque>
#include <functional>

#include "agents/work/task_player.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::agents {

/// Completes every call after a time of the test's choice; the whole prompt counts as computed.
class TimedDoor final : public platforms::FrontDoor, private sim::EventHandler {
 public:
  using Duration = std::function<sim::Time(const platforms::CallRecord&)>;
  explicit TimedDoor(
      sim::Simulation& simulation, Duration duration = [](const auto&) { return sim::Time::milliseconds(500); })
      : simulation_(simulation), duration_(std::move(duration)) {}

  void submit(const platforms::CallRequest& request) override {
    platforms::CallRecord record;
    record.call = calls_++;
    record.task = request.task;
    record.agent = request.agent;
    record.node = request.node;
    record.pool = request.pool;
    record.arrival = simulation_.now() - request.waited;
    record.scheduled = simulation_.now();
    record.causes[platforms::Cause::kQueue] = request.waited;
    record.output_tokens = request.output_tokens;
    record.media_steps = request.media.steps;
    record.prompt_tokens = platforms::tokens_of(request.prompt);
    if (request.part) {
      parts.push_back({record, {request.prompt.begin(), request.prompt.end()}, request.output_content});
    } else {
      seen.push_back({record, {request.prompt.begin(), request.prompt.end()}, request.output_content});
      hints.push_back({request.next_node, request.path_served, request.deadline, request.part_pool});
    }
    if (record.prompt_tokens > longest_prompt) {
      record.status = platforms::CallStatus::kRejected;
      record.finish = simulation_.now();
      return request.listener->on_call_end(record, request.cookie);
    }
    const sim::Time takes = duration_(record);
    record.first_token = record.finish = simulation_.now() + takes;
    record.status = platforms::CallStatus::kCompleted;
    record.causes[platforms::Cause::kDecode] = takes;
    open_.push_back({record, request.listener, request.cookie});
    simulation_.schedule(record.finish, sim::Priority::kStepEnd, entity_, *this, open_.size() - 1);
  }

  struct Seen {
    platforms::CallRecord record;
    std::vector<platforms::Extent> prompt;
    std::uint64_t output_content;
  };
  std::vector<Seen> seen;   ///< calls in the order of arrival
  std::vector<Seen> parts;  ///< likewise, parts of their prompts
  /// For the policies of the serving floor.
  struct Hints {
    std::uint32_t next_node;
    sim::Time path_served, deadline;
    std::uint32_t part_pool;
  };
  std::vector<Hints> hints;  ///< of the same calls
  platforms::Tokens longest_prompt = 1'000'000'000;

 private:
  struct Open {
    platforms::CallRecord record;
    platforms::CallListener* listener;
    std::uint64_t cookie;
  };
  void on_event(sim::Time, std::uint64_t argument) override {
    const Open open = open_[argument];
    open.listener->on_call_end(open.record, open.cookie);
  }

  sim::Simulation& simulation_;
  Duration duration_;
  std::deque<Open> open_;
  sim::Entity entity_;
  std::uint64_t calls_ = 0;
};

struct TaskLog final : TaskObserver {
  void on_task(const TaskRecord& record) override { tasks.push_back(record); }
  void on_node(const NodeVisit& span) override { spans.push_back(span); }
  std::vector<TaskRecord> tasks;
  std::vector<NodeVisit> spans;
};

/// Agents of JSON texts, the first one at work; every role goes to pool 0.
inline WorkloadEntry entry_of(const std::vector<std::string>& texts, double rate_per_s = 1) {
  sim::Faults faults;
  std::vector<AgentCatalog::Source> sources;
  for (const std::string& text : texts) sources.push_back({"test", text});
  static std::deque<AgentCatalog> catalogs;  // sub-agents belong to their catalogue
  catalogs.push_back(AgentCatalog::of(sources, faults));
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  sim::Faults none;
  const sim::JsonFile first = sim::JsonFile::parse(texts.front(), "test", none);
  WorkloadEntry entry;
  entry.agent = catalogs.back().find(first.root(none).string("name"));
  entry.name = entry.agent->name;
  for (const Agent* member : family(*entry.agent)) entry.pools.emplace_back(member->pool_roles.size(), 0);
  entry.arrivals.rate_per_s = rate_per_s;
  return entry;
}

}  // namespace tokenyard::agents
