#include "analysis/result/pool_series.hpp"

#include <fmt/format.h>

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

namespace {

constexpr const char* kHeader =
    "time_s,pool,running,waiting,kv_utilization,busy,batch_tokens_per_s,output_tokens_per_s,power_w\n";

}  // namespace

TEST_CASE("a long series is thinned to few bins that keep its peaks and its mean") {
  const ScratchFolder folder;
  const int samples = GENERATE(1, 479, 480, 481, 100'003);
  std::string text = kHeader;
  for (int t = 1; t <= samples; ++t) {
    text += fmt::format("{}.000000000,a,{},{},0.5,1,0,0,\n", t, t % 10, t == samples / 2 ? 999 : 0);
    text += fmt::format("{}.000000000,\"b, \"\"quoted\"\"\",1,0,0,0,0,0,250\n", t);
  }
  const std::vector<PoolSeries> pools = read_pool_series(folder.write("series.csv", text));
  REQUIRE(pools.size() == 2);
  CHECK(pools[1].pool == "b, \"quoted\"");
  const PoolSeries& a = pools[0];
  CHECK(a.samples == static_cast<std::uint64_t>(samples));
  CHECK(a.bins.size() <= PoolSeries::kMaxBins);
  CHECK(a.bins.size() >= std::min<std::size_t>(static_cast<std::size_t>(samples), PoolSeries::kMaxBins / 2));
  const SeriesBin whole = a.whole();
  CHECK(whole.from_s == 1);
  CHECK(whole.to_s == samples);
  double sum = 0;
  for (int t = 1; t <= samples; ++t) sum += t % 10;
  CHECK(whole.values[kRunning].sum == sum);
  CHECK(whole.values[kRunning].count == static_cast<std::uint64_t>(samples));
  if (samples > 1) CHECK(whole.values[kWaiting].greatest == 999);
  CHECK(whole.values[kPowerW].count == 0);
  CHECK(pools[1].whole().values[kPowerW].mean() == 250);
  for (std::size_t i = 1; i < a.bins.size(); ++i) CHECK(a.bins[i].from_s == a.bins[i - 1].to_s + 1);

  PoolSeries thin = a;
  thin.thin(50);
  CHECK(thin.bins.size() <= 50);
  CHECK(thin.whole().values[kRunning].sum == sum);
}

TEST_CASE("a row that is none is named by file and line") {
  const ScratchFolder folder;
  const auto [rows, line] =
      GENERATE(table<const char*, const char*>({{"1,a,1,0,0,0,0,0\n", "line 2"},
                                                {"1,a,1,0,0,0,0,0,0\n2,a,x,0,0,0,0,0,0\n", "line 3"},
                                                {"1,a,nan,0,0,0,0,0,0\n", "line 2"},
                                                {"1,\"a,1,0,0,0,0,0,0\n", "line 2"},
                                                {"\n", "line 2"}}));
  const std::string path = folder.write("series.csv", std::string(kHeader) + rows);
  CHECK_THROWS_WITH(read_pool_series(path), Catch::Contains("series.csv") && Catch::Contains(line));
  CHECK_THROWS_AS(read_pool_series(folder.write("empty.csv", "")), sim::InputError);
}
