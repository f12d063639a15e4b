/// The formats `agentic-mooncake` and `mooncake-sessions`: LLM calls with block hashes and what they waited for.
///
/// Plain rows (Dynamo, `--trace-format agentic_mooncake`), in any order:
///   {"request_id": "root-2", "session_id": "run-42:root", "timestamp": ms, "wait_for": ["root-1"], "delay": ms,
///    "tool_wait_ms": ms, "tool_events": [{"tool_class": "crm_lookup", …}], "input_length": n, "output_length": n,
///    "hash_ids": […]}
/// A call is dispatched `tool_wait_ms` and `delay` after the last of `wait_for` is complete; `timestamp` counts where
/// there is no `wait_for`. Ids name blocks of `TaskOptions::block_tokens`, the same ones in the whole file.
///
/// Typed rows, version 2, behind the header {"schema": "dynamo.agentic_mooncake", "version": 2, "block_size": n,
/// "hash_id_scope": "local", …}:
///   {"request_id", "play_id", "session_id", "model", "input_length", "output_length", "hash_ids", "not_before_ms",
///    "recorded_api_time_ms", "dependencies": [{"request_id", "trigger": "completion" or "dispatch", "delay_ms",
///    "relation": "sequence", "spawn", "join" or "replay_barrier"}]}
/// A play is a task; ids are its own. A call waits for all its dependencies, each with its delay, and for
/// `not_before_ms`.
///
/// Sessions are plain Mooncake rows with `session_id`: a turn waits for the one before it, and `delay` (or `delay_ms`),
/// else the difference of the timestamps; that wait is the user's. Rows without a session stand alone.
///
/// Where the number of ids is one short, the last block is nobody else's; rows without `hash_ids` share nothing.

#include "traces/readers/block_prompt.hpp"
#include "traces/readers/call_graph.hpp"
#include "traces/readers/json_documents.hpp"
#include "traces/readers/json_row.hpp"
#include "traces/readers/task_formats.hpp"

namespace tokenyard::traces {
namespace {

using agents::Trigger;
using platforms::Cause;
using platforms::Tokens;
using sim::Time;
using simdjson::SUCCESS;

constexpr std::int64_t kMostNs = 1'000'000'000'000'000'000;  // two of them still fit a clock

constexpr std::string_view kPlainRow =
    R"({"request_id": "…", "wait_for": […], "delay": ms, "tool_wait_ms": ms, "input_length": n, "output_length": n, "hash_ids": […]})";
constexpr std::string_view kTypedRow =
    R"({"request_id", "play_id", "session_id", "model", "input_length", "output_length", "hash_ids", "not_before_ms", "dependencies"})";
constexpr std::string_view kSessionRow =
    R"({"session_id": "…", "timestamp": ms, "delay": ms, "input_length": n, "output_length": n, "hash_ids": […]})";

class MooncakeCalls {
 public:
  enum class Rows : std::uint8_t { kAgentic, kSessions };
  MooncakeCalls(const std::string& path, const TaskOptions& options, Rows rows)
      : graph_(path),
        log_(options.skip_faulty),
        documents_(path, log_, "faulty rows", rows == Rows::kSessions ? kSessionRow : kPlainRow),
        block_tokens_(options.block_tokens),
        sessions_(rows == Rows::kSessions) {}

  std::unique_ptr<agents::RecordedTaskSource> read() {
    bool first = true;
    for (JsonDocuments::Element root; documents_.next(root); first = false) {
      simdjson::dom::object object;
      if (root.get(object) != SUCCESS) {
        refuse(sim::shown_text(simdjson::minify(root)), std::string(expected()));
      } else if (!keys_.find(object)) {
        refuse(keys_.twice(), "each key once");
      } else if (first && !sessions_ && keys_.has(kSchema)) {
        read_header();
      } else if (const auto near = keys_.near_miss(object)) {
        refuse(fmt::format("an unknown key \"{}\"", near->first), allowed_instead_of(near->second));
      } else {
        read_row();
      }
    }
    auto list = std::make_unique<TaskList>();
    graph_.build(*list, log_, expected());
    return list;
  }

