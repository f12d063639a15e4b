#include <set>

#include "analysis/measured/measured_table.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;

TEST_CASE("Every published point is of the catalogue, has a source and measures something") {
  const MeasuredTable table(TOKENYARD_SOURCE_DIR "/analysis/validate/published_serving.csv");
  std::set<std::string, std::less<>> chips;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    CAPTURE(row);
    const auto text = [&](const char* column) { return table.text(row, column); };
    chips.emplace(text("chip"));
    CHECK(built_in_catalog().find_chip(text("chip")) != nullptr);
    CHECK(built_in_catalog().find_model(text("model")) != nullptr);
    CHECK(built_in_catalog().find_engine(text("engine")) != nullptr);
    CHECK_FALSE(text("source").empty());
    CHECK((text("fitted") == "yes" || text("fitted") == "no"));
    bool measures = false;
    for (const char* column : {"ttft_ms", "tpot_ms", "e2e_s", "output_tokens_per_s"})
      measures = measures || table.optional_number(row, column).value_or(0) > 0;
    CHECK(measures);
  }
  CHECK(chips.size() >= 10);
}
