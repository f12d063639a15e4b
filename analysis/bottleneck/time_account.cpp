#include "analysis/bottleneck/time_account.hpp"

#include <algorithm>

#include "analysis/run/summary.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using agents::RecordedDependency;
using agents::RecordedStep;
using platforms::Cause;
using platforms::CauseTimes;
using sim::Json;
using sim::Time;

namespace {

/// Of a task, on average.
Json causes_json(const CauseTimes& causes, double tasks) {
  std::array<double, platforms::kCauses> causes_s;
  for (std::size_t c = 0; c < platforms::kCauses; ++c) causes_s[c] = causes.by_cause[c].seconds() / tasks;
  return analysis::causes_json(causes_s);
}

Json bands_json(const TaskBands& tasks) {
  Json json = Json::array();
  for (const NamedBand& named : kTaskBands) {
    const TaskBand band = tasks.band(named.from, named.to);
    json.push_back({{"tasks", named.name},
                    {"from", named.from},
                    {"to", named.to},
                    {"count", band.tasks},
                    {"task_s", band.task_s()},
                    {"causes_s", analysis::causes_json(band.causes_s)}});
  }
  return json;
}

/// The latest end of each step that delays nothing. A step stands behind those that it waits for.
std::vector<Time> latest_ends(const traces::RanTask& ran) {
  std::vector<Time> latest(ran.task.steps.size(), ran.record.finish);
  for (std::size_t s = latest.size(); s-- > 0;) {
    const RecordedStep& step = ran.task.steps[s];
    const Time begin = latest[s] - (ran.runs[s].end - ran.runs[s].begin);
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      const RecordedDependency& dependency = ran.task.dependencies[d];
      latest[dependency.step] = std::min(latest[dependency.step], begin - dependency.delay);
    }
  }
  return latest;
}

}  // namespace

std::function<void(platforms::Fleet&, agents::Workload&, const traces::Names&)> TimeAccount::watcher(Time warmup) {
  return [this, warmup](platforms::Fleet& fleet, agents::Workload& workload, const traces::Names& names) {
    recorder_ = std::make_unique<traces::TaskRecorder>(
        names, [this, warmup](const traces::RanTask& ran, const agents::RecordedNames& recorded) {
          if (ran.record.arrival >= warmup && ran.record.status == agents::TaskStatus::kCompleted) add(ran, recorded);
        });
    fleet.add_observer(*recorder_);
    workload.add_observer(*recorder_);
  };
}

void TimeAccount::add(const traces::RanTask& ran, const agents::RecordedNames& names) {
  Agent& agent = agents_[names.agents[ran.task.agent]];
  agent.tasks.add(ran.record.causes);
  const std::vector<RecordedStep>& steps = ran.task.steps;
  const auto step_of = [&](std::size_t s) -> Step& {
    return agent.steps[names.nodes[ran.task.agent][steps[s].node].name];
  };
  const std::vector<Time> latest = latest_ends(ran);
  std::size_t last = 0;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    Step& step = step_of(s);
    step.kind = steps[s].kind;
    ++step.visits;
    step.time += ran.runs[s].end - ran.runs[s].begin;
    if (latest[s] > ran.runs[s].end) step.slack.add(latest[s] - ran.runs[s].end);
    if (ran.runs[s].end > ran.runs[last].end) last = s;
  }
  // Back along the critical path.
  for (std::size_t s = last;;) {
    Step& step = step_of(s);
    ++step.critical;
    const CauseTimes& causes = ran.runs[s].causes;
    step.causes += causes;
    if (steps[s].kind == agents::StepKind::kCall) pools_[names.models[steps[s].model]] += causes;
    const RecordedDependency* before = nullptr;
    for (std::uint32_t d = steps[s].first_dependency; d < steps[s].first_dependency + steps[s].dependencies; ++d) {
      const RecordedDependency& dependency = ran.task.dependencies[d];
      if (before == nullptr || ran.runs[dependency.step].end > ran.runs[before->step].end) before = &dependency;
    }
    const Time since = before != nullptr ? ran.runs[before->step].end : ran.record.arrival;
    step.causes[before != nullptr ? before->cause : Cause::kOther] += ran.runs[s].begin - since;
    if (before == nullptr) break;
    s = before->step;
  }
}

void TimeAccount::merge(const TimeAccount& other) {
  for (const auto& [name, from] : other.agents_) {
    Agent& agent = agents_[name];
    agent.tasks.merge(from.tasks);
    for (const auto& [at, step] : from.steps) {
      Step& to = agent.steps[at];
      to.kind = step.kind;
      to.visits += step.visits;
      to.time += step.time;
      to.slack.merge(step.slack);
      to.critical += step.critical;
      to.causes += step.causes;
    }
  }
  for (const auto& [name, causes] : other.pools_) pools_[name] += causes;
}

TaskBands TimeAccount::all() const {
  TaskBands all;
  for (const auto& [name, agent] : agents_) all.merge(agent.tasks);
  return all;
}

Json TimeAccount::json() const {
  Json agents = Json::object(), pools = Json::object();
  std::vector<Json> steps;
  const TaskBands tasks = all();
  const double task_s = tasks.count() > 0 ? tasks.band(0, 1).task_s() * static_cast<double>(tasks.count()) : 0;
  const auto share_of_all = [&](const CauseTimes& causes) {
    return task_s > 0 ? Json(causes.sum().seconds() / task_s) : Json(nullptr);
  };
  for (const auto& [name, agent] : agents_) {
    const auto count = static_cast<double>(agent.tasks.count());
    agents[name] = {{"count", agent.tasks.count()}, {"bands", bands_json(agent.tasks)}};
    for (const auto& [at, step] : agent.steps) {
      const auto visits = static_cast<double>(step.visits);
      steps.push_back({{"agent", name},
                       {"step", at},
                       {"kind", agents::kStepKindNames[static_cast<std::size_t>(step.kind)]},
                       {"visits_per_task", visits / count},
                       {"visit_s", step.time.seconds() / visits},
                       {"share", share_of_all(step.causes)},
                       {"critical", static_cast<double>(step.critical) / visits},
                       {"slack",
                        {{"visits", static_cast<double>(step.slack.count()) / visits},
                         {"p50_s", sim::or_null(step.slack.quantile_s(0.5))},
                         {"p95_s", sim::or_null(step.slack.quantile_s(0.95))}}},
                       {"causes_s", causes_json(step.causes, count)}});
    }
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Json& a, const Json& b) {
    return a["share"].is_number() && b["share"].is_number() && a["share"].get<double>() > b["share"].get<double>();
  });
  for (const auto& [name, causes] : pools_) {
    pools[name] = {{"share", share_of_all(causes)},
                   {"causes_s", causes_json(causes, static_cast<double>(tasks.count()))}};
  }
  return {{"bands", bands_json(tasks)}, {"agents", agents}, {"steps", steps}, {"pools", pools}};
}

}  // namespace tokenyard::analysis
