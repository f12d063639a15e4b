#include "analysis/demand/pareto.hpp"

#include "tests/support/catch.hpp"

using tokenyard::analysis::pareto_front;

TEST_CASE("Pareto front: what no other beats in every respect") {
  using Front = std::vector<std::size_t>;
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  CHECK(pareto_front({{3, 5}, {4, 4}, {5, 5}}) == Front{0, 1});
  CHECK(pareto_front({{1, 1}, {1, 1}}) == Front{0, 1});  // equals do not beat each other
  CHECK(pareto_front({{1, kUnknown}, {2, 3}, {2, kUnknown}}) == Front{0, 1});
  CHECK(pareto_front({{kUnknown}}).empty());
  CHECK(pareto_front({}).empty());
}
