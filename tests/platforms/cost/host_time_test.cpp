#include "platforms/cost/host_time.hpp"

#include "platforms/cost/kernel_time.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

constexpr std::int64_t kTicksPerMillisecond = 1000000 * sim::FineTime::kTicksPerNanosecond;

/// Kernels of 5 ms and 1 us for each token of context.
StepPiece kernels() {
  StepPiece piece;
  piece.base_ticks[Bound::kCompute] = 5 * kTicksPerMillisecond;
  piece.slope_ticks[Bound::kBandwidth] = kTicksPerMillisecond / 1000;
  return piece;
}

ModelArchitecture layers(std::int64_t count) {
  ModelArchitecture model;
  model.layers = count;
  return model;
}

double milliseconds(const StepPiece& piece, Tokens context) {
  return static_cast<double>(piece.ticks(context)) / static_cast<double>(kTicksPerMillisecond);
}

}  // namespace

TEST_CASE("A synchronous engine's time comes on top of the kernels") {
  const HostTime host({.step_s = 1e-3, .sequence_s = 1e-4, .prefill_step_s = 2e-3, .layer_s = 1e-3}, layers(8));
  StepPiece decode = kernels();
  host.add_to(decode, 1000, 30, false);
  CHECK(milliseconds(decode, 1000) == Approx(6 + 1 + 3));
  CHECK(milliseconds(decode, 4000) == Approx(9 + 1 + 3));
  CHECK(decode.context_limit == std::numeric_limits<Tokens>::max());

  StepPiece prompts = kernels();
  host.add_to(prompts, 1000, 30, true);  // launching 8 layers takes longer than their kernels
  CHECK(milliseconds(prompts, 1000) == Approx(8 + 1 + 3 + 2));
}

TEST_CASE("An asynchronous engine hides its sequences behind the kernels until contexts make these longer") {
  const HostTime host({.step_s = 1e-3, .sequence_s = 1e-4, .asynchronous = true}, layers(8));
  StepPiece piece = kernels();
  host.add_to(piece, 1000, 80, false);  // 8 ms against 6
  CHECK(milliseconds(piece, 1000) == Approx(8 + 1));
  CHECK(milliseconds(piece, 3000) == Approx(8 + 1));
  CHECK(piece.context_limit == 3000);
  for (const Tokens context : {1, 2000, 3000}) {
    StepPiece same = kernels();
    host.add_to(same, context, 80, false);
    CHECK(same.base_ticks == piece.base_ticks);
    CHECK(same.slope_ticks == piece.slope_ticks);
    CHECK(same.context_limit == piece.context_limit);
  }
  StepPiece beyond = kernels();
  host.add_to(beyond, 3001, 80, false);
  CHECK(milliseconds(beyond, 5000) == Approx(10 + 1));
}
