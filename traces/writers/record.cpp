#include "traces/writers/record.hpp"

#include "traces/writers/json_text.hpp"

namespace tokenyard::traces {

using agents::RecordedStep;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;

void RecordFile::add(const agents::RecordedTask& task, const agents::RecordedNames& names) {
  auto out = file_.out();
  fmt::format_to(out, R"({{"task":{},"agent":{},"arrival_ns":{})", tasks_++, json_text(names.agents[task.agent]),
                 task.arrival.ns());
  if (task.status != platforms::CallStatus::kCompleted) {
    fmt::format_to(out, R"(,"status":"{}")", platforms::kCallStatusNames[static_cast<std::size_t>(task.status)]);
  }
  fmt::format_to(out, R"(,"steps":[)");
  bool first = true;
  for (const RecordedStep& step : task.steps) {
    fmt::format_to(out, R"({}{{"kind":"{}","node":{},"branch":{},"parent":{},"took_ns":{})", first ? "" : ",",
                   agents::kStepKindNames[static_cast<std::size_t>(step.kind)],
                   json_text(names.nodes[task.agent][step.node].name), step.branch, step.parent_branch,
                   step.duration.ns());
    first = false;
    if (step.not_before > sim::Time()) fmt::format_to(out, R"(,"not_before_ns":{})", step.not_before.ns());
    if (step.startup > sim::Time()) fmt::format_to(out, R"(,"startup_ns":{})", step.startup.ns());
    if (step.kind != StepKind::kCall || step.cause != Cause::kOther)
      fmt::format_to(out, R"(,"cause":"{}")", platforms::kCauseNames[static_cast<std::size_t>(step.cause)]);
    if (step.kind == StepKind::kCall) {
      fmt::format_to(out, R"(,"model":{},"output_tokens":{})", json_text(names.models[step.model]), step.output_tokens);
      if (step.entity != 0) fmt::format_to(out, R"(,"entity":{})", step.entity);
      if (step.output_content != 0) fmt::format_to(out, R"(,"output_content":{})", step.output_content);
      fmt::format_to(out, R"(,"prompt":[)");
      for (std::uint32_t e = 0; e < step.extents; ++e) {
        const platforms::Extent& extent = task.extents[step.first_extent + e];
        fmt::format_to(out, "{}[{},{}]", e == 0 ? "" : ",", extent.content, extent.tokens);
      }
      fmt::format_to(out, "]");
    } else if (step.count != 1) {
      fmt::format_to(out, R"(,"count":{})", step.count);
    }
    if (step.dependencies > 0) fmt::format_to(out, R"(,"after":[)");
    for (std::uint32_t d = 0; d < step.dependencies; ++d) {
      const agents::RecordedDependency& dependency = task.dependencies[step.first_dependency + d];
      fmt::format_to(out, "{}[{}", d == 0 ? "" : ",", dependency.step);
      const bool dispatch = dependency.trigger == Trigger::kDispatch;
      if (dispatch || dependency.delay > sim::Time()) {
        fmt::format_to(out, R"(,{},"{}")", dependency.delay.ns(),
                       platforms::kCauseNames[static_cast<std::size_t>(dependency.cause)]);
      }
      fmt::format_to(out, "{}]", dispatch ? R"(,"dispatch")" : "");
    }
    fmt::format_to(out, "{}}}", step.dependencies > 0 ? "]" : "");
  }
  fmt::format_to(out, "]}}\n");
  file_.flush_if_full();
}

}  // namespace tokenyard::traces
