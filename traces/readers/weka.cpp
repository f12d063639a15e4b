/// The format `weka`: agentic sessions with block hashes and sub-agents (callanjfox/kv-cache-tester; the corpus of
/// InferenceX's agentic benchmark).
///
/// A session is a JSON object, one a line, or one in the file:
///   {"id", "block_size": 64, "hash_id_scope": "local", "requests": [
///      {"t": s, "type": "n" or "s", "model", "in", "out", "hash_ids": […] or "hash_runs": [[first, count], …],
///       "input_types": ["tool_result"], "api_time": s, "think_time": s},
///      {"t": s, "type": "subagent", "agent_id", "subagent_type", "duration_ms", "status", "requests": [as above]}]}
///
/// Sessions carry no date: all arrive at 0, so play them by a closed loop of users. A request begins `think_time` after
/// the answer before it: spent by tools if it brings a `tool_result`, else by the user. A sub-agent's `t` is when it
/// ended; it runs beside its parent from `duration_ms` before, and the parent's next request waits for it, unless its
/// status is `async_launched`. Ids are a session's own, shared with its sub-agents; they name full blocks, the rest of
/// a prompt is nobody else's. A request needs an answer here: one of 0 tokens is given 1, and counted.

#include "traces/readers/block_prompt.hpp"
#include "traces/readers/json_row.hpp"
#include "traces/readers/task_documents.hpp"
#include "traces/readers/task_formats.hpp"

namespace tokenyard::traces {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using platforms::Tokens;
using sim::Time;
using simdjson::SUCCESS;

constexpr std::string_view kExpected =
    R"({"id": "…", "block_size": 64, "requests": [{"t": s, "type": "n", "model", "in", "out", "hash_ids", …}, …]})";

class WekaSessions final : public TaskDocuments {
 public:
  WekaSessions(const std::string& path, const TaskOptions& options)
      : TaskDocuments(path, options.skip_faulty, "faulty sessions", kExpected) {}

 private:
  enum Key : std::size_t {
    kT,
    kType,
    kModel,
    kIn,
    kOut,
    kIds,
    kRuns,
    kInputTypes,
    kApiTime,
    kThinkTime,
    kRequests,
    kDuration,
    kStatus,
    kSubType,
    kKeys
  };
  static constexpr std::array<std::string_view, kKeys> kNames = {
      "t",           "type",     "model",      "in",       "out",         "hash_ids", "hash_runs",
      "input_types", "api_time", "think_time", "requests", "duration_ms", "status",   "subagent_type"};
  using Row = JsonRow<kKeys>;

  bool read_task(Element root, RecordedTask& task) override {
    simdjson::dom::array requests;
    if (root["requests"].get(requests) != SUCCESS) return refuse("/requests", "no array", std::string(kExpected));
    if (root["block_size"].get(block_tokens_) != SUCCESS || block_tokens_ < 1 || block_tokens_ > kMaxTokens) {
      return refuse("/block_size", "nothing of use", "tokens a hash id stands for, at least 1");
    }
    task.agent = names_.agent("session");
    task.arrival = {};
    branches_ = 0;
    ++session_;
    Stream main{.pointer = "/requests"};
    if (!read_stream(requests, task, main)) return false;
    return !task.steps.empty() || refuse("/requests", "no request", "at least one");
  }

  /// Requests one after the other: the session's, or a sub-agent's.
  struct Stream {
    std::uint32_t branch = 0, parent_branch = 0;
    std::string pointer;
    Time launch = {};                      ///< of a sub-agent's first request, after what it waits for
    std::vector<std::uint32_t> last = {};  ///< steps that the next request waits for
    double answered_s = 0;                 ///< when the last one was answered, as far as known
    bool begun = false;
    // `last` and `answered_s` as its last request left them, from which sub-agents are launched.
    std::vector<std::uint32_t> launched_from = {};
    double launched_s = 0;
  };

