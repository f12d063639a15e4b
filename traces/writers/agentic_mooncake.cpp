#include "traces/writers/agentic_mooncake.hpp"

#include <algorithm>
#include <map>

#include "sim/random/scatter.hpp"
#include "traces/writers/json_text.hpp"

namespace tokenyard::traces {

using agents::RecordedDependency;
using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using agents::Trigger;
using platforms::Tokens;
using sim::Time;

namespace {

/// A call that another waits for, directly or through steps that are no calls.
struct Before {
  std::uint32_t step;
  Trigger trigger;
  Time delay;
};

/// The calls that each step follows. A path through tools and waits is their time; of two paths the longer counts.
std::vector<std::vector<Before>> calls_before(const RecordedTask& task) {
  std::vector<std::vector<Before>> before(task.steps.size());
  for (std::size_t s = 0; s < task.steps.size(); ++s) {
    const RecordedStep& step = task.steps[s];
    const auto add = [&](const Before& one) {
      for (Before& known : before[s]) {
        if (known.step != one.step || known.trigger != one.trigger) continue;
        known.delay = std::max(known.delay, one.delay);
        return;
      }
      before[s].push_back(one);
    };
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      const RecordedDependency& dependency = task.dependencies[d];
      const RecordedStep& other = task.steps[dependency.step];
      if (other.kind == StepKind::kCall) {
        add({dependency.step, dependency.trigger, dependency.delay});
        continue;
      }
      const Time through = dependency.delay + (dependency.trigger == Trigger::kDispatch ? Time() : other.duration);
      for (const Before& one : before[dependency.step]) add({one.step, one.trigger, one.delay + through});
    }
  }
  return before;
}

/// The earliest that each step may begin, after the task's arrival, as far as no call holds it up: by dates, and by the
/// time of the tools and waits before it.
std::vector<Time> earliest_without_calls(const RecordedTask& task) {
  std::vector<Time> earliest;
  for (const RecordedStep& step : task.steps) {
    Time begin = step.not_before;
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      const RecordedDependency& dependency = task.dependencies[d];
      const RecordedStep& other = task.steps[dependency.step];
      if (other.kind == StepKind::kCall) continue;
      const Time through = dependency.delay + (dependency.trigger == Trigger::kDispatch ? Time() : other.duration);
      begin = std::max(begin, earliest[dependency.step] + through);
    }
    earliest.push_back(begin);
  }
  return earliest;
}

/// Numbers of a task's blocks: equal beginnings of contexts have equal numbers.
class BlockNumbers {
 public:
  explicit BlockNumbers(Tokens block_tokens) : block_tokens_(block_tokens) {}

  std::vector<std::uint64_t> of(const RecordedTask& task, const RecordedStep& step) {
    std::vector<std::uint64_t> ids;
    std::uint64_t chain = 0;  // all content up to here
    Tokens filled = 0;
    for (std::uint32_t e = step.first_extent; e < step.first_extent + step.extents; ++e) {
      const platforms::Extent& extent = task.extents[e];
      const std::uint64_t content = extent.content != 0 ? extent.content : sim::scatter(++private_);
      for (Tokens offset = 0; offset < extent.tokens;) {
        const Tokens taken = std::min(extent.tokens - offset, block_tokens_ - filled);
        chain = sim::scatter(chain ^ sim::scatter(content + static_cast<std::uint64_t>(offset)) ^
                             static_cast<std::uint64_t>(taken));
        offset += taken;
        filled += taken;
        if (filled == block_tokens_) {
          ids.push_back(number(chain));
          filled = 0;
        }
      }
    }
    if (filled > 0) ids.push_back(number(chain));
    return ids;
  }

 private:
  std::uint64_t number(std::uint64_t chain) { return numbers_.try_emplace(chain, numbers_.size() + 1).first->second; }

  Tokens block_tokens_;
  std::uint64_t private_ = 0;
  std::map<std::uint64_t, std::uint64_t> numbers_;
};

double milliseconds(Time time) { return static_cast<double>(time.ns()) * 1e-6; }

}  // namespace

AgenticMooncakeFile::AgenticMooncakeFile(const std::filesystem::path& path, std::string_view source_format,
                                         Tokens block_tokens)
    : file_(path), block_tokens_(block_tokens) {
  fmt::format_to(
      file_.out(),
      R"({{"schema":"dynamo.agentic_mooncake","version":2,"block_size":{},"hash_id_scope":"local","source":{{"format":{},"digest":""}}}})"
      "\n",
      block_tokens, json_text(source_format));
}

void AgenticMooncakeFile::add(const RecordedTask& task, const agents::RecordedNames& names) {
  const bool any = std::any_of(task.steps.begin(), task.steps.end(),
                               [](const RecordedStep& step) { return step.kind == StepKind::kCall; });
  if (!any) {
    ++tasks_without_calls_;
    return;
  }
  const std::uint64_t play = tasks_++;
  const std::vector<Time> earliest = earliest_without_calls(task);
  const std::vector<std::vector<Before>> before = calls_before(task);
  BlockNumbers blocks(block_tokens_);
  for (std::uint32_t s = 0; s < task.steps.size(); ++s) {
    const RecordedStep& step = task.steps[s];
    if (step.kind != StepKind::kCall) continue;
    const Time not_before = task.arrival + earliest[s];
    fmt::format_to(
        file_.out(),
        R"({{"request_id":"{0}.{1}","play_id":"{0}","session_id":"{0}.{2}","model":{3},"input_length":{4},"output_length":{5},"hash_ids":[{6}],"not_before_ms":{7})",
        play, s, step.branch, json_text(names.models[step.model]), task.prompt_tokens(step), step.output_tokens,
        fmt::join(blocks.of(task, step), ","), milliseconds(not_before));
    if (step.duration > Time())
      fmt::format_to(file_.out(), R"(,"recorded_api_time_ms":{})", milliseconds(step.duration));
    for (std::size_t b = 0; b < before[s].size(); ++b) {
      const Before& one = before[s][b];
      const std::uint32_t other = task.steps[one.step].branch;
      const char* relation = other == step.branch ? "sequence" : step.parent_branch == other ? "spawn" : "join";
      fmt::format_to(file_.out(), R"({}{{"request_id":"{}.{}","trigger":"{}","delay_ms":{},"relation":"{}"}})",
                     b == 0 ? ",\"dependencies\":[" : ",", play, one.step,
                     one.trigger == Trigger::kDispatch ? "dispatch" : "completion", milliseconds(one.delay), relation);
    }
    fmt::format_to(file_.out(), "{}}}\n", before[s].empty() ? "" : "]");
    file_.flush_if_full();
  }
}

}  // namespace tokenyard::traces
