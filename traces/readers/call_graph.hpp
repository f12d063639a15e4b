#pragma once
/// LLM calls that name what they waited for, in any order, grouped into tasks.
///
/// Calls that wait for each other, or share a session, are one task; where rows name their task (`play`), that decides.
/// A task arrives at the earliest date of its calls that wait for nothing; its steps stand in the order of the file as
/// far as dependencies allow. A session is a branch of the task, forked from the branch of the call it first waited
/// for.
///
///   CallGraph graph(path);
///   CallGraph::Call& call = graph.add("root-1", line); …
///   graph.build(list, log, "rows like …");   // dangling ids and cycles are refused, with their lines

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "agents/record/recorded_task.hpp"
#include "traces/readers/fault_log.hpp"
#include "traces/readers/task_list.hpp"

namespace tokenyard::traces {

class CallGraph {
 public:
  struct Wait {
    std::uint32_t id = 0;
    agents::Trigger trigger = agents::Trigger::kCompletion;
    sim::Time delay;
    std::string pointer;  ///< in its row, for messages: "wait_for/1"
  };
  struct Call {
    std::uint64_t line = 0;
    std::uint32_t id = 0, model = 0;
    std::uint32_t play = 0, session = 0;  ///< numbers of names; 0: none
    sim::Time date;                       ///< not before it, where it is given or there is nothing to wait for
    std::vector<Wait> waits;
    sim::Time delay;  ///< after all waits are over, and after the tools
    platforms::Cause delay_cause = platforms::Cause::kOther;
    sim::Time tools;  ///< time of the tools after all waits are over
    std::uint32_t tool_calls = 0;
    std::string tool_names;
    std::vector<platforms::Extent> prompt;
    platforms::Tokens output_tokens = 1;
    sim::Time duration;
  };

  explicit CallGraph(std::string path) : path_(std::move(path)) {}

  /// A number from 1 for the name of a request ('r'), session ('s') or play ('p').
  std::uint32_t number(char of, std::string_view name) {
    const auto [at, is_new] =
        numbers_.try_emplace(of + std::string(name), static_cast<std::uint32_t>(numbers_.size() + 1));
    if (is_new) names_.push_back(&at->first);
    return at->second;
  }
  /// The line of the call with that id; 0 if there is none yet.
  std::uint64_t line_of(std::uint32_t id) const {
    return id < call_of_.size() && call_of_[id] != kNone ? calls_[call_of_[id]].line : 0;
  }
  void add(Call call);
  std::size_t size() const { return calls_.size(); }
  std::vector<std::string> models;

  /// `expected` is a row as it should be, where there is none.
  void build(TaskList& list, FaultLog& log, std::string_view expected);

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Branch {
    std::uint32_t number = 0, parent = 0;
  };
  std::string name_of(std::uint32_t number) const { return names_[number - 1]->substr(1); }
  void drop_dangling(FaultLog& log);
  std::vector<std::vector<std::uint32_t>> groups() const;
  void build_task(const std::vector<std::uint32_t>& group, TaskList& list, FaultLog& log);
  void add_steps(const Call& call, agents::RecordedTask& task, TaskList& list, std::vector<std::uint32_t>& waited,
                 std::map<std::uint32_t, Branch>& branches);

  std::string path_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> names_;  ///< by number, from 1
  std::vector<Call> calls_;
  std::vector<std::uint32_t> call_of_;  ///< by number of the id
  std::vector<bool> dropped_;
};

}  // namespace tokenyard::traces
