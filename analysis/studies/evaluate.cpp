#include "analysis/studies/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <tbb/parallel_for.h>

#include "analysis/studies/case_run.hpp"
#include "analysis/studies/study_unit.hpp"
#include "analysis/studies/study_values.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kCurvePoints = 60;

/// One of the evaluations that a study consists of.
struct Plan {
  std::map<std::string, double> changed;
  std::uint64_t seed_shift = 0;
  bool whole = false;  ///< every measure of every case, not only what the outcome needs
  std::optional<Evaluation> done = {};
};

class StudyRun {
 public:
  StudyRun(const Study& study, const Catalogs& catalogs, const EvaluateOptions& options)
      : catalogs_(catalogs), options_(options) {
    findings_.study = study;
  }

  Findings run() {
    const auto begin = std::chrono::steady_clock::now();
    plan();
    for (std::map<std::string, CaseJob> wanted = look(); !wanted.empty(); wanted = look()) simulate_all(wanted);
    findings_.base = *plans_[0].done;
    fill_base();
    for (std::size_t i = 0; i < findings_.swings.size(); ++i) {
      findings_.swings[i].low = *plans_[1 + 2 * i].done;
      findings_.swings[i].high = *plans_[2 + 2 * i].done;
    }
    find_band();
    findings_.simulated = results_.size();
    findings_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(findings_);
  }

 private:
  const Study& study() const { return findings_.study; }

  void plan() {
    plans_.push_back({.whole = true});
    if (!options_.vary) return;
    for (const StudyInput& input : study().inputs) {
      if (!input.low) continue;
      findings_.swings.push_back({input.name,
                                  input.title,
                                  shown_with_unit(*input.low, input.unit),
                                  shown_with_unit(*input.high, input.unit),
                                  input.assumed,
                                  {},
                                  {}});
      plans_.push_back({.changed = {{input.name, *input.low}}});
      plans_.push_back({.changed = {{input.name, *input.high}}});
    }
    findings_.swings.push_back({"", "Chance: two other seeds", "second seed", "third seed", false, {}, {}});
    plans_.push_back({.seed_shift = 1});
    plans_.push_back({.seed_shift = 2});
  }

  /// Evaluates what can be; returns the cases that still have to run.
  std::map<std::string, CaseJob> look() {
    std::map<std::string, CaseJob> wanted;
    for (Plan& plan : plans_) {
      if (plan.done) continue;
      StudyValues values(study(), results_, plan.changed, plan.seed_shift, options_.shorten);
      bool pending = false;
      const auto attempt = [&](const auto& work) {
        try {
          work();
        } catch (const StudyValues::Pending&) {
          pending = true;
        }
      };
      Evaluation evaluation;
      if (plan.whole) {
        for (const StudyCase& of : study().cases) {
          attempt([&] { values.figures(of); });
          for (const StudyFormula& measure : study().measures)
            attempt([&] { values.value(of.name + '.' + measure.name); });
          for (const auto& let : of.let) attempt([&] { values.value(of.name + '.' + let.first); });
        }
        for (const StudyFormula& quantity : study().quantities) attempt([&] { values.value(quantity.name); });
        for (const StudyInput& input : study().inputs) attempt([&] { values.value(input.name); });
      }
      attempt([&] { values.value(study().outcome); });
      attempt([&] { judge(values, evaluation); });
      wanted.merge(values.wanted);
      if (pending) continue;
      evaluation.values = values.known();
      plan.done = std::move(evaluation);
    }
    return wanted;
  }

  void judge(StudyValues& values, Evaluation& evaluation) const {
    if (!values.value(study().outcome).is_number()) {
      evaluation.verdict = study().verdicts.size();
      evaluation.said = "Open: what it hangs on has no value, because a case cannot be served or a figure is unknown.";
      return;
    }
    for (std::size_t i = 0; i < study().verdicts.size(); ++i) {
      const StudyVerdict& verdict = study().verdicts[i];
      if (verdict.condition && values.formula(*verdict.condition) != true) continue;
      evaluation.verdict = i;
      evaluation.said = values.words(verdict.say);
      return;
    }
  }

