#include "analysis/expression/expression.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::vector<std::string> asked;

Json value(const std::string& text) {
  sim::Faults faults;
  const auto expression = Expression::parse(
      text, [](const std::string&) { return std::string(); }, "file", "/formula", faults);
  faults.throw_if_any();
  asked.clear();
  return expression->value([&](const std::string& name) {
    asked.push_back(name);
    return name == "two" ? Json(2) : name == "a.b" ? Json(5) : Json(nullptr);
  });
}

std::string fault_of(const std::string& text) {
  sim::Faults faults;
  const auto known = [](const std::string& name) { return std::string(name == "two" ? "" : "only \"two\""); };
  const auto expression = Expression::parse(text, known, "file", "/formula", faults);
  CHECK(expression.has_value() == faults.empty());
  return faults.empty() ? "" : faults.list()[0].allowed;
}

}  // namespace

TEST_CASE("Expressions: functions and names") {
  CHECK(value("max(two, 3) + min(two, 3)") == 5.0);
  CHECK(value("ceil(a.b / two) - floor(a.b / two)") == 1.0);
  CHECK(value("sqrt(pow(3, 2) + pow(4, 2))").get<double>() == Catch::Detail::Approx(5));
  CHECK(value("if(two > 1, 'more', 'less')") == "more");
  CHECK(value("2 * if(two > 3, 10, a.b)") == 10.0);
}

TEST_CASE("Expressions: what is unknown stays unknown, and what is not needed is not asked for") {
  CHECK(value("nobody * two").is_null());
  CHECK(value("max(nobody, two)").is_null());
  CHECK(value("ceil(nobody)").is_null());
  CHECK(value("two / 0").is_null());
  CHECK(value("pow(0 - 1, 2)").is_null());
  CHECK(value("if(nobody > 1, a.b, two)") == 2);
  CHECK(asked == std::vector<std::string>{"nobody", "two"});
}

TEST_CASE("Expressions: a wrong one says what is allowed") {
  using Catch::Matchers::Contains;
  CHECK(fault_of("min(two, 1)") == "");
  CHECK_THAT(fault_of("tow"), Contains("only \"two\""));
  CHECK_THAT(fault_of("min(two)"), Contains("min of 2 arguments, not 1"));
  CHECK_THAT(fault_of("min(two, 1"), Contains("a closing bracket"));
  CHECK_THAT(fault_of("min(two, 1) 3"), Contains("an operator or the end"));
  std::string chain = "1";
  for (int i = 0; i < 5000; ++i) chain += "+1";
  CHECK_THAT(fault_of(chain), Contains("at most 1000 operators"));
}

}  // namespace tokenyard::analysis
