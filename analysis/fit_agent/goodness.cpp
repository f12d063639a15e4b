#include "analysis/fit_agent/goodness.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include "agents/work/task_player.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using agents::StepKind;
using platforms::CallRecord;
using sim::Time;

struct Samples {
  std::vector<double> calls, prompts, outputs, tools, people, tools_of_task, people_of_task, durations;
  double failed = 0;  ///< tasks
};

/// Answers every call at its own instant.
class InstantDoor final : public platforms::FrontDoor, private sim::EventHandler {
 public:
  InstantDoor(sim::Simulation& simulation, Samples& samples) : simulation_(simulation), samples_(samples) {}

  void submit(const platforms::CallRequest& request) override {
    CallRecord record;
    record.call = calls_++;
    record.task = request.task;
    record.agent = request.agent;
    record.node = request.node;
    record.arrival = record.scheduled = record.first_token = record.finish = simulation_.now();
    record.prompt_tokens = platforms::tokens_of(request.prompt);
    record.output_tokens = request.output_tokens;
    record.status = platforms::CallStatus::kCompleted;
    samples_.prompts.push_back(static_cast<double>(record.prompt_tokens));
    samples_.outputs.push_back(static_cast<double>(record.output_tokens));
    open_.push_back({record, request.listener, request.cookie});
    simulation_.schedule(simulation_.now(), sim::Priority::kStepEnd, entity_, *this);
  }

 private:
  struct Open {
    CallRecord record;
    platforms::CallListener* listener;
    std::uint64_t cookie;
  };
  void on_event(Time, std::uint64_t) override {
    const Open open = open_.front();
    open_.pop_front();
    open.listener->on_call_end(open.record, open.cookie);
  }

  sim::Simulation& simulation_;
  Samples& samples_;
  std::deque<Open> open_;
  sim::Entity entity_;
  std::uint64_t calls_ = 0;
};

struct Watch final : agents::TaskObserver {
  explicit Watch(Samples& s) : samples(s) {}
  void on_task(const agents::TaskRecord& record) override {
    const Visits made = visits[record.task];
    visits.erase(record.task);
    samples.calls.push_back(record.calls);
    samples.tools_of_task.push_back(made.tools);
    samples.people_of_task.push_back(made.people);
    samples.durations.push_back((record.finish - record.arrival).seconds());
    samples.failed += record.status == platforms::CallStatus::kFailed ? 1 : 0;
  }
  void on_node(const agents::NodeVisit& visit) override {
    const double seconds = (visit.end - visit.served).seconds();
    // A tool that takes no time stands for those beside another (learn_sessions.cpp).
    if (visit.kind == "tool" && visit.end > visit.begin) {
      samples.tools.push_back(seconds);
      visits[visit.task].tools += 1;
    }
    if (visit.kind == "human") {
      samples.people.push_back(seconds);
      visits[visit.task].people += seconds > 0 ? 1 : 0;
    }
  }
  struct Visits {
    double tools = 0, people = 0;
  };
  Samples& samples;
  std::map<std::uint64_t, Visits> visits;  ///< of tasks under way
};

Samples recorded_samples(const Observed& observed) {
  Samples samples;
  for (const ObservedTask& task : observed.tasks) {
    double calls = 0, tools = 0, people = 0;
    for (const Visit& visit : task.visits) {
      const StepKind kind = observed.nodes[visit.node].kind;
      if (kind == StepKind::kCall) {
        ++calls;
        samples.prompts.push_back(visit.prompt);
        samples.outputs.push_back(visit.output);
      } else {
        (kind == StepKind::kHuman ? samples.people : samples.tools).push_back(visit.seconds);
        (kind == StepKind::kHuman ? people : tools) += visit.seconds > 0 ? 1 : 0;
      }
    }
    samples.calls.push_back(calls);
    samples.tools_of_task.push_back(tools);
    samples.people_of_task.push_back(people);
    samples.durations.push_back(task.seconds);
    samples.failed += task.failed ? 1 : 0;
  }
  return samples;
}

