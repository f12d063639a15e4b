#include <algorithm>
#include <sstream>

#include "analysis/studies/findings.hpp"
#include "analysis/studies/page.hpp"
#include "tests/analysis/command/outcome.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/support/html.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

struct Loaded {
  platforms::Catalog platforms;
  agents::AgentCatalog agents;
};

const Catalogs& catalogs() {
  static const Loaded kLoaded = [] {
    sim::Faults faults;
    Loaded loaded{platforms::Catalog::load(faults), agents::AgentCatalog::built_in(faults)};
    faults.throw_if_any();
    return loaded;
  }();
  static const Catalogs kCatalogs{kLoaded.platforms, kLoaded.agents};
  return kCatalogs;
}

/// A small study: how many chips a rate of requests needs, and what they cost.
Json small() {
  return Json::parse(R"json({
    "schema": "tokenyard.study/1", "name": "small", "title": "Small", "question": "How much?",
    "claim": {"text": "It costs something.", "source": "a test", "date": "2026-11"},
    "inputs": {
      "rate": {"title": "Rate", "value": 4, "unit": "/s", "assumed": true, "low": 2, "high": 8, "source": "a test"},
      "price": {"title": "Price", "value": 2, "unit": "USD", "source": "a test", "date": "2026-11", "low": 1, "high": 4},
      "fixed": {"title": "Fixed", "value": 10, "source": "a test", "date": "2026-11"}},
    "scenarios": {"one": {
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2, "chips_per_node": 8}]}]},
      "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": "= floor(replicas)"}],
      "workload": {"requests": {"rate_per_s": "= rate", "prompt_tokens": 500, "output_tokens": 50}},
      "run": {
  "duration_s" : 20, "warmup_s" : 5
}
}
}
,
    "cases": {
      "few": {"title": "Few", "scenario": "one", "let": {"replicas": 1}},
      "many": {"title": "Many", "scenario": "one", "let": {"replicas": 2}, "set": {"/name": "many"}}},
    "measures": {
      "chips": {"title": "chips", "is": "pools.main.chips"},
      "usd": {"title": "cost", "unit": "USD/h", "is": "chips * price"},
      "tokens": {"title": "tokens", "is": "counts.output_tokens"}},
    "quantities": {
      "extra": {"title": "Extra cost", "unit": "USD", "is": "many.usd - few.usd + fixed * (few.tokens / many.tokens)"}},
    "outcome": "extra", "tiles": ["extra", "few.usd"],
    "verdicts": [{"if": "extra > 13", "badge": "dear", "say": "Dear: {extra}."}, {"badge": "cheap", "say": "Cheap: {extra}, {price}."}],
    "says": ["Two cost {many.usd}."],
    "tables": [{"title": "Both", "measures": ["chips", "usd"]}],
    "bars": [{"title": "Cost", "measure": "usd", "cases": ["few", "many"]}],
    "curves": [{"title": "By x", "x_title": "x", "from": 1, "to": 100, "lines": [{"title": "line", "is": "extra * x"}]}]
})json");
}

Study read(const Json& document) {
  sim::Faults faults;
  Study study = Study::read(sim::JsonFile::from(document, "small.json"), faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return study;
}

std::vector<std::string> faults_of(const Json& document) {
  sim::Faults faults;
  Study::read(sim::JsonFile::from(document, "small.json"), faults);
  std::vector<std::string> messages;
  for (const sim::Fault& fault : faults.list()) messages.push_back(fault.message());
  return messages;
}

}  // namespace

TEST_CASE("Studies: cases are measured, quantities worked out, and alike cases run once") {
  const Findings findings = evaluate(read(small()), catalogs(), {});
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
  const Findings findings = evaluate(read(document), catalogs(), {.vary = false});
  CHECK(findings.open());
  CHECK(findings.badge() == "open");
  REQUIRE(failures_of(findings).size() == 2);
  CHECK_THAT(failures_of(findings)[0], Catch::Matchers::Contains("GB of weights"));
}

