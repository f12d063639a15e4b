#include "analysis/studies/study.hpp"

#include "tests/analysis/studies/small_study.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::vector<std::string> faults_of(const Json& document) {
  sim::Faults faults;
  Study::read(sim::JsonFile::from(document, "small.json"), faults);
  std::vector<std::string> messages;
  for (const sim::Fault& fault : faults.list()) messages.push_back(fault.message());
  return messages;
}

}  // namespace

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

}  // namespace tokenyard::analysis