  bool read_stream(simdjson::dom::array requests, RecordedTask& task, Stream& stream) {
    std::size_t i = 0;
    stream.launched_from = stream.last;
    stream.launched_s = stream.answered_s;
    for (const simdjson::dom::element element : requests) {
      const std::string pointer = fmt::format("{}/{}", stream.pointer, i++);
      simdjson::dom::object object;
      Row row(kNames);
      std::string_view type;
      if (element.get(object) != SUCCESS) return refuse(pointer, "no object", "a request");
      if (!row.find(object)) return refuse(pointer, row.twice(), "each key once");
      if (const auto near = row.near_miss(object)) {
        return refuse(fmt::format("{}/{}", pointer, near->first), "an unknown key", allowed_instead_of(near->second));
      }
      if (!row.has(kType) || row[kType].get(type) != SUCCESS || (type != "n" && type != "s" && type != "subagent")) {
        return refuse(pointer + "/type", row.shown(kType), "\"n\", \"s\" or \"subagent\"");
      }
      double t = 0;
      if (!seconds(row, kT, pointer, t)) return false;
      if (type == "subagent") {
        if (!read_sub_agent(row, pointer, t, task, stream)) return false;
        continue;
      }
      if (!read_request(row, pointer, t, task, stream)) return false;
      stream.launched_from = stream.last;
      stream.launched_s = stream.answered_s;
    }
    return true;
  }

  bool read_sub_agent(Row& row, const std::string& pointer, double ended_s, RecordedTask& task, Stream& parent) {
    double duration_ms = 0;
    simdjson::dom::array requests;
    std::string_view status;
    if (!row.has(kRequests) || row[kRequests].get(requests) != SUCCESS)
      return refuse(pointer + "/requests", "no array", "the sub-agent's requests");
    if (!seconds(row, kDuration, pointer, duration_ms)) return false;
    const bool asynchronous = row.has(kStatus) && row[kStatus].get(status) == SUCCESS && status == "async_launched";
    const double begun_s = std::max(parent.launched_s, ended_s - duration_ms / 1000);
    // Its own clock begins at 0; the launch is a delay of its first request.
    Stream stream{.branch = ++branches_,
                  .parent_branch = parent.branch,
                  .pointer = pointer + "/requests",
                  .launch = Time::seconds(begun_s - parent.launched_s),
                  .last = parent.launched_from,
                  .answered_s = parent.launched_s};
    const std::size_t first = task.steps.size();
    if (!read_stream(requests, task, stream)) return false;
    if (task.steps.size() == first || asynchronous) return true;
    if (parent.last == parent.launched_from) parent.last.clear();  // what was launched from is before it
    parent.last.insert(parent.last.end(), stream.last.begin(), stream.last.end());
    parent.answered_s = std::max(parent.answered_s, ended_s);
    return true;
  }

  bool read_request(Row& row, const std::string& pointer, double t, RecordedTask& task, Stream& stream) {
    Tokens prompt = 0, output = 0;
    std::string_view model;
    if (!row.has(kIn) || !read_token_count(row[kIn], prompt)) return refuse_tokens(row, kIn, pointer);
    std::int64_t none = -1;
    if (row.has(kOut) && row[kOut].get(none) == SUCCESS && none == 0) {
      leave_out("answers of 0 tokens (played as 1)");
      output = 1;
    } else if (!row.has(kOut) || !read_token_count(row[kOut], output)) {
      return refuse_tokens(row, kOut, pointer);
    }
    if (!row.has(kModel) || row[kModel].get(model) != SUCCESS)
      return refuse(pointer + "/model", row.shown(kModel), "a model's name");
    double api_s = 0, think_s = 0;
    if (!seconds(row, kApiTime, pointer, api_s) || !seconds(row, kThinkTime, pointer, think_s)) return false;
    const bool joins = !stream.last.empty() && stream.begun && task.steps[stream.last[0]].branch != stream.branch;
    // After sub-agents, what is left of the think time after the last of them ended.
    if (!row.has(kThinkTime) || joins) think_s = std::max(0.0, t - stream.answered_s);
    if (!stream.begun) think_s = stream.branch == 0 ? t : stream.launch.seconds();

    RecordedStep base;
    base.branch = stream.branch;
    base.parent_branch = stream.parent_branch;
    const auto wait_for_last = [&](Time delay) {
      for (const std::uint32_t step : stream.last) task.depend({step, Trigger::kCompletion, Cause::kOther, delay});
    };
    const bool tools = bring_tool_result(row);
    const Time think = Time::seconds(think_s);
    if (stream.begun && (tools || think > Time())) {
      RecordedStep& wait = task.steps.emplace_back(base);
      wait.kind = tools ? StepKind::kTool : StepKind::kHuman;
      wait.cause = tools ? Cause::kTool : Cause::kHuman;
      wait.node = names_.node(task.agent, wait.kind, tools ? "tools" : "user");
      wait.duration = think;
      wait_for_last({});
      stream.last.assign(1, static_cast<std::uint32_t>(task.steps.size() - 1));
    }
    RecordedStep& call = task.steps.emplace_back(base);
    call.node = names_.node(task.agent, StepKind::kCall, model);
    call.model = names_.model(model);
    call.output_tokens = output;
    call.duration = Time::seconds(api_s);
    call.first_extent = static_cast<std::uint32_t>(task.extents.size());
    if (stream.last.empty()) call.not_before = think;
    if (!read_blocks(row, pointer, prompt, task)) return false;
    RecordedStep& placed = task.steps.back();
    placed.extents = static_cast<std::uint32_t>(task.extents.size()) - placed.first_extent;
    wait_for_last(stream.begun ? Time() : think);
    stream.last.assign(1, static_cast<std::uint32_t>(task.steps.size() - 1));
    stream.answered_s = t + api_s;
    stream.begun = true;
    return true;
  }