 private:
  enum Key : std::size_t {
    kRequest,
    kSession,
    kPlay,
    kModel,
    kTimestamp,
    kCreated,
    kNotBefore,
    kWaitFor,
    kDependencies,
    kDelay,
    kDelayMs,
    kToolWait,
    kToolEvents,
    kInput,
    kInputTokens,
    kOutput,
    kOutputTokens,
    kIds,
    kApiTime,
    kSchema,
    kVersion,
    kBlockSize,
    kScope,
    kKeys
  };
  static constexpr std::array<std::string_view, kKeys> kNames = {
      "request_id",           "session_id",   "play_id",      "model",         "timestamp",     "created_time",
      "not_before_ms",        "wait_for",     "dependencies", "delay",         "delay_ms",      "tool_wait_ms",
      "tool_events",          "input_length", "input_tokens", "output_length", "output_tokens", "hash_ids",
      "recorded_api_time_ms", "schema",       "version",      "block_size",    "hash_id_scope"};

  bool refuse(std::string found, std::string allowed) {
    return documents_.refuse("", std::move(found), std::move(allowed));
  }
  std::string_view expected() const { return typed_ ? kTypedRow : sessions_ ? kSessionRow : kPlainRow; }

  void read_header() {
    std::string_view schema, scope;
    std::int64_t version = 0, block = 0;
    if (keys_[kSchema].get(schema) != SUCCESS || schema != "dynamo.agentic_mooncake" || !keys_.has(kVersion) ||
        keys_[kVersion].get(version) != SUCCESS || version != 2) {
      throw sim::InputError({documents_.path(), documents_.place(),
                             fmt::format("{}, {}", keys_.shown(kSchema), keys_.shown(kVersion)),
                             "schema \"dynamo.agentic_mooncake\", version 2; or rows without a header"});
    }
    if (!keys_.has(kBlockSize) || keys_[kBlockSize].get(block) != SUCCESS || block < 1 || block > kMaxTokens) {
      throw sim::InputError(
          {documents_.path(), documents_.place(), keys_.shown(kBlockSize), "tokens a hash id stands for, at least 1"});
    }
    if (!keys_.has(kScope) || keys_[kScope].get(scope) != SUCCESS || scope != "local") {
      throw sim::InputError({documents_.path(), documents_.place(), keys_.shown(kScope), "\"local\""});
    }
    typed_ = true;
    block_tokens_ = block;
  }

  bool text(Key key, std::string_view& value) {
    return (keys_.has(key) && keys_[key].get(value) == SUCCESS && !value.empty()) ||
           refuse(keys_.shown(key), fmt::format("text that is not empty; {}", expected()));
  }
  /// Milliseconds; 0 if absent.
  bool milliseconds(Key key, Time& time) {
    time = {};
    return !keys_.has(key) || read_wait(keys_[key], time) || refuse(keys_.shown(key), "milliseconds from 0 to 1e12");
  }
  static bool read_wait(JsonDocuments::Element value, Time& time) {
    std::int64_t ns = 0;
    if (!read_duration(value, 1'000'000, ns) || ns > kMostNs) return false;
    time = Time::nanoseconds(ns);
    return true;
  }
  bool tokens(Key key, Key alias, Tokens& count) {
    const Key given = keys_.has(key) ? key : alias;
    if (!keys_.has(given)) return refuse(fmt::format("no \"{}\"", kNames[key]), std::string(expected()));
    return read_token_count(keys_[given], count) ||
           refuse(keys_.shown(given), fmt::format("a whole number from 1 to {}", kMaxTokens));
  }

