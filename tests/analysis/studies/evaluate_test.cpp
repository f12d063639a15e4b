#include "analysis/studies/evaluate.hpp"

#include <algorithm>

#include "analysis/studies/findings.hpp"
#include "tests/analysis/scenario/test_catalogs.hpp"
#include "tests/analysis/studies/small_study.hpp"
#include "tests/support/scratch_folder.hpp"

namespace tokenyard::analysis {
using sim::Json;

TEST_CASE("Studies: cases are measured, quantities worked out, and alike cases run once") {
  const Findings findings = evaluate(read_study(small()), TestCatalogs::get().view(), {});
  CHECK(findings.base.number("few.chips") == 1);
  CHECK(findings.base.number("many.chips") == 2);
  CHECK(findings.base.number("many.usd") == 4);
  CHECK(findings.base.number("extra") == 12);  // 4 - 2, and 10 for equal tokens
  CHECK(findings.base.said == "Cheap: $12.00, $2.00.");
  CHECK(findings.says == std::vector<std::string>{"Two cost $4.00/h."});
  // Two cases at three rates, and at two other seeds: the price needs no simulation.
  CHECK(findings.simulated == 10);
  REQUIRE(findings.swings.size() == 3);
  CHECK(findings.swings[0].title == "Price");
  CHECK(findings.swings[0].low.number("extra") == 11);
  CHECK(findings.swings[0].high.number("extra") == 14);
  CHECK(findings.swings[0].high.said == "Dear: $14.00.");
  CHECK(changes_of(findings) == std::vector<std::string>{"Price: $4.00. Dear: $14.00."});
  // Prices alone move it, so their ends are the band.
  CHECK(*findings.least == Catch::Detail::Approx(11));
  CHECK(*findings.most == Catch::Detail::Approx(14));
  CHECK(findings.curves.at(0).lines.at(0).back().second == Catch::Detail::Approx(1200));
}

TEST_CASE("Studies: what cannot be served leaves the verdict open, and says why") {
  Json document = small();
  document["scenarios"]["one"]["pools"][0]["model"] = "llama-3.1-405b";
  const Findings findings = evaluate(read_study(document), TestCatalogs::get().view(), {.vary = false});
  CHECK(findings.open());
  CHECK(findings.badge() == "open");
  REQUIRE(failures_of(findings).size() == 2);
  CHECK_THAT(failures_of(findings)[0], Catch::Matchers::Contains("GB of weights"));
}

TEST_CASE("Studies: formulas that lead to themselves are refused") {
  Json document = small();
  document["quantities"]["other"] = {{"title", "Other"}, {"is", "extra + 1"}};
  document["quantities"]["extra"]["is"] = "other + 1";
  CHECK_THROWS_AS(evaluate(read_study(document), TestCatalogs::get().view(), {.vary = false}), sim::InputError);
}

TEST_CASE("Studies: those in the binary cite or vary every number, and have figures for every case") {
  const std::vector<std::string> names = study_names();
  CHECK(names.size() == 10);  // the nine of the design, and the policies
  for (const std::string& name : names) {
    INFO(name);
    const Study study = load_study(name);
    CHECK(study.name == name);
    CHECK(study.limits.size() >= 2);
    // A twentieth of the time: too short for the figures to mean much, long enough for all of them to be looked up.
    const Findings findings = evaluate(study, TestCatalogs::get().view(), {.vary = false, .shorten = 0.05});
    for (const auto& [of, run] : findings.runs)
      CHECK((run.contains("demand") || run.contains("counts") || run.contains("why_not")));
    for (const StudyFormula& measure : study.measures) {
      INFO(measure.name);
      const bool known = std::any_of(study.cases.begin(), study.cases.end(), [&](const StudyCase& of) {
        return !findings.base.values.at(of.name + '.' + measure.name).is_null();
      });
      CHECK((known || measure.formula.text().find("task") != std::string::npos ||
             measure.formula.text().find("attainment") != std::string::npos));
    }
  }
}

TEST_CASE("Studies: the example of the documentation works") {
  const std::string page = whole_file(std::filesystem::path(TOKENYARD_SOURCE_DIR) / "docs/studies.md"),
                    fence = "```json\n";
  const std::size_t begin = page.find(fence) + fence.size();
  const Findings findings = evaluate(read_study(Json::parse(page.substr(begin, page.find("```", begin) - begin))),
                                     TestCatalogs::get().view(), {.vary = false});
  CHECK_FALSE(findings.open());
  CHECK(findings.base.number("ratio") > 0);
}

}  // namespace tokenyard::analysis