  static bool bring_tool_result(const Row& row) {
    simdjson::dom::array types;
    if (!row.has(kInputTypes) || row[kInputTypes].get(types) != SUCCESS) return false;
    for (const simdjson::dom::element type : types) {
      std::string_view text;
      if (type.get(text) == SUCCESS && text == "tool_result") return true;
    }
    return false;
  }

  bool read_blocks(const Row& row, const std::string& pointer, Tokens prompt, RecordedTask& task) {
    std::vector<platforms::Extent> extents;
    BlockPrompt blocks(extents, block_tokens_, session_);
    const Key key = row.has(kRuns) ? kRuns : kIds;
    simdjson::dom::array list;
    if (!row.has(key) || row[key].get(list) != SUCCESS)
      return refuse(pointer + "/hash_ids", "no array", "hash_ids or hash_runs");
    std::size_t i = 0;
    for (const simdjson::dom::element element : list) {
      std::uint64_t first = 0, count = 1;
      const bool read = key == kIds ? element.get(first) == SUCCESS
                                    : element.at(0).get(first) == SUCCESS && element.at(1).get(count) == SUCCESS;
      if (!read || count < 1 || count > static_cast<std::uint64_t>(kMaxTokens / block_tokens_ + 1)) {
        return refuse(fmt::format("{}/{}/{}", pointer, kNames[key], i), sim::shown_text(simdjson::minify(element)),
                      key == kIds ? "a whole number from 0 to 2^64 - 1" : "[first id, how many]");
      }
      blocks.add(first, static_cast<std::int64_t>(count));
      ++i;
    }
    if (blocks.blocks() != prompt / block_tokens_ && blocks.blocks() != (prompt + block_tokens_ - 1) / block_tokens_) {
      return refuse(fmt::format("{}/{}", pointer, kNames[key]),
                    fmt::format("{} blocks for {} tokens", blocks.blocks(), prompt),
                    fmt::format("{}: one for every {} tokens", prompt / block_tokens_, block_tokens_));
    }
    blocks.finish(prompt);
    task.extents.insert(task.extents.end(), extents.begin(), extents.end());
    return true;
  }

  /// 0 if absent (`t` may not be).
  bool seconds(const Row& row, Key key, const std::string& pointer, double& value) {
    value = 0;
    if (!row.has(key) && key != kT) return true;
    if (row.has(key) && row[key].get(value) == SUCCESS && value >= 0 && value < 9e9) return true;
    return refuse(fmt::format("{}/{}", pointer, kNames[key]), row.shown(key), "a number from 0 to 9e9");
  }
  bool refuse_tokens(const Row& row, Key key, const std::string& pointer) {
    return refuse(fmt::format("{}/{}", pointer, kNames[key]), row.shown(key),
                  fmt::format("a whole number from 1 to {}", kMaxTokens));
  }

  std::int64_t block_tokens_ = 64;
  std::uint32_t branches_ = 0;
  std::uint64_t session_ = 0;  ///< a number of its own for each, so that they share no content
};

}  // namespace

std::unique_ptr<agents::RecordedTaskSource> open_weka(const std::string& path, const TaskOptions& options) {
  auto sessions = std::make_unique<WekaSessions>(path, options);
  sessions->look_through();
  return sessions;
}

}  // namespace tokenyard::traces
