/// The format `record`: tasks as they ran in a simulation (written by writers/record.hpp), one JSON object a line,
/// exact to the nanosecond:
///
///   {"task": 0, "agent": "customer-service", "arrival_ns": 12, "steps": [
///     {"kind": "llm", "node": "reply", "branch": 0, "parent": 0, "model": "main", "prompt": [[content, tokens], …],
///      "output_tokens": 120, "output_content": 7, "took_ns": 9, "after": [[0, 5, "other", "completion"], …]},
///     {"kind": "tool", "node": "look-up", "branch": 0, "parent": 0, "took_ns": 1500, "cause": "tool", "count": 1,
///     "after": [[0]]}]}
///
/// `"status": "failed"`, "rejected" or "unfinished" beside the agent: the task ended so. `after` names earlier steps of
/// the line by their place, with a delay in nanoseconds (0), its cause ("other") and the trigger ("completion"). `model`
/// is the pool that served the call. `not_before_ns` counts from the arrival; an LLM step's `cause` says what that time
/// was. An LLM step's `entity` (0: none) keeps its random draws, those of speculative decoding, as they were. A tool's
/// `count` is the calls that ran side by side; its `startup_ns` (0), or a person's, what of `took_ns` a cold server took
/// to start.

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
using sim::Time;
using simdjson::SUCCESS;

constexpr std::int64_t kMostNs = 1'000'000'000'000'000'000, kMostBranches = 1'000'000'000;
constexpr std::string_view kExpected =
    R"({"task": 0, "agent": "…", "arrival_ns": 0, "steps": [{"kind": "llm", …}, …]})";

class RecordReader final : public TaskDocuments {
 public:
  RecordReader(const std::string& path, const TaskOptions& options)
      : TaskDocuments(path, options.skip_faulty, "faulty lines", kExpected) {}

 private:
  bool read_task(Element root, RecordedTask& task) override {
    std::string_view agent;
    std::int64_t arrival = 0;
    simdjson::dom::array steps;
    if (root["agent"].get(agent) != SUCCESS || root["steps"].get(steps) != SUCCESS ||
        root["arrival_ns"].get(arrival) != SUCCESS || arrival < 0 || arrival > kMostNs || steps.size() == 0) {
      return refuse("", sim::shown_text(simdjson::minify(root)), std::string(kExpected));
    }
    static const std::vector<std::string> kKeys = {"task", "agent", "arrival_ns", "status", "steps"};
    if (!know_keys(root, kKeys, "")) return false;
    task.agent = names_.agent(agent);
    task.arrival = Time::nanoseconds(arrival);
    std::string_view status = "completed";
    Element given;
    const bool read = root["status"].get(given) != SUCCESS || given.get(status) == SUCCESS;
    const auto& names = platforms::kCallStatusNames;
    const auto known = std::find(names.begin(), names.end(), status);
    if (!read || known == names.end())
      return refuse("/status", sim::shown_text(simdjson::minify(given)),
                    fmt::format("one of {}", fmt::join(names, ", ")));
    task.status = static_cast<platforms::CallStatus>(known - names.begin());
    std::size_t i = 0;
    for (const Element step : steps) {
      const std::string pointer = fmt::format("/steps/{}", i++);
      if (!read_step(step, pointer, task) || !read_after(step, pointer, task)) return false;
    }
    return true;
  }

