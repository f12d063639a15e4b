#pragma once
/// What is to get better: the figures of a run that are watched, and the goals that things are ranked by.
///
/// A gain is ln(before / after) of a figure that should shrink, ln(after / before) of one that should grow, and of a share
/// of the work (attainment, which may be 0) after - before: above 0 is better in all.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

enum class Figure { kTaskP50, kTaskP95, kTtftP95, kTpotP95, kAttainment, kGoodput, kEnergy, kCost };
inline constexpr std::array<std::string_view, 8> kFigureNames = {"task_p50",   "task_p95", "ttft_p95", "tpot_p95",
                                                                 "attainment", "goodput",  "energy",   "cost"};
/// As the columns of a table are called.
inline constexpr std::array<std::string_view, 8> kFigureTitles = {"task p50",   "task p95", "TTFT p95",    "TPOT p95",
                                                                  "attainment", "goodput",  "energy/task", "cost/task"};

enum class Goal { kTask, kTtft, kTpot, kAttainment, kGoodput, kEnergy, kCost };
inline const std::vector<std::string> kGoalNames = {"task", "ttft", "tpot", "attainment", "goodput", "energy", "cost"};
/// `name` is one of kGoalNames.
Goal goal_named(std::string_view name);
std::span<const Figure> ranking_figures(Goal goal);

/// A mean over repetitions with the half-width of its interval; nothing where the figure does not exist.
struct Elasticity {
  std::optional<double> mean;
  std::optional<double> half_width;  ///< none of one run, which does not tell an effect from chance
  /// Better by more than chance; of one run, better in that run.
  bool sure() const { return mean && *mean > half_width.value_or(0); }
  /// "+0.50 ±0.03", "+0.50" of one run, "–".
  std::string text() const;
};

/// Of every figure: what a change brings, or what it brings per percent of the change.
struct Gains {
  std::array<Elasticity, kFigureNames.size()> by_figure;

  const Elasticity& operator[](Figure figure) const { return by_figure[static_cast<std::size_t>(figure)]; }
  /// The mean; 0 where there is none.
  double of(Figure figure) const { return (*this)[figure].mean.value_or(0); }
  /// What a ranking goes by: the mean of the goal's figures.
  double score(Goal goal) const;
  /// Of one of the goal's figures.
  bool sure(Goal goal) const;
  /// Sure, and at least `least`.
  bool noticeable(Goal goal, double least) const;
};

/// The figures of one run, from its summary; NaN where one does not exist.
using Figures = std::array<double, kFigureNames.size()>;
Figures figures_of(const sim::Json& summary);
/// Of paired runs, over `per`.
Gains paired_gains(const std::vector<Figures>& before, const std::vector<Figures>& after, double per);

/// "task time", "the cost of a task": what a goal is about.
std::string_view subject_of(Goal goal);
/// "faster", "more": what it gets.
std::string_view better_word(Goal goal);
/// By which share its figures get smaller, or larger where they should grow; of a share of the work, by how much.
double share_gained(Goal goal, double gain);
/// "the median task 0.4 % and the 95th-percentile task 7.6 % faster", "the 95th-percentile TTFT 4.2 % shorter", of the
/// gains times `scale`; what does not get better by a tenth of a percent is not said to.
std::string gain_text(Goal goal, const Gains& gains, double scale);
std::string faster_text(double p50, double p95);

}  // namespace tokenyard::analysis
