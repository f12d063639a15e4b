#include "analysis/campaign/factors.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/catch.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::vector<FactorBlock> read(const std::string& factors, std::uint64_t seed = 1) {
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse("{\"factors\": " + factors + "}", "campaign", faults);
  sim::ObjectReader reader = file.root(faults);
  auto blocks = read_factors(reader, "factors", seed);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return blocks;
}

std::string faults_of(const std::string& factors) {
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse("{\"factors\": " + factors + "}", "campaign", faults);
  {
    sim::ObjectReader reader = file.root(faults);
    read_factors(reader, "factors", 1);
  }
  std::string all;
  for (const sim::Fault& fault : faults.list()) all += fault.place + ": " + fault.found + " | " + fault.allowed + "\n";
  return all;
}

/// "a=1 b=2; a=1 b=3".
std::string listed(const std::vector<FactorBlock>& blocks) {
  std::string all;
  for (std::uint64_t i = 0; i < combinations(blocks); ++i) {
    if (i > 0) all += "; ";
    std::string one;
    for (const auto& [pointer, value] : combination(blocks, i))
      one += (one.empty() ? "" : " ") + pointer.substr(1) + "=" + value.dump();
    all += one;
  }
  return all;
}

}  // namespace

TEST_CASE("a grid takes every combination, its last pointer fastest") {
  CHECK(listed(read(R"([{"grid": {"/a": [1, 2], "/b": ["x", "y"]}}])")) ==
        R"(a=1 b="x"; a=1 b="y"; a=2 b="x"; a=2 b="y")");
  CHECK(listed(read(R"([{"grid": {"/a": {"low": 1, "high": 100, "count": 3, "scale": "log"}}}])")) ==
        "a=1; a=10; a=100");
  CHECK(listed(read(R"([{"grid": {"/a": {"low": 1, "high": 3, "count": 5, "whole": true}}}])")) == "a=1; a=2; a=3");
}

TEST_CASE("zip walks its lists together, list is what it says, blocks multiply") {
  CHECK(listed(read(R"([{"zip": {"/a": [1, 2], "/b": [3, 4]}}])")) == "a=1 b=3; a=2 b=4");
  CHECK(listed(read(R"([{"list": [{"/a": 1}, {"/a": {"x": [1]}, "/b": null}]}])")) == R"(a=1; a={"x":[1]} b=null)");
  CHECK(listed(read(R"([{"zip": {"/a": [1, 2], "/b": [3, 4]}}, {"grid": {"/c": [5, 6]}}])")) ==
        "a=1 b=3 c=5; a=1 b=3 c=6; a=2 b=4 c=5; a=2 b=4 c=6");
  CHECK(listed(read("[]")) == "");
  CHECK(combinations(read("[]")) == 1);
}

TEST_CASE("random factors follow their distribution, and a draw depends on its pointer and number alone") {
  const auto blocks = read(
      R"([{"random": {"/a": {"dist": "exponential", "mean": 5}, "/b": {"low": 1, "high": 4, "whole": true}, "/c": ["x", "y"]}, "count": 4000}])");
  double sum = 0;
  std::set<std::int64_t> whole;
  std::size_t x = 0;
  for (const Setting& setting : blocks[0].settings) {
    sum += setting[0].second.get<double>();
    whole.insert(setting[1].second.get<std::int64_t>());
    x += setting[2].second == "x" ? 1 : 0;
  }
  CHECK(sum / 4000 == Approx(5).margin(3 * 5 / std::sqrt(4000)));
  CHECK(whole == std::set<std::int64_t>{1, 2, 3, 4});
  CHECK(static_cast<double>(x) == Approx(2000).margin(3 * std::sqrt(1000)));
  const auto fewer = read(R"([{"random": {"/c": ["x", "y"], "/a": {"dist": "exponential", "mean": 5}}, "count": 10}])");
  for (std::size_t i = 0; i < 10; ++i) CHECK(fewer[0].settings[i][1] == blocks[0].settings[i][0]);
  CHECK(read(R"([{"random": {"/c": {"low": 0, "high": 1}}, "count": 3}])", 2)[0].settings !=
        read(R"([{"random": {"/c": {"low": 0, "high": 1}}, "count": 3}])", 1)[0].settings);
}

TEST_CASE("a Latin hypercube has one point in each stratum of each axis") {
  const auto blocks = read(
      R"([{"latin-hypercube": {"/a": {"low": 0, "high": 50}, "/b": {"low": 1, "high": 1000, "scale": "log"}, "/c": [1, 2, 3, 4, 5]}, "count": 50}])");
  std::set<int> a, b;
  std::vector<int> c(6);
  bool same_order = true;
  for (const Setting& setting : blocks[0].settings) {
    const int stratum_a = static_cast<int>(setting[0].second.get<double>());
    const int stratum_b = static_cast<int>(std::log(setting[1].second.get<double>()) / std::log(1000) * 50);
    a.insert(stratum_a);
    b.insert(stratum_b);
    ++c[setting[2].second.get<std::size_t>()];
    same_order = same_order && stratum_a == stratum_b;
  }
  CHECK(a.size() == 50);
  CHECK(b.size() == 50);
  CHECK(c == std::vector<int>{0, 10, 10, 10, 10, 10});
  CHECK_FALSE(same_order);
}

TEST_CASE("what is wrong with factors is said, all at once") {
  using Catch::Matchers::Contains;
  const std::string all = faults_of(
      R"([{"gird": {"/a": [1]}}, {"grid": {"a": [1], "/b": [], "/c": {"low": 2, "high": 1, "count": 2}}}, {"zip": {"/d": [1, 2]}, "list": []}])");
  CHECK_THAT(all, Contains("/factors/0: ") && Contains("did you mean \"grid\""));
  CHECK_THAT(all, Contains("/factors/1/grid/a: \"a\" | a JSON pointer"));
  CHECK_THAT(all, Contains("/factors/1/grid/~1b: [] | at least one value"));
  CHECK_THAT(all, Contains("/factors/1/grid/~1c/high: 1 | at least low = 2"));
  CHECK_THAT(all, Contains("/factors/2: zip and list together"));
  CHECK_THAT(faults_of(R"([{"grid": {"/a": [1]}}, {"list": [{"/a": 2}]}])"), Contains("/factors/1/list: \"/a\" again"));
  CHECK_THAT(faults_of(R"([{"zip": {"/a": [1, 2], "/b": [1]}}])"), Contains("1 values | 2 values, as many as /a has"));
  CHECK_THAT(
      faults_of(
          R"([{"grid": {"/a": {"low": 0, "high": 1, "count": 2000}, "/b": {"low": 0, "high": 1, "count": 2000}}}])"),
      Contains("at most 1000000"));
}

TEST_CASE("values are set where they are, or just behind the end of an array") {
  Json document = Json::parse(R"({"pools": [{"replicas": 1}]})");
  CHECK_FALSE(set_values({{"/pools/0/replicas", 2}, {"/pools/1/replicas", 3}, {"/run/duration_s", 5}}, document));
  CHECK(document == Json::parse(R"({"pools": [{"replicas": 2}, {"replicas": 3}], "run": {"duration_s": 5}})"));
  const auto fault = set_values({{"/run/duration_s", 6}, {"/run/duration_s/x", 3}}, document);
  REQUIRE(fault);
  CHECK(fault->fault.found == "\"x\" below /run/duration_s, which is 6");
}

}  // namespace tokenyard::analysis
