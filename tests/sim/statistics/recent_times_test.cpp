#include "sim/statistics/recent_times.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"

namespace tokenyard::sim {

TEST_CASE("Recent times are the last 256, in order, with their mean") {
  RecentTimes recent;
  CHECK(recent.mean() == Time());
  for (int i = 0; i < 1000; ++i) recent.add(Time::nanoseconds(i * 7919 % 1000));
  REQUIRE(recent.size() == 256);
  std::vector<Time> last;
  Time sum;
  for (int i = 744; i < 1000; ++i) {
    last.push_back(Time::nanoseconds(i * 7919 % 1000));
    sum += last.back();
  }
  std::sort(last.begin(), last.end());
  CHECK(recent.sorted() == last);
  CHECK(recent.mean() == Time::nanoseconds(sum.ns() / 256));
}

}  // namespace tokenyard::sim