  bool read_row() {
    CallGraph::Call call;
    call.line = documents_.line();
    Tokens prompt = 0;
    if (!tokens(kInput, kInputTokens, prompt) || !tokens(kOutput, kOutputTokens, call.output_tokens)) return false;
    std::string_view name;
    if (keys_.has(kSession) || typed_) {
      if (!text(kSession, name)) return false;
      call.session = graph_.number('s', name);
    }
    if (typed_) {
      if (!text(kPlay, name)) return false;
      call.play = graph_.number('p', name);
      call.session = graph_.number('s', fmt::format("{} of {}", call.session, name));
    }
    std::string_view model = "unnamed model";
    if ((keys_.has(kModel) || typed_) && !text(kModel, model)) return false;
    call.model = model_number(model);
    if (!read_blocks(prompt, call)) return false;
    if (!(sessions_ ? read_turn(call) : read_waits(call))) return false;
    graph_.add(std::move(call));
    return true;
  }

  bool read_blocks(Tokens prompt, CallGraph::Call& call) {
    BlockPrompt blocks(call.prompt, block_tokens_, typed_ ? call.play : 0);
    if (keys_.has(kIds)) {
      simdjson::dom::array ids;
      if (keys_[kIds].get(ids) != SUCCESS) return refuse("hash_ids is not an array", "an array of whole numbers");
      std::size_t count = 0;
      for (const simdjson::dom::element element : ids) {
        std::uint64_t id = 0;
        if (element.get(id) != SUCCESS) {
          return refuse(fmt::format("hash_ids/{} = {}", count, simdjson::minify(element)),
                        "a whole number from 0 to 2^64 - 1");
        }
        blocks.add(id);
        ++count;
      }
      const Tokens most = (prompt + block_tokens_ - 1) / block_tokens_;
      if (blocks.blocks() != most && blocks.blocks() != prompt / block_tokens_) {
        return refuse(fmt::format("{} hash_ids for {} tokens", count, prompt),
                      fmt::format("{}: one for every {} tokens", most, block_tokens_));
      }
    }
    blocks.finish(prompt);
    return true;
  }

  bool read_turn(CallGraph::Call& call) {
    if (!milliseconds(keys_.has(kCreated) ? kCreated : kTimestamp, call.date)) return false;
    call.id = graph_.number('r', fmt::format("line {}", call.line));
    if (call.session == 0) return true;
    if (last_.size() <= call.session) last_.resize(call.session + 1);
    Turn& last = last_[call.session];
    if (last.id != 0) {
      const Key delay = keys_.has(kDelayMs) ? kDelayMs : kDelay;
      if (keys_.has(delay)) {
        if (!milliseconds(delay, call.delay)) return false;
      } else if (call.date < last.date) {
        return refuse(
            fmt::format("a date {:.3f} s before that of the turn before it", (last.date - call.date).seconds()),
            "turns of a session in order of time, or with a delay");
      } else {
        call.delay = call.date - last.date;
      }
      call.delay_cause = Cause::kHuman;
      call.waits.push_back({last.id, Trigger::kCompletion, {}, "session_id"});
    }
    last = {call.id, call.date};
    call.date = call.waits.empty() ? call.date : Time();
    return true;
  }

  bool read_waits(CallGraph::Call& call) {
    std::string_view id;
    if (!text(kRequest, id)) return false;
    call.id = graph_.number('r', id);
    if (const std::uint64_t line = graph_.line_of(call.id); line != 0) {
      return refuse(fmt::format("request_id \"{}\" again, after line {}", id, line), "an id of its own for each row");
    }
    if (typed_) return read_dependencies(call);
    if (!milliseconds(keys_.has(kDelayMs) ? kDelayMs : kDelay, call.delay) || !milliseconds(kToolWait, call.tools))
      return false;
    if (keys_.has(kWaitFor)) {
      simdjson::dom::array ids;
      if (keys_[kWaitFor].get(ids) != SUCCESS) return refuse(keys_.shown(kWaitFor), "an array of request_ids");
      std::size_t i = 0;
      for (const simdjson::dom::element element : ids) {
        std::string pointer = fmt::format("wait_for/{}", i++);
        if (element.get(id) != SUCCESS)
          return refuse(fmt::format("{} = {}", pointer, simdjson::minify(element)), "a request_id");
        call.waits.push_back({graph_.number('r', id), Trigger::kCompletion, {}, std::move(pointer)});
      }
    }
    if (call.waits.empty() && !milliseconds(keys_.has(kCreated) ? kCreated : kTimestamp, call.date)) return false;
    return read_tools(call);
  }

