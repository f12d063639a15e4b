#include "analysis/calibrate/copy_fit.hpp"

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

TEST_CASE("A copy takes its start and its bytes, each way alike; those of both ways at once are not looked at") {
  const ScratchFolder folder;
  const auto path = folder.write("copies.csv",
                                 "direction,segment_bytes,segments,seconds\n"
                                 "to host,1000000,100,0.0022\n"  // 2 us, and 50 GB/s
                                 "to card,10000,100,0.00022\n"
                                 "both,1000000,100,0.0044\n"
                                 "to card,100000000,2,0.004004\n");
  const CopyFit fit = fit_copies(path);
  CHECK(fit.start_s == Approx(2e-6));
  CHECK(fit.bytes_per_s == Approx(5e10));
  CHECK(fit.fitted.rows() == 3);
  CHECK(fit.fitted.mean() < 1e-9);
}

TEST_CASE("Copies of one size tell no rate") {
  const ScratchFolder folder;
  const std::string header = "direction,segment_bytes,segments,seconds\n";
  CHECK_THROWS_AS(fit_copies(folder.write("one.csv", header + "to host,1000,1,1e-6\nto card,1000,1,1e-6\n")),
                  sim::InputError);
  CHECK_THROWS_AS(fit_copies(folder.write("none.csv", header + "both,1000,1,1e-6\n")), sim::InputError);
  CHECK_THROWS_AS(fit_copies(folder.write("odd.csv", header + "to host,1000,1,1e-6\nto host,2000,1,5e-7\n")),
                  sim::InputError);
}