std::vector<double> figures_of(std::vector<double> sample) {
  if (sample.empty()) return {};
  std::sort(sample.begin(), sample.end());
  std::vector<double> figures;
  for (const double q : Goodness::kQuantiles) figures.push_back(quantile_of_sorted(sample, q));
  figures.push_back(mean_of(sample));
  return figures;
}

Goodness::Row row_of(const char* name, std::vector<double> recorded, const std::vector<double>& played) {
  constexpr double kPercentiles = 0.02;
  Goodness::Row row{name,
                    figures_of(recorded),
                    figures_of(played),
                    static_cast<double>(recorded.size()),
                    static_cast<double>(played.size()),
                    {},
                    {}};
  std::sort(recorded.begin(), recorded.end());
  for (const double q : Goodness::kQuantiles) {
    if (recorded.empty()) break;
    row.low.push_back(quantile_of_sorted(recorded, q - kPercentiles));
    row.high.push_back(quantile_of_sorted(recorded, q + kPercentiles));
  }
  return row;
}

}  // namespace

double Goodness::worst() const {
  double greatest = 0;
  for (std::size_t r = 0; r < 3 && r < rows.size(); ++r) {
    if (rows[r].recorded.empty() || rows[r].played.empty()) continue;
    for (std::size_t q = 0; q < 5; ++q) {
      const double a = rows[r].recorded[q], b = rows[r].played[q];
      if (r == 0 && b >= rows[r].low[q] && b <= rows[r].high[q]) continue;
      greatest = std::max(greatest, std::abs(b - a) / std::max(a, 1.0));
    }
  }
  return greatest;
}

Goodness compare_played(const Observed& observed, const sim::Json& agent) {
  sim::Faults faults;
  const auto catalog = agents::AgentCatalog::of({{"learned", sim::to_text(agent)}}, faults);
  faults.throw_if_any();
  agents::WorkloadEntry entry;
  entry.agent = catalog.find(agent["name"].get<std::string>());
  entry.name = entry.agent->name;
  entry.pools.emplace_back(entry.agent->pool_roles.size(), 0);
  entry.arrivals.rate_per_s = 1;
  entry.max_tasks = std::clamp<std::uint64_t>(observed.tasks.size(), 2'000, 20'000);
  Samples played;
  sim::Simulation simulation;
  InstantDoor door(simulation, played);
  agents::TaskPlayer player(simulation, door, 1, {entry}, Time::seconds(1e9));
  Watch watch(played);
  player.add_observer(watch);
  player.start();
  simulation.run();

  const Samples recorded = recorded_samples(observed);
  Goodness goodness;
  goodness.tasks = entry.max_tasks;
  goodness.rows.push_back(row_of("calls per task", recorded.calls, played.calls));
  goodness.rows.push_back(row_of("prompt tokens per call", recorded.prompts, played.prompts));
  goodness.rows.push_back(row_of("output tokens per call", recorded.outputs, played.outputs));
  goodness.rows.push_back(row_of("seconds per tool", recorded.tools, played.tools));
  goodness.rows.push_back(row_of("seconds per person", recorded.people, played.people));
  // Rows of nothing but zeros say nothing.
  const auto add_row = [&](const char* name, const std::vector<double>& was, const std::vector<double>& is) {
    const auto some = [](const std::vector<double>& sample) {
      return std::any_of(sample.begin(), sample.end(), [](double x) { return x > 0; });
    };
    if (some(was) || some(is)) goodness.rows.push_back(row_of(name, was, is));
  };
  add_row("tools per task", recorded.tools_of_task, played.tools_of_task);
  add_row("people per task", recorded.people_of_task, played.people_of_task);
  add_row("seconds per task, calls aside", recorded.durations, played.durations);
  goodness.recorded_failed = recorded.failed / static_cast<double>(recorded.calls.size());
  goodness.played_failed = played.failed / static_cast<double>(goodness.tasks);
  return goodness;
}

}  // namespace tokenyard::analysis
