#pragma once
/// What a study finds: every case simulated now, every quantity, and how the outcome moves when an input does.
///
/// An *evaluation* is the study with at most one input at an end of its range, or with other seeds. In rounds, all
/// evaluations say which cases they still need; those that are alike are simulated once, side by side in threads, until
/// nothing is missing. So an input that no scenario uses costs no simulation, and the result does not depend on
/// threads.
///
/// The *band* of the outcome: the ranges of the inputs are taken as independent, and the factors by which each moves
/// the outcome up (or down) are combined as the root of the sum of the squares of their logarithms.
///
///   Findings findings = evaluate(load_study("token-surge"), catalogs.view(), {});
///   findings.base.value("chips");

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analysis/scenario/scenario.hpp"
#include "analysis/studies/study.hpp"

namespace tokenyard::analysis {

/// One evaluation, done.
struct Evaluation {
  std::map<std::string, sim::Json> values;  ///< inputs, quantities, CASE.MEASURE, CASE.LET: those that were asked for
  std::size_t verdict = 0;                  ///< index among the study's; their number where the outcome has no value
  std::string said;                         ///< the verdict in words
  sim::Json value(const std::string& name) const;  ///< null where it has none
  std::optional<double> number(const std::string& name) const;
};

/// An input at both ends of its range, or chance.
struct Swing {
  std::string input;  ///< empty: other seeds
  std::string title, low_text, high_text;
  bool assumed = false;
  Evaluation low, high;
};

struct CurvePoints {
  std::vector<std::vector<std::pair<double, double>>> lines;
};

struct Findings {
  Study study;
  Evaluation base;
  std::vector<Swing> swings;                   ///< widest first
  std::optional<double> least, most;           ///< the band of the outcome
  std::vector<CurvePoints> curves;             ///< by the study's
  std::vector<std::string> says;               ///< the study's further sentences, filled
  std::map<std::string, sim::Json> runs;       ///< the base's figures by case; `why_not` where nothing can serve it
  std::map<std::string, sim::Json> scenarios;  ///< as simulated, by case
  std::size_t simulated = 0;                   ///< cases, over all evaluations
  double wall_s = 0;

  /// Of the base's verdict; "open" and false where there is none.
  std::string badge() const { return open() ? "open" : study.verdicts[base.verdict].badge; }
  bool holds() const { return !open() && study.verdicts[base.verdict].holds; }
  bool open() const { return base.verdict >= study.verdicts.size(); }
};

struct EvaluateOptions {
  bool vary = true;                                                   ///< else the base alone
  double shorten = 1;                                                 ///< times every duration: for tests
  std::function<void(std::size_t done, std::size_t known)> progress;  ///< cases; one thread at a time
};

Findings evaluate(const Study& study, const Catalogs& catalogs, const EvaluateOptions& options);

}  // namespace tokenyard::analysis