TEST_CASE("Studies: a number has a source and a date or is assumed and varied") {
  const auto with = [](const char* pointer, const Json& value) {
    Json document = small();
    document[Json::json_pointer(pointer)] = value;
    return faults_of(document);
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(with("/inputs/fixed", {{"title", "x"}, {"value", 1}, {"source", "s"}}).at(0),
             Contains("date of the source"));
  CHECK_THAT(with("/inputs/fixed", {{"title", "x"}, {"value", 1}, {"date", "2026"}}).at(0),
             Contains("/inputs/fixed/source"));
  CHECK_THAT(with("/inputs/fixed/assumed", true).at(0), Contains("every assumption is varied"));
  CHECK_THAT(with("/inputs/rate/low", 5).at(0), Contains("low ≤ value ≤ high"));
  CHECK_THAT(with("/measures/usd/is", "chips * prise").at(0), Contains("did you mean \"price\""));
  CHECK_THAT(with("/scenarios/one/workload/requests/rate_per_s", "= rat").at(0), Contains("did you mean \"rate\""));
  CHECK_THAT(with("/says/0", "Two cost {many.us}.").at(0), Contains("did you mean \"many.usd\""));
  CHECK_THAT(with("/cases/few/scenario", "two").at(0), Contains("the study's scenarios"));
  CHECK_THAT(with("/verdicts/1/if", "extra > 1").at(0), Contains("without \"if\""));
  CHECK_THAT(with("/tile", 1).at(0), Contains("tiles"));
}

TEST_CASE("Studies: formulas that lead to themselves are refused") {
  Json document = small();
  document["quantities"]["other"] = {{"title", "Other"}, {"is", "extra + 1"}};
  document["quantities"]["extra"]["is"] = "other + 1";
  CHECK_THROWS_AS(evaluate(read(document), catalogs(), {.vary = false}), sim::InputError);
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
    const Findings findings = evaluate(study, catalogs(), {.vary = false, .shorten = 0.05});
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
  std::ifstream file(std::filesystem::path(TOKENYARD_SOURCE_DIR) / "docs/studies.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string page = text.str(), fence = "```json\n";
  const std::size_t begin = page.find(fence) + fence.size();
  const Findings findings =
      evaluate(read(Json::parse(page.substr(begin, page.find("```", begin) - begin))), catalogs(), {.vary = false});
  CHECK_FALSE(findings.open());
  CHECK(findings.base.number("ratio") > 0);
}

TEST_CASE("Studies: a page is well formed, self-contained, and holds the answer") {
  const Findings findings = evaluate(read(small()), catalogs(), {});
  Json with_markup = small();
  with_markup["title"] = "<b>&";
  const Findings odd = evaluate(read(with_markup), catalogs(), {.vary = false});
  for (const std::string& page :
       {studies_page({findings}, "tokenyard study small"), studies_page({findings, odd}, "x")}) {
    CHECK(well_formed(page));
    CHECK(page.find("src=\"http") == std::string::npos);
    CHECK(page.find("Cheap: $12.00, $2.00.") != std::string::npos);
    CHECK(page.find("<b>&") == std::string::npos);
  }
}

TEST_CASE("Command: study lists, examines, and names the near match") {
  const ResultFolder folder("study");
  const Outcome list = run({"study", "--list"});
  CHECK(list.code == kDone);
  CHECK(list.out.find("token-surge") != std::string::npos);

  const Outcome unknown = run({"study", "token-surges"});
  CHECK(unknown.code == kWrongInput);
  CHECK_THAT(unknown.err, Catch::Matchers::Contains("did you mean \"token-surge\""));
  CHECK(run({"study"}).code == kWrongInput);
  CHECK(run({"study", "token-surge", "--all"}).code == kWrongInput);

  std::filesystem::create_directories(folder.path);
  const auto file = folder.path / "mine.json";
  std::ofstream(file) << small().dump();
  const Outcome mine = run({"study", file.string(), "--out", (folder.path / "out").string()});
  CHECK(mine.err == "");
  CHECK(mine.code == kDone);
  CHECK_THAT(mine.out, Catch::Matchers::Contains("Cheap: $12.00, $2.00."));
  const Json findings = Json::parse(folder.read("out/small.json"));
  CHECK(findings["outcome"]["value"] == 12.0);
  CHECK(findings["swings"].size() == 3);
  CHECK(folder.read("out/small.html").find("What would change it") != std::string::npos);
}

}  // namespace tokenyard::analysis