  void simulate_all(const std::map<std::string, CaseJob>& wanted) {
    std::vector<const std::pair<const std::string, CaseJob>*> jobs;
    for (const auto& job : wanted) jobs.push_back(&job);
    std::vector<Json> figures(jobs.size());
    std::mutex mutex;
    std::size_t done = results_.size();
    tbb::parallel_for(std::size_t{0}, jobs.size(), [&](std::size_t i) {
      const CaseJob& job = jobs[i]->second;
      figures[i] = run_case(job, catalogs_, study().origin() + ": " + job.scenario["name"].get<std::string>());
      const std::lock_guard lock(mutex);
      if (options_.progress) options_.progress(++done, results_.size() + jobs.size());
    });
    for (std::size_t i = 0; i < jobs.size(); ++i) results_.emplace(jobs[i]->first, std::move(figures[i]));
  }

  void fill_base() {
    StudyValues values(study(), results_, {}, 0, options_.shorten);
    for (const StudyCase& of : study().cases) {
      findings_.runs[of.name] = values.figures(of);
      findings_.scenarios[of.name] = values.job_of(of).scenario;
    }
    for (const std::string& text : study().says) findings_.says.push_back(values.words(text));
    for (const StudyCurves& curves : study().curves) {
      CurvePoints points;
      for (const auto& [title, line] : curves.lines) {
        auto& at = points.lines.emplace_back();
        for (std::size_t i = 0; i < kCurvePoints; ++i) {
          const double share = static_cast<double>(i) / static_cast<double>(kCurvePoints - 1);
          const double x = curves.from * sim::portable_pow(curves.to / curves.from, share);
          const Json y =
              line.value([&](const std::string& name) { return name == "x" ? Json(x) : values.value(name); });
          if (y.is_number()) at.emplace_back(x, y.get<double>());
        }
      }
      findings_.curves.push_back(std::move(points));
    }
  }

  void find_band() {
    const auto base = findings_.base.number(study().outcome);
    if (!base || !options_.vary) return;
    double up = 0, down = 0;
    bool known = *base > 0;
    std::vector<double> widths;
    for (const Swing& swing : findings_.swings) {
      double most = 0, least = 0;
      for (const Evaluation* end : {&swing.low, &swing.high}) {
        const auto moved = end->number(study().outcome);
        known = known && moved && *moved > 0;
        if (!known) continue;
        const double log = sim::portable_log(*moved / *base);
        most = std::max(most, log);
        least = std::min(least, log);
      }
      up += most * most;
      down += least * least;
      widths.push_back(most - least);
    }
    if (known) {
      findings_.least = *base * sim::portable_exp(-std::sqrt(down));
      findings_.most = *base * sim::portable_exp(std::sqrt(up));
    }
    std::stable_sort(findings_.swings.begin(), findings_.swings.end(),
                     [&](const Swing& a, const Swing& b) { return width(a, *base) > width(b, *base); });
  }

  double width(const Swing& swing, double base) const {
    const double low = swing.low.number(study().outcome).value_or(base),
                 high = swing.high.number(study().outcome).value_or(base);
    return std::max({low, high, base}) - std::min({low, high, base});
  }

  const Catalogs& catalogs_;
  const EvaluateOptions& options_;
  Findings findings_;
  std::vector<Plan> plans_;  ///< the base, then two for each swing
  CaseResults results_;
};

}  // namespace

Json Evaluation::value(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? Json(nullptr) : found->second;
}

std::optional<double> Evaluation::number(const std::string& name) const {
  const Json found = value(name);
  return found.is_number() ? std::optional(found.get<double>()) : std::nullopt;
}

Findings evaluate(const Study& study, const Catalogs& catalogs, const EvaluateOptions& options) {
  return StudyRun(study, catalogs, options).run();
}

}  // namespace tokenyard::analysis
