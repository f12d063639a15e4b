#pragma once
/// A recorded task in a line: "0plan 1search<0+2=3 0write<0+0<1+1" are three steps with their branch and name, what
/// each waits for and how much longer, and (but for calls) how long it takes, in seconds.

#include <fmt/format.h>
#include <string>

#include "agents/record/recorded_task.hpp"

namespace tokenyard::traces {

inline std::string shown(const agents::RecordedTask& task, const agents::RecordedNames& names) {
  std::string steps;
  for (const agents::RecordedStep& step : task.steps) {
    steps += fmt::format("{}{}{}", steps.empty() ? "" : " ", step.branch, names.nodes[task.agent][step.node].name);
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      const agents::RecordedDependency& dependency = task.dependencies[d];
      steps += fmt::format("<{}+{}", dependency.step, dependency.delay.seconds());
    }
    if (step.kind != agents::StepKind::kCall) steps += fmt::format("={}", step.duration.seconds());
  }
  return steps;
}

}  // namespace tokenyard::traces
