#include "analysis/studies/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <tbb/parallel_for.h>

#include "analysis/studies/case_run.hpp"
#include "analysis/studies/study_unit.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr int kDeepest = 60;  // formulas that refer to formulas
constexpr std::size_t kCurvePoints = 60;

/// What runs have measured so far, by job.
using Results = std::map<std::string, Json>;

/// A value needs a case that has not run yet.
struct Pending {};

/// Follows a dotted key; null where the figures lack it.
Json follow(const Json& figures, const std::string& key) {
  const Json* at = &figures;
  for (std::size_t from = 0; from <= key.size();) {
    const std::size_t dot = std::min(key.find('.', from), key.size());
    const std::string name = key.substr(from, dot - from);
    if (!at->is_object() || !at->contains(name)) return nullptr;
    at = &(*at)[name];
    from = dot + 1;
  }
  return at->is_structured() ? Json(nullptr) : *at;
}

/// One evaluation under way: values are worked out when they are asked for, and kept.
class Values {
 public:
  Values(const Study& study, const Results& results, std::map<std::string, double> changed, std::uint64_t seed_shift,
         double shorten)
      : study_(study), results_(results), changed_(std::move(changed)), seed_shift_(seed_shift), shorten_(shorten) {}

  Json value(const std::string& name) { return resolve(name, nullptr); }

  Json formula(const Expression& expression) {
    return expression.value([&](const std::string& name) { return value(name); });
  }

  /// The figures of a case; throws Pending, with the job among `wanted`, if it has not run.
  const Json& figures(const StudyCase& of) {
    const CaseJob& job = job_of(of);
    const std::string key = job.key();
    const auto found = results_.find(key);
    if (found != results_.end()) return found->second;
    wanted.emplace(key, job);
    throw Pending();
  }

  const CaseJob& job_of(const StudyCase& of) {
    const auto known = jobs_.find(of.name);
    if (known != jobs_.end()) return known->second;
    CaseJob job;
    job.sized = of.sized;
    job.scenario = filled(of.scenario, of);
    job.scenario["seed"] = job.scenario.value("seed", std::uint64_t{1}) + seed_shift_;
    if (!job.scenario.contains("name")) job.scenario["name"] = study_.name + ", " + of.title;
    if (shorten_ != 1) {
      for (const char* key : {"duration_s", "warmup_s"}) {
        for (const char* part : {"run", "demand"}) {
          if (job.scenario.contains(part) && job.scenario[part].contains(key))
            job.scenario[part][key] = job.scenario[part][key].get<double>() * shorten_;
        }
      }
    }
    for (const auto& [kind, factor] : of.scale) {
      const Json value = filled(factor, of);
      if (value.is_number()) job.scale[kind] = value.get<double>();
    }
    return jobs_.emplace(of.name, std::move(job)).first->second;
  }

  std::string words(const std::string& text) {
    std::string said;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t open = std::min(text.find('{', at), text.size());
      said += text.substr(at, open - at);
      if (open == text.size()) break;
      const std::size_t close = text.find('}', open);
      const std::string name = text.substr(open + 1, close - open - 1);
      said += shown_with_unit(value(name), study_.title_and_unit(name).second);
      at = close + 1;
    }
    return said;
  }

  std::map<std::string, CaseJob> wanted;
  const std::map<std::string, Json>& known() const { return known_; }

 private:
  Json resolve(const std::string& name, const StudyCase* of) {
    if (of != nullptr && (of->let.contains(name) || study_.measure(name) != nullptr))
      return kept(of->name + '.' + name, [&] { return of_case(name, *of); });
    if (const StudyInput* input = study_.input(name)) {
      return kept(name, [&] {
        const auto changed = changed_.find(name);
        return Json(changed != changed_.end() ? changed->second : input->value);
      });
    }
    if (const StudyFormula* quantity = study_.quantity(name))
      return kept(name, [&] { return formula(quantity->formula); });
    if (of != nullptr) {
      const std::size_t dot = name.find('.');
      if (dot == std::string::npos || study_.find_case(name.substr(0, dot)) == nullptr)
        return follow(figures(*of), name);
    }
    const std::size_t dot = name.find('.');
    const StudyCase* other = study_.find_case(name.substr(0, dot));
    if (other == nullptr) return nullptr;
    const std::string member = name.substr(dot + 1);
    return kept(name, [&] { return of_case(member, *other); });
  }

  Json of_case(const std::string& name, const StudyCase& of) {
    const auto let = of.let.find(name);
    if (let != of.let.end()) return filled(let->second, of);
    return study_.measure(name)->formula.value([&](const std::string& inner) { return resolve(inner, &of); });
  }

  template <typename Work>
  Json kept(const std::string& name, const Work& work) {
    const auto found = known_.find(name);
    if (found != known_.end()) return found->second;
    if (++depth_ > kDeepest)
      throw sim::InputError(
          {"studies/" + study_.name + ".json", "", '"' + name + '"', "formulas that end: this one leads to itself"});
    struct Leave {
      int& depth;
      ~Leave() { --depth; }
    } leave{depth_};
    Json value = work();
    known_[name] = value;
    return value;
  }

  /// A template with its formulas replaced; a whole number becomes an integer.
  Json filled(const Json& part, const StudyCase& of) {
    if (part.is_string() && part.get_ref<const std::string&>().starts_with('=')) {
      const std::string text = part.get<std::string>().substr(1);
      sim::Faults faults;
      const auto expression = Expression::parse(
          text, [](const std::string&) { return ""; }, study_.name, "", faults);
      faults.throw_if_any();  // the reader has checked it
      Json value = expression->value([&](const std::string& name) {
        return of.let.contains(name) ? kept(of.name + '.' + name, [&] { return of_case(name, of); })
                                     : resolve(name, nullptr);
      });
      if (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()) &&
          std::fabs(value.get<double>()) < 9e15)
        value = static_cast<std::int64_t>(value.get<double>());
      return value;
    }
    if (!part.is_structured()) return part;
    Json copy = part;
    for (auto& [key, member] : copy.items()) member = filled(Json(member), of);
    return copy;
  }

  const Study& study_;
  const Results& results_;
  std::map<std::string, double> changed_;
  std::uint64_t seed_shift_;
  double shorten_;
  std::map<std::string, Json> known_;
  std::map<std::string, CaseJob> jobs_;
  int depth_ = 0;
};

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
      Values values(study(), results_, plan.changed, plan.seed_shift, options_.shorten);
      bool pending = false;
      const auto attempt = [&](const auto& work) {
        try {
          work();
        } catch (const Pending&) {
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

  void judge(Values& values, Evaluation& evaluation) const {
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
      figures[i] = run_case(job, catalogs_, "study " + study().name + ": " + job.scenario["name"].get<std::string>());
      const std::lock_guard lock(mutex);
      if (options_.progress) options_.progress(++done, results_.size() + jobs.size());
    });
    for (std::size_t i = 0; i < jobs.size(); ++i) results_.emplace(jobs[i]->first, std::move(figures[i]));
  }

  void fill_base() {
    Values values(study(), results_, {}, 0, options_.shorten);
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
  Results results_;
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
