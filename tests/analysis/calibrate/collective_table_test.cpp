#include "analysis/calibrate/collective_table.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

namespace {

/// Elements of two bytes, milliseconds.
CollectiveTable measured_from(const std::string& rows) {
  const ScratchFolder folder;
  return read_all_reduce(folder.write("table.csv", "op_name,nccl_dtype,num_gpus,message_size,latency\n" + rows));
}

}  // namespace

TEST_CASE("All-reduces are taken as measured: the median of a size, the right operation, between sizes a line") {
  const CollectiveTable measured = measured_from(
      "all_reduce,half,8,4096,0.010\nall_reduce,half,8,4096,0.030\nall_reduce,half,8,4096,0.012\n"
      "all_reduce,half,8,12288,0.020\nall_gather,half,8,4096,1\nall_reduce,int8,8,4096,1\n"
      "all_reduce,half,2,4096,0.006\nall_reduce,half,2,1,0.006\n");
  REQUIRE(measured.size() == 2);
  CHECK(measured.at(8).points().size() == 2);
  CHECK(measured.at(8).at(8192) == Approx(12e-6));
  CHECK(measured.at(8).at(16384) == Approx(16e-6));
  CHECK(measured.at(2).points().size() == 1);  // 2 bytes are no message of a step
}

TEST_CASE("An engine with two libraries takes the faster one at each size") {
  CollectiveTable a, b;
  a[8].add(1000, 1);
  a[8].add(2000, 9);
  b[8].add(1000, 3);
  b[8].add(2000, 4);
  b[2].add(1000, 5);
  const CollectiveTable lower = lower_of(a, b);
  CHECK(lower.at(8).at(1000) == 1);
  CHECK(lower.at(8).at(2000) == 4);
  CHECK(lower.at(2).at(1000) == 5);
}

TEST_CASE("The error between sizes is nothing on a line, and shows a jump") {
  CollectiveTable table;
  for (const double bytes : {1e4, 2e4, 4e4, 8e4}) table[4].add(bytes, 1e-6 + 1e-11 * bytes);
  CHECK(error_between_sizes(table).rows() == 2);
  CHECK(error_between_sizes(table).median() == Approx(0).margin(1e-9));
  table[4].add(4e4, 1e-6);
  CHECK(error_between_sizes(table).median() > 0.1);
  CollectiveTable one;
  one[4].add(1e6, 1e-5);
  CHECK(error_between_sizes(one).rows() == 0);  // nothing stands beside it
}
