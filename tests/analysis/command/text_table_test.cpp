#include "analysis/command/text_table.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("Text tables: columns line up, counted in characters") {
  TextTable table({TextTable::kLeft, TextTable::kRight});
  table.row({"µ", "1"});
  table.row({"long", "234"});
  CHECK(table.text("  ") == "  µ       1\n  long  234\n");
}
