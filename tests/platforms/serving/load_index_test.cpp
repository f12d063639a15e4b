#include "platforms/serving/load_index.hpp"

#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;

TEST_CASE("The least loaded replica is the one a scan finds, ties to the lowest index") {
  for (const std::uint32_t count : {1U, 2U, 3U, 7U, 64U, 100U}) {
    sim::Stream stream(count, sim::StreamName("loads"), 0);
    platforms::LoadIndex loads(count);
    std::vector<std::int64_t> plain(count, 0);
    for (int i = 0; i < 3000; ++i) {
      const auto scan = static_cast<std::uint32_t>(std::min_element(plain.begin(), plain.end()) - plain.begin());
      REQUIRE(loads.least() == scan);
      const bool arrives = stream.below(2) == 0;
      const auto at = arrives && stream.below(2) == 0 ? scan : static_cast<std::uint32_t>(stream.below(count));
      if (!arrives && plain[at] == 0) continue;
      plain[at] += arrives ? 1 : -1;
      loads.add(at, arrives ? 1 : -1);
      REQUIRE(loads.load(at) == plain[at]);
    }
  }
}
