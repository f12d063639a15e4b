#include "traces/writers/otlp.hpp"

#include <algorithm>

#include "traces/content.hpp"
#include "traces/writers/json_text.hpp"

namespace tokenyard::traces {

using agents::RecordedStep;
using agents::StepKind;
using sim::Time;

namespace {

constexpr std::int64_t kEpochNs = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z
constexpr int kInternal = 1, kClient = 3;

std::string span_id(std::uint64_t task, std::uint64_t number) {
  return fmt::format("{:016x}", content_of(number, task));
}

}  // namespace

OtlpFile::OtlpFile(const std::filesystem::path& path, const Names& names) : file_(path) {
  for (std::size_t pool = 0; pool < names.pools.size() && pool < names.models.size(); ++pool)
    model_of_[names.pools[pool]] = names.models[pool];
}

void OtlpFile::open_span(std::string_view parent, std::string_view id, std::string_view name, int kind, Time begin,
                         Time end) {
  fmt::format_to(file_.out(), R"({}{{"traceId":"{}","spanId":"{}")", first_span_ ? "" : ",", trace_, id);
  if (!parent.empty()) fmt::format_to(file_.out(), R"(,"parentSpanId":"{}")", parent);
  fmt::format_to(file_.out(), R"(,"name":{},"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[)",
                 json_text(name), kind, kEpochNs + begin.ns(), kEpochNs + end.ns());
  first_span_ = false;
  first_attribute_ = true;
}

void OtlpFile::text(std::string_view key, std::string_view value) {
  fmt::format_to(file_.out(), R"({}{{"key":"{}","value":{{"stringValue":{}}}}})", first_attribute_ ? "" : ",", key,
                 json_text(value));
  first_attribute_ = false;
}

void OtlpFile::number(std::string_view key, std::int64_t value) {
  fmt::format_to(file_.out(), R"({}{{"key":"{}","value":{{"intValue":"{}"}}}})", first_attribute_ ? "" : ",", key,
                 value);
  first_attribute_ = false;
}

void OtlpFile::close_span(bool failed) { fmt::format_to(file_.out(), R"(],"status":{{"code":{}}}}})", failed ? 2 : 1); }

void OtlpFile::add(const RanTask& ran, const agents::RecordedNames& names) {
  const std::uint64_t number = ran.record.task;
  trace_ = fmt::format("{:016x}{:016x}", content_of(number, 1), content_of(number, 2));
  const std::string& agent = names.agents[ran.task.agent];
  fmt::format_to(
      file_.out(),
      R"({{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":{}}}}}]}},)"
      R"("scopeSpans":[{{"scope":{{"name":"tokenyard"}},"schemaUrl":"https://opentelemetry.io/schemas/1.41.0","spans":[)",
      json_text(agent));
  first_span_ = true;
  std::vector<Branch> branches = {{0, 0, ran.record.arrival, ran.record.finish}};
  for (std::size_t s = 0; s < ran.task.steps.size(); ++s) {
    const RecordedStep& step = ran.task.steps[s];
    if (step.branch == 0) continue;
    const auto at =
        std::find_if(branches.begin(), branches.end(), [&](const Branch& b) { return b.number == step.branch; });
    if (at == branches.end()) {
      branches.push_back({step.branch, step.parent_branch, ran.runs[s].begin, ran.runs[s].end});
    } else {
      at->end = std::max(at->end, ran.runs[s].end);
    }
  }
  // A branch's span holds those of the branches that forked from it.
  for (std::size_t b = branches.size(); b-- > 1;) {
    for (Branch& parent : branches) {
      if (parent.number == branches[b].parent && parent.number != branches[b].number)
        parent.end = std::max(parent.end, branches[b].end);
    }
  }
  for (const Branch& branch : branches) {
    const bool main = branch.number == 0;
    open_span(main ? "" : span_id(number, branch.parent), span_id(number, branch.number), "invoke_agent " + agent,
              kInternal, branch.begin, branch.end);
    text("gen_ai.operation.name", "invoke_agent");
    text("gen_ai.agent.name", agent);
    close_span(main && ran.record.status != agents::TaskStatus::kCompleted);
  }
  for (std::size_t s = 0; s < ran.task.steps.size(); ++s) add_step(ran, names, s);
  fmt::format_to(file_.out(), "]}}]}}]}}\n");
  file_.flush_if_full();
}

void OtlpFile::add_step(const RanTask& ran, const agents::RecordedNames& names, std::size_t s) {
  const RecordedStep& step = ran.task.steps[s];
  const StepRun& run = ran.runs[s];
  const std::string& node = names.nodes[ran.task.agent][step.node].name;
  const std::string id = span_id(ran.record.task, (std::uint64_t{1} << 32) + s),
                    parent = span_id(ran.record.task, step.branch);
  if (step.kind == StepKind::kCall) {
    const std::string& name = names.models[step.model];  // the pool's, where it was simulated
    const auto pool = model_of_.find(name);
    const std::string& model = pool == model_of_.end() ? name : pool->second;
    open_span(parent, id, "chat " + model, kClient, run.begin, run.end);
    text("gen_ai.operation.name", "chat");
    text("gen_ai.provider.name", "tokenyard");
    text("gen_ai.request.model", model);
    if (pool != model_of_.end()) text("tokenyard.pool", name);
    number("gen_ai.usage.input_tokens", ran.task.prompt_tokens(step));
    if (run.cached_tokens >= 0) number("gen_ai.usage.cache_read.input_tokens", run.cached_tokens);
    number("gen_ai.usage.output_tokens", run.output_tokens);
    if (run.first_token != Time::never()) {
      fmt::format_to(file_.out(),
                     R"(,{{"key":"gen_ai.response.time_to_first_chunk","value":{{"doubleValue":{:.9f}}}}})",
                     (run.first_token - run.begin).seconds());
    }
    if (run.failed) text("error.type", "_OTHER");
    return close_span(run.failed);
  }
  if (step.kind == StepKind::kTool) {
    for (std::uint64_t copy = 0; copy < std::max(1U, step.count); ++copy) {  // side by side
      open_span(parent, span_id(ran.record.task, (copy + 1) << 32 | s), "execute_tool " + node, kInternal, run.begin,
                run.end);
      text("gen_ai.operation.name", "execute_tool");
      text("gen_ai.tool.name", node);
      close_span(run.failed);
    }
    return;
  }
  open_span(parent, id, node, kInternal, run.begin, run.end);
  text("tokenyard.step.kind", agents::kStepKindNames[static_cast<std::size_t>(step.kind)]);
  text("tokenyard.step.cause", platforms::kCauseNames[static_cast<std::size_t>(step.cause)]);
  close_span(run.failed);
}

}  // namespace tokenyard::traces
