#pragma once
/// One evaluation of a study under way: values are worked out when they are asked for, and kept. What needs a case that
/// has not run yet throws StudyValues::Pending and says which.
///
///   StudyValues values(study, results, {{"price", 3}}, 0, 1);
///   values.value("few.usd");   // throws Pending: values.wanted has the case to run

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis/studies/case_run.hpp"
#include "analysis/studies/study.hpp"

namespace tokenyard::analysis {

/// What runs have measured so far, by job.
using CaseResults = std::map<std::string, sim::Json>;

/// `study` and `results` must outlive it. `changed`: inputs with another value than the study's.
class StudyValues {
 public:
  /// A value needs a case that has not run yet.
  struct Pending {};

  StudyValues(const Study& study, const CaseResults& results, std::map<std::string, double> changed,
              std::uint64_t seed_shift, double shorten)
      : study_(study), results_(results), changed_(std::move(changed)), seed_shift_(seed_shift), shorten_(shorten) {}

  /// Of an input, a quantity, CASE.MEASURE, CASE.LET or a figure of a case; null where it has none.
  sim::Json value(const std::string& name) { return resolve(name, nullptr); }

  /// Null where it has no value.
  sim::Json formula(const Expression& expression);

  /// The figures of a case; throws Pending, with the job among `wanted`, if it has not run.
  const sim::Json& figures(const StudyCase& of);

  /// The case as it is simulated: its scenario filled in, shifted and shortened.
  const CaseJob& job_of(const StudyCase& of);

  /// A sentence with the values of the names in braces.
  std::string words(const std::string& text);

  std::map<std::string, CaseJob> wanted;  ///< cases that have to run first, by key
  const std::map<std::string, sim::Json>& known() const { return known_; }

 private:
  sim::Json resolve(const std::string& name, const StudyCase* of);

  sim::Json of_case(const std::string& name, const StudyCase& of);

  template <typename Work>
  sim::Json kept(const std::string& name, const Work& work);

  /// A template with its formulas replaced; a whole number becomes an integer.
  sim::Json filled(const sim::Json& part, const StudyCase& of);

  const Study& study_;
  const CaseResults& results_;
  std::map<std::string, double> changed_;
  std::uint64_t seed_shift_;
  double shorten_;
  std::map<std::string, sim::Json> known_;
  std::map<std::string, CaseJob> jobs_;
  int depth_ = 0;
};

}  // namespace tokenyard::analysis
