#include "analysis/page/html.hpp"

#include "sim/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

TEST_CASE("a template is filled once, and asks for nothing unknown") {
  CHECK(fill_template("a {{x}} b {{y}}", {{"x", "{{y}}"}, {"y", "2"}}) == "a {{y}} b 2");
  CHECK_THROWS_AS(fill_template("{{z}}", {{"x", ""}}), sim::InternalError);
}
