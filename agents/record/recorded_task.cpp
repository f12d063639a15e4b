#include "agents/record/recorded_task.hpp"

#include <algorithm>

namespace tokenyard::agents {

using sim::Time;

namespace {

std::uint32_t index_of(std::vector<std::string>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  const auto index = static_cast<std::uint32_t>(at - names.begin());
  if (at == names.end()) names.emplace_back(name);
  return index;
}

}  // namespace

double RecordedTask::longest_s() const {
  double waits_s = 0;
  Time not_before;
  for (const RecordedStep& step : steps) {
    Time delay;
    for (std::uint32_t d = 0; d < step.dependencies; ++d) {
      delay = std::max(delay, dependencies[step.first_dependency + d].delay);
    }
    waits_s += step.duration.seconds() + delay.seconds();
    not_before = std::max(not_before, step.not_before);
  }
  return arrival.seconds() + not_before.seconds() + waits_s;
}

RecordedTimes recorded_times(const RecordedTask& task) {
  RecordedTimes times;
  for (const RecordedStep& step : task.steps) {
    Time begin = task.arrival + step.not_before;
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      const RecordedDependency& dependency = task.dependencies[d];
      const Time met =
          dependency.trigger == Trigger::kDispatch ? times.begin[dependency.step] : times.end[dependency.step];
      begin = std::max(begin, met + dependency.delay);
    }
    times.begin.push_back(begin);
    times.end.push_back(begin + step.duration);
  }
  return times;
}

std::uint32_t RecordedNames::agent(std::string_view name) {
  const std::uint32_t index = index_of(agents, name);
  nodes.resize(agents.size());
  node_index.resize(agents.size());
  return index;
}

std::uint32_t RecordedNames::node(std::uint32_t agent, StepKind kind, std::string_view name) {
  auto& known = node_index[agent][static_cast<std::size_t>(kind)];
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  const auto index = static_cast<std::uint32_t>(nodes[agent].size());
  nodes[agent].push_back({std::string(name), kind});
  known.emplace(name, index);
  return index;
}

std::uint32_t RecordedNames::model(std::string_view name) { return index_of(models, name); }

}  // namespace tokenyard::agents
