#include "analysis/studies/findings.hpp"

#include <fmt/format.h>

#include "analysis/studies/study_unit.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Json;

std::vector<std::string> answer_of(const Findings& findings) {
  const Study& study = findings.study;
  std::vector<std::string> answer = {findings.base.said};
  const auto [title, unit] = study.title_and_unit(study.outcome);
  const auto outcome = findings.base.number(study.outcome);
  if (outcome && findings.least && findings.most) {
    answer.push_back(fmt::format("{}: {}, with a band from {} to {}.", title, shown_with_unit(*outcome, unit),
                                 shown_with_unit(*findings.least, unit), shown_with_unit(*findings.most, unit)));
  }
  answer.insert(answer.end(), findings.says.begin(), findings.says.end());
  return answer;
}

std::vector<std::string> changes_of(const Findings& findings) {
  std::vector<std::string> changes;
  for (const Swing& swing : findings.swings) {
    for (const auto& [end, text] : {std::pair{&swing.low, &swing.low_text}, std::pair{&swing.high, &swing.high_text}}) {
      if (end->verdict == findings.base.verdict) continue;
      changes.push_back(fmt::format("{}: {}. {}", swing.title, *text, end->said));
    }
  }
  if (changes.empty() && !findings.swings.empty())
    changes.push_back("Nothing within the ranges looked at changes the verdict, one input at a time.");
  return changes;
}

std::vector<std::string> failures_of(const Findings& findings) {
  std::vector<std::string> failures;
  for (const StudyCase& of : findings.study.cases) {
    const Json& run = findings.runs.at(of.name);
    if (run.contains("why_not"))
      failures.push_back(fmt::format("{}: {}.", of.title, run["why_not"].get<std::string>()));
  }
  return failures;
}

std::string cell_of(const Findings& findings, const std::string& of_case, const StudyFormula& measure) {
  return shown_with_unit(findings.base.value(of_case + '.' + measure.name), measure.unit);
}

Json to_json(const Findings& findings) {
  const Study& study = findings.study;
  Json json = {{"schema", "tokenyard.findings/1"},
               {"study", study.name},
               {"claim", study.claim},
               {"verdict", findings.base.said},
               {"holds", findings.holds()},
               {"answer", answer_of(findings)},
               {"outcome",
                {{"name", study.outcome},
                 {"value", findings.base.value(study.outcome)},
                 {"least", sim::or_null(findings.least)},
                 {"most", sim::or_null(findings.most)}}},
               {"quantities", Json::object()},
               {"cases", Json::object()},
               {"inputs", study.document["inputs"]},
               {"swings", Json::array()},
               {"changes", changes_of(findings)},
               {"failures", failures_of(findings)},
               {"simulated_cases", findings.simulated},
               {"wall_s", findings.wall_s}};
  for (const StudyFormula& quantity : study.quantities)
    json["quantities"][quantity.name] = findings.base.value(quantity.name);
  for (const StudyCase& of : study.cases) {
    Json& at = json["cases"][of.name];
    at["title"] = of.title;
    for (const StudyFormula& measure : study.measures)
      at[measure.name] = findings.base.value(of.name + '.' + measure.name);
    at["scenario"] = findings.scenarios.at(of.name);
  }
  for (const Swing& swing : findings.swings) {
    json["swings"].push_back({{"input", swing.input.empty() ? Json(nullptr) : Json(swing.input)},
                              {"title", swing.title},
                              {"assumed", swing.assumed},
                              {"low", swing.low_text},
                              {"high", swing.high_text},
                              {"outcome_at_low", swing.low.value(study.outcome)},
                              {"outcome_at_high", swing.high.value(study.outcome)},
                              {"verdict_at_low", swing.low.said},
                              {"verdict_at_high", swing.high.said}});
  }
  return json;
}

}  // namespace tokenyard::analysis
