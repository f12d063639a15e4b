#include "sim/core/index_list.hpp"

#include <vector>

#include "tests/support/catch.hpp"

namespace tokenyard::sim {
namespace {

struct Item {
  std::uint32_t previous, next;
};

/// Forwards; backwards it must be the same.
std::vector<std::uint32_t> order_of(const IndexList& list, const std::vector<Item>& items) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = list.first; i != IndexList::kNone; i = items[i].next) order.push_back(i);
  auto expected = order.rbegin();
  for (std::uint32_t i = list.last; i != IndexList::kNone; i = items[i].previous) REQUIRE(i == *expected++);
  REQUIRE(expected == order.rend());
  REQUIRE(list.size == static_cast<std::int32_t>(order.size()));
  return order;
}

}  // namespace

TEST_CASE("A list of indices keeps the order in which items were put") {
  std::vector<Item> items(5);
  IndexList list;
  CHECK(list.empty());
  list.append(items, 3);
  list.append(items, 1);
  list.insert_behind(items, IndexList::kNone, 4);
  list.insert_behind(items, 3, 0);
  list.insert_behind(items, 1, 2);
  CHECK(order_of(list, items) == std::vector<std::uint32_t>{4, 3, 0, 1, 2});
  for (const std::uint32_t gone : {0, 4, 2}) list.remove(items, gone);
  CHECK(order_of(list, items) == std::vector<std::uint32_t>{3, 1});
  list.remove(items, 3);
  list.remove(items, 1);
  CHECK(order_of(list, items).empty());
  CHECK(list.empty());
}

}  // namespace tokenyard::sim
