#include "analysis/validate/vidur_tables.hpp"

#include "tests/support/public_data.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::PrefillChunk;
using platforms::StepPiece;
using platforms::Tokens;

namespace {

double milliseconds(const StepPiece& piece, Tokens context) {
  return static_cast<double>(piece.ticks(context)) / (1e6 * static_cast<double>(sim::FineTime::kTicksPerNanosecond));
}

}  // namespace

TEST_CASE("The peer's own step times, to the digit, out of its tables") {
  const auto folder = public_data("vidur_l2_2rep");
  if (!folder) return;
  const VidurTables tables(*folder);
  const auto step = [&](std::int32_t decoding, Tokens mean, std::vector<PrefillChunk> chunks = {}) {
    return milliseconds(tables.piece({decoding, mean * decoding}, chunks), mean * decoding);
  };
  // Iteration times that the peer printed (evidence: peers.md §6.2).
  const double kDigit = 0.0005;
  CHECK(step(1, 1024) == Approx(9.956).margin(kDigit));
  CHECK(step(16, 1024) == Approx(14.873).margin(kDigit));
  CHECK(step(64, 1024) == Approx(30.655).margin(kDigit));
  CHECK(step(128, 896) == Approx(47.458).margin(kDigit));
  CHECK(step(0, 0, {{512, 0, true}}) == Approx(48.980).margin(kDigit));
  CHECK(step(0, 0, {{512, 1024, true}}) == Approx(51.745).margin(kDigit));
  CHECK(step(32, 1024, {{480, 512, true}}) == Approx(60.548).margin(kDigit));
  CHECK(step(0, 0, {{2048, 0, true}}) == Approx(199.782).margin(kDigit));
  CHECK(step(0, 0, {{4096, 0, true}}) == Approx(398.719).margin(kDigit));

  // A piece holds for every sum up to its limit, and not beyond: the mean context is cut to a whole number first.
  for (const std::int32_t calls : {1, 3, 100}) {
    const Tokens last = (640 + 1) * calls - 1;
    CHECK(tables.piece({calls, 577 * calls}, {}).context_limit == last);
    CHECK(tables.piece({calls, last}, {}).context_limit == last);
    CHECK(tables.piece({calls, last}, {}).ticks(last) == tables.piece({calls, 577 * calls}, {}).ticks(577 * calls));
    CHECK(tables.piece({calls, last + 1}, {}).context_limit == last + 64 * calls);
  }
}
