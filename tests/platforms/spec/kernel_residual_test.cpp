#include "platforms/spec/kernel_residual.hpp"

#include <nlohmann/json.hpp>

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;
using Catch::Matchers::Contains;

namespace {

KernelResidual read(const char* text, sim::Faults& faults) {
  const sim::JsonFile file = sim::JsonFile::parse(text, "table.json", faults);
  sim::ObjectReader reader = file.root(faults);
  return KernelResidual::read(reader, kExpertAxes);
}

}  // namespace

TEST_CASE("A residual is its table at the points, a line in the logarithm between, constant outside") {
  const KernelResidual table({{{1, 4}, {512, 1024}, {8}}}, {1, 2, 3, 4});
  CHECK(table.at({1, 512, 8}) == 1);
  CHECK(table.at({4, 1024, 8}) == 4);
  CHECK(table.at({2, 512, 8}) == 2);
  CHECK(table.at({2, 1024, 8}) == 3);
  CHECK(table.at({100, 4096, 64}) == 4);
  CHECK(table.at({0.01, 1, 1}) == 1);
  CHECK(KernelResidual().at({2, 512, 8}) == 1);
}

TEST_CASE("A residual is read as it was written") {
  sim::Json entry;
  KernelResidual({{{1, 4}, {512}, {8, 64}}}, {1, 2, 3, 4}).write(entry, kExpertAxes);
  sim::Faults faults;
  const KernelResidual again = read(entry.dump().c_str(), faults);
  CHECK(faults.empty());
  CHECK(again.at({1, 512, 64}) == 2);
  CHECK(again.at({4, 512, 8}) == 3);
}

TEST_CASE("A residual that is no whole table is refused with what is missing") {
  const auto message = [](const char* text) {
    sim::Faults faults;
    CHECK(read(text, faults).empty());
    REQUIRE_FALSE(faults.empty());
    return faults.list().front().message();
  };
  CHECK_THAT(message(R"({"rows_per_expert": [1, 2], "ffn": [8], "experts": [8], "value": [1]})"),
             Contains("/value") && Contains("1 factors") && Contains("2: one for each combination"));
  CHECK_THAT(message(R"({"rows_per_expert": [2, 1], "ffn": [8], "experts": [8], "value": [1, 1]})"),
             Contains("/rows_per_expert") && Contains("ascending"));
  CHECK_THAT(message(R"({"rows_per_expert": [1], "ffn": [8], "experts": [8], "value": [0]})"), Contains("above 0"));
}
