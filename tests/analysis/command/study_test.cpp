#include "tests/analysis/command/outcome.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/analysis/studies/small_study.hpp"

namespace tokenyard::analysis {
using sim::Json;

TEST_CASE("Command: check knows a study") {
  const Outcome outcome = run({"check", TOKENYARD_SOURCE_DIR "/analysis/studies/policies.json"});
  INFO(outcome.err);
  CHECK(outcome.code == kDone);
  CHECK_THAT(outcome.out, Catch::Matchers::Contains("study, fine"));
}

TEST_CASE("Command: study lists, examines, and names the near match") {
  const ResultFolder folder("study");
  const Outcome list = run({"study", "--list"});
  CHECK(list.code == kDone);
  CHECK(list.out.find("token-surge") != std::string::npos);
  const Json listed = Json::parse(run({"study", "--list", "--json"}).out);
  CHECK(std::any_of(listed.begin(), listed.end(), [](const Json& study) { return study["name"] == "token-surge"; }));
  CHECK(listed[0]["title"].is_string());

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
