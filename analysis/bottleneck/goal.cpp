#include "analysis/bottleneck/goal.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/random/portable_math.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::array kTaskTimes = {Figure::kTaskP50, Figure::kTaskP95};

enum class Kind { kShrinks, kGrows, kShare };
struct Wording {
  Figure figure;
  Kind kind;
  std::string_view subject, figure_text, unit, better;
};
constexpr std::array<Wording, 7> kWordings = {{
    {Figure::kTaskP50, Kind::kShrinks, "task time", "the median task", "%", "faster"},
    {Figure::kTtftP95, Kind::kShrinks, "TTFT", "the 95th-percentile TTFT", "%", "shorter"},
    {Figure::kTpotP95, Kind::kShrinks, "TPOT", "the 95th-percentile TPOT", "%", "shorter"},
    {Figure::kAttainment, Kind::kShare, "the share of the work within the service level",
     "the share of the work within the service level", "points", "larger"},
    {Figure::kGoodput, Kind::kGrows, "goodput", "the goodput", "%", "higher"},
    {Figure::kEnergy, Kind::kShrinks, "the energy of a task", "the energy of a task", "%", "less"},
    {Figure::kCost, Kind::kShrinks, "the cost of a task", "the cost of a task", "%", "less"},
}};
const Wording& wording(Goal goal) { return kWordings[static_cast<std::size_t>(goal)]; }

Kind kind_of(Figure figure) {
  const auto of =
      std::find_if(kWordings.begin(), kWordings.end(), [&](const Wording& w) { return w.figure == figure; });
  return of != kWordings.end() ? of->kind : Kind::kShrinks;  // the tasks' other percentile
}

double number(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

Elasticity gain(const std::vector<Figures>& before, const std::vector<Figures>& after, std::size_t figure, double per) {
  std::vector<double> samples;
  for (std::size_t r = 0; r < before.size(); ++r) {
    const double from = before[r][figure], to = after[r][figure];
    const Kind kind = kind_of(static_cast<Figure>(figure));
    const double ratio = kind == Kind::kGrows ? to / from : from / to;
    if (kind == Kind::kShare ? !std::isfinite(to - from) : !(ratio > 0) || !std::isfinite(ratio)) return {};
    samples.push_back((kind == Kind::kShare ? to - from : sim::portable_log(ratio)) / per);
  }
  const sim::MeanInterval interval = sim::mean_interval(samples);
  return {interval.mean, interval.half_width};
}

}  // namespace

Goal goal_named(std::string_view name) {
  return static_cast<Goal>(std::find(kGoalNames.begin(), kGoalNames.end(), name) - kGoalNames.begin());
}

std::span<const Figure> ranking_figures(Goal goal) {
  if (goal == Goal::kTask) return kTaskTimes;
  return {&wording(goal).figure, 1};
}

std::string Elasticity::text() const {
  if (!mean) return "–";
  return fmt::format("{:+.2f}", *mean) + (half_width ? fmt::format("\u00a0±{:.2f}", *half_width) : "");
}

double Gains::score(Goal goal) const {
  double sum = 0;
  for (const Figure figure : ranking_figures(goal)) sum += of(figure);
  return sum / static_cast<double>(ranking_figures(goal).size());
}

bool Gains::sure(Goal goal) const {
  const std::span<const Figure> figures = ranking_figures(goal);
  return std::any_of(figures.begin(), figures.end(), [&](Figure figure) { return (*this)[figure].sure(); });
}

bool Gains::noticeable(Goal goal, double least) const { return score(goal) >= least && sure(goal); }

Figures figures_of(const Json& summary) {
  const Json& latency = summary["latency"];
  const double tasks = number(summary["throughput"]["tasks_per_s"]);
  // Of calls within the level as many tasks as they make up, if those are the fewer.
  const double good_calls =
      number(summary["slo"]["goodput_calls_per_s"]) / number(summary["throughput"]["calls_per_s"]);
  const double goodput = std::fmin(number(summary["slo"]["goodput_tasks_per_s"]), good_calls * tasks);
  return {number(latency["task_s"]["p50"]),
          number(latency["task_s"]["p95"]),
          number(latency["ttft_s"]["p95"]),
          number(latency["tpot_s"]["p95"]),
          number(summary["slo"]["least_attainment"]),
          goodput,
          number(summary["energy"]["watts_mean"]) / tasks,
          number(summary["cost"]["usd_per_completed_task"])};
}

Gains paired_gains(const std::vector<Figures>& before, const std::vector<Figures>& after, double per) {
  Gains gains;
  for (std::size_t f = 0; f < kFigureNames.size(); ++f) gains.by_figure[f] = gain(before, after, f, per);
  return gains;
}

std::string_view subject_of(Goal goal) { return wording(goal).subject; }
std::string_view better_word(Goal goal) { return wording(goal).better; }
double share_gained(Goal goal, double gain) {
  switch (wording(goal).kind) {
    case Kind::kShrinks:
      return 1 - sim::portable_exp(-gain);
    case Kind::kGrows:
      return sim::portable_exp(gain) - 1;
    case Kind::kShare:
      break;
  }
  return gain;
}

std::string faster_text(double p50, double p95) {
  constexpr double kShown = 0.0005;  // as "0.1 %"
  struct Gain {
    const char* task;
    double share;
  };
  std::array<Gain, 2> gains = {{{"the median task", share_gained(Goal::kTask, p50)},
                                {"the 95th-percentile task", share_gained(Goal::kTask, p95)}}};
  const auto text = [](const Gain& gain) { return fmt::format("{} {:.1f} %", gain.task, gain.share * 100); };
  if (gains[0].share < kShown) std::swap(gains[0], gains[1]);
  if (gains[1].share < kShown) return fmt::format("{} faster, not {}", text(gains[0]), gains[1].task);
  return fmt::format("{} and {} faster", text(gains[0]), text(gains[1]));
}

std::string gain_text(Goal goal, const Gains& gains, double scale) {
  const auto sure = [&](Figure figure) {  // what may be chance is not told as a gain
    return gains[figure].sure() ? gains.of(figure) * scale : 0;
  };
  if (goal == Goal::kTask) return faster_text(sure(Figure::kTaskP50), sure(Figure::kTaskP95));
  const Wording& of = wording(goal);
  const double gained = share_gained(goal, gains.of(of.figure) * scale);
  return fmt::format("{} {:.1f} {} {}", of.figure_text, gained * 100, of.unit, of.better);
}

}  // namespace tokenyard::analysis