  /// The format is Tokenyard's own: what is no key of it is one mistyped.
  bool know_keys(simdjson::dom::object object, const std::vector<std::string>& keys, const std::string& pointer) {
    for (const auto [key, value] : object) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        return refuse(fmt::format("{}/{}", pointer, key), "an unknown key",
                      fmt::format("one of {}{}", fmt::join(keys, ", "), sim::did_you_mean(key, keys)));
      }
    }
    return true;
  }

  /// A whole number from 0 to `most`; `value` stays as it is if there is none. Not 1e9, which JSON's readers hold as a
  /// double: nanoseconds may have more digits than one.
  template <typename Integer>
  bool count(Element object, const char* key, std::int64_t most, Integer& value, const std::string& pointer) {
    Element element;
    std::int64_t number = 0;
    if (object[key].get(element) != SUCCESS) return true;
    if (element.get(number) != SUCCESS || number < 0 || number > most) {
      return refuse(fmt::format("{}/{}", pointer, key), sim::shown_text(simdjson::minify(element)),
                    fmt::format("a whole number from 0 to {}, without a point or an exponent", most));
    }
    value = static_cast<Integer>(number);
    return true;
  }

  bool read_step(Element element, const std::string& pointer, RecordedTask& task) {
    std::string_view kind, node, cause = "other";
    if (element["kind"].get(kind) != SUCCESS || element["node"].get(node) != SUCCESS) {
      return refuse(pointer, sim::shown_text(simdjson::minify(element)),
                    R"({"kind": "llm", "tool", "human" or "wait", "node": "…", …})");
    }
    static const std::vector<std::string> kKeys = {"kind",       "node",          "branch", "parent", "took_ns",
                                                   "startup_ns", "not_before_ns", "cause",  "count",  "model",
                                                   "prompt",     "output_tokens", "entity", "after",  "output_content"};
    if (!know_keys(element, kKeys, pointer)) return false;
    const auto at = std::find(agents::kStepKindNames.begin(), agents::kStepKindNames.end(), kind);
    if (at == agents::kStepKindNames.end())
      return refuse(pointer + "/kind", sim::shown_text(kind), "llm, tool, human or wait");
    RecordedStep& step = task.steps.emplace_back();
    step.kind = static_cast<StepKind>(at - agents::kStepKindNames.begin());
    step.node = names_.node(task.agent, step.kind, node);
    std::int64_t took = 0, startup = 0, not_before = 0;
    if (!count(element, "branch", kMostBranches, step.branch, pointer) ||
        !count(element, "parent", kMostBranches, step.parent_branch, pointer) ||
        !count(element, "took_ns", kMostNs, took, pointer) ||
        !count(element, "startup_ns", step.kind == StepKind::kCall ? 0 : took, startup, pointer) ||
        !count(element, "not_before_ns", kMostNs, not_before, pointer) ||
        !count(element, "count", kMostBranches, step.count, pointer)) {
      return false;
    }
    step.duration = Time::nanoseconds(took);
    step.startup = Time::nanoseconds(startup);
    step.not_before = Time::nanoseconds(not_before);
    Element given;
    if (element["cause"].get(given) == SUCCESS && (given.get(cause) != SUCCESS || !read_cause(cause, step.cause))) {
      return refuse(pointer + "/cause", sim::shown_text(simdjson::minify(given)),
                    fmt::format("one of {}", fmt::join(platforms::kCauseNames, ", ")));
    }
    return step.kind != StepKind::kCall || read_call(element, pointer, task);
  }

  bool read_call(Element element, const std::string& pointer, RecordedTask& task) {
    RecordedStep& step = task.steps.back();
    std::string_view model;
    simdjson::dom::array prompt;
    if (element["model"].get(model) != SUCCESS) return refuse(pointer + "/model", "nothing", "a model or pool");
    step.model = names_.model(model);
    Element output;
    if (element["output_tokens"].get(output) != SUCCESS || !read_token_count(output, step.output_tokens)) {
      return refuse(pointer + "/output_tokens", "nothing of use",
                    fmt::format("a whole number from 1 to {}", kMaxTokens));
    }
    if (element["output_content"].get(step.output_content) != SUCCESS) step.output_content = 0;
    if (element["entity"].get(step.entity) != SUCCESS) step.entity = 0;
    if (element["prompt"].get(prompt) != SUCCESS || prompt.size() == 0) {
      return refuse(pointer + "/prompt", "no extents", "[[content, tokens], …]");
    }
    step.first_extent = static_cast<std::uint32_t>(task.extents.size());
    for (const Element extent : prompt) {
      platforms::Extent read;
      Element tokens;
      if (extent.at(0).get(read.content) != SUCCESS || extent.at(1).get(tokens) != SUCCESS ||
          !read_token_count(tokens, read.tokens)) {
        return refuse(fmt::format("{}/prompt/{}", pointer, step.extents), sim::shown_text(simdjson::minify(extent)),
                      "[content, tokens]");
      }
      task.extents.push_back(read);
      ++step.extents;
    }
    return true;
  }

  static bool read_cause(std::string_view name, Cause& cause) {
    const auto at = std::find(platforms::kCauseNames.begin(), platforms::kCauseNames.end(), name);
    cause = static_cast<Cause>(at - platforms::kCauseNames.begin());
    return at != platforms::kCauseNames.end();
  }

  bool read_after(Element element, const std::string& pointer, RecordedTask& task) {
    Element given;
    if (element["after"].get(given) != SUCCESS) return true;
    simdjson::dom::array list;
    if (given.get(list) != SUCCESS)
      return refuse(pointer + "/after", sim::shown_text(simdjson::minify(given)),
                    "[[step, delay_ns, cause, trigger], …]");
    std::size_t i = 0;
    for (const Element after : list) {
      agents::RecordedDependency dependency;
      std::int64_t step = -1, delay = 0;
      std::string_view cause, trigger = "completion";
      const std::size_t length = after.is_array() ? simdjson::dom::array(after).size() : 0;
      const bool read = length >= 1 && length <= 4 && after.at(0).get(step) == SUCCESS &&
                        (length < 2 || (after.at(1).get(delay) == SUCCESS && delay >= 0 && delay <= kMostNs)) &&
                        (length < 3 || (after.at(2).get(cause) == SUCCESS && read_cause(cause, dependency.cause))) &&
                        (length < 4 || after.at(3).get(trigger) == SUCCESS);
      if (!read || step < 0 || step >= static_cast<std::int64_t>(task.steps.size()) - 1 ||
          (trigger != "completion" && trigger != "dispatch")) {
        return refuse(fmt::format("{}/after/{}", pointer, i), sim::shown_text(simdjson::minify(after)),
                      "[an earlier step, delay in ns, cause, \"completion\" or \"dispatch\"]");
      }
      dependency.step = static_cast<std::uint32_t>(step);
      dependency.delay = Time::nanoseconds(delay);
      dependency.trigger = trigger == "dispatch" ? Trigger::kDispatch : Trigger::kCompletion;
      task.depend(dependency);
      ++i;
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<agents::RecordedTaskSource> open_record(const std::string& path, const TaskOptions& options) {
  auto record = std::make_unique<RecordReader>(path, options);
  record->look_through();
  return record;
}

}  // namespace tokenyard::traces