  /// Names and number of the tools; their times are within `tool_wait_ms`.
  bool read_tools(CallGraph::Call& call) {
    if (!keys_.has(kToolEvents)) return true;
    simdjson::dom::array events;
    if (keys_[kToolEvents].get(events) != SUCCESS) return refuse(keys_.shown(kToolEvents), "an array of tool events");
    std::vector<std::string> names;
    for (const simdjson::dom::element event : events) {
      std::string_view name;
      ++call.tool_calls;
      if (event["tool_class"].get(name) != SUCCESS) continue;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    call.tool_names = fmt::format("{}", fmt::join(names, "+"));
    return true;
  }

  bool read_dependencies(CallGraph::Call& call) {
    if (!keys_.has(kNotBefore)) return refuse("no \"not_before_ms\"", std::string(expected()));
    if (!milliseconds(kNotBefore, call.date) || !milliseconds(kApiTime, call.duration)) return false;
    if (!keys_.has(kDependencies)) return true;
    simdjson::dom::array dependencies;
    if (keys_[kDependencies].get(dependencies) != SUCCESS)
      return refuse(keys_.shown(kDependencies), "an array of dependencies");
    for (const simdjson::dom::element element : dependencies) {
      CallGraph::Wait wait;
      wait.pointer = fmt::format("dependencies/{}/request_id", call.waits.size());
      std::string_view id, trigger, relation;
      simdjson::dom::element delay;
      const bool named = element["request_id"].get(id) == SUCCESS && element["trigger"].get(trigger) == SUCCESS &&
                         element["relation"].get(relation) == SUCCESS && element["delay_ms"].get(delay) == SUCCESS;
      if (!named || (trigger != "completion" && trigger != "dispatch") || !read_wait(delay, wait.delay) ||
          (relation != "sequence" && relation != "spawn" && relation != "join" && relation != "replay_barrier")) {
        return refuse(
            fmt::format("dependencies/{} = {}", call.waits.size(), sim::shown_text(simdjson::minify(element))),
            R"({"request_id": "…", "trigger": "completion" or "dispatch", "delay_ms": ms from 0, "relation": "sequence", "spawn", "join" or "replay_barrier"})");
      }
      wait.id = graph_.number('r', id);
      wait.trigger = trigger == "dispatch" ? Trigger::kDispatch : Trigger::kCompletion;
      call.waits.push_back(std::move(wait));
    }
    return true;
  }

  std::uint32_t model_number(std::string_view name) {
    const auto at = std::find(graph_.models.begin(), graph_.models.end(), name);
    const auto number = static_cast<std::uint32_t>(at - graph_.models.begin());
    if (at == graph_.models.end()) graph_.models.emplace_back(name);
    return number;
  }

  struct Turn {
    std::uint32_t id = 0;
    Time date;
  };
  CallGraph graph_;
  FaultLog log_;
  JsonDocuments documents_;
  JsonRow<kKeys> keys_{kNames};
  Tokens block_tokens_;
  bool sessions_, typed_ = false;
  std::vector<Turn> last_;  ///< by session
};

}  // namespace

std::unique_ptr<agents::RecordedTaskSource> open_agentic_mooncake(const std::string& path, const TaskOptions& options) {
  return MooncakeCalls(path, options, MooncakeCalls::Rows::kAgentic).read();
}

std::unique_ptr<agents::RecordedTaskSource> open_mooncake_sessions(const std::string& path,
                                                                   const TaskOptions& options) {
  return MooncakeCalls(path, options, MooncakeCalls::Rows::kSessions).read();
}

}  // namespace tokenyard::traces
