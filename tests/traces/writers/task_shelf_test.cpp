#include "traces/writers/task_shelf.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/support/catch.hpp"

using namespace tokenyard::traces;

namespace {
std::vector<std::uint64_t> numbers(const TaskShelf& shelf, std::size_t agent) {
  std::vector<std::uint64_t> list;
  if (agent < shelf.agents().size()) {
    for (const auto& [number, task] : shelf.agents()[agent]) list.push_back(number);
  }
  return list;
}
std::vector<std::uint64_t> first(std::uint64_t count) {
  std::vector<std::uint64_t> list(count);
  std::iota(list.begin(), list.end(), 0);
  return list;
}
}  // namespace

TEST_CASE("The first tasks by number stay, in whatever order they report") {
  std::mt19937 random(3);
  std::vector<std::uint64_t> order = first(1000);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    TaskShelf shelf(20, 1'000'000);
    for (const std::uint64_t task : order) shelf.keep(0, task, 2);
    CHECK(numbers(shelf, 0) == first(20));
    CHECK(shelf.keep(0, 500, 1) == nullptr);
    CHECK(shelf.keep(0, 19, 1) != nullptr);
    CHECK(shelf.refused() == 0);
  }
}

TEST_CASE("Too many slices drop the latest tasks of all agents, whole") {
  std::mt19937 random(4);
  std::vector<std::uint64_t> order = first(400);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    TaskShelf shelf(1000, 95);
    for (const std::uint64_t task : order) shelf.keep(static_cast<std::uint32_t>(task % 2), task, 10);
    // 9 tasks of 10 slices each fit: 0, 2, … 8 of one agent and 1, 3, … 7 of the other.
    CHECK(numbers(shelf, 0) == std::vector<std::uint64_t>{0, 2, 4, 6, 8});
    CHECK(numbers(shelf, 1) == std::vector<std::uint64_t>{1, 3, 5, 7});
  }
}

TEST_CASE("A single task beyond the limit keeps what fits") {
  TaskShelf shelf(10, 5);
  for (int i = 0; i < 8; ++i) shelf.keep(0, 0, 1);
  CHECK(shelf.tasks() == 1);
  CHECK(shelf.refused() == 3);
  TaskShelf none(0, 5);
  CHECK(none.keep(2, 0, 1) == nullptr);
  CHECK(none.tasks() == 0);
}
