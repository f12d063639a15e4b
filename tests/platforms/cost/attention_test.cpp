#include "platforms/cost/attention.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

namespace {

AttentionFigures chip_of_tiles() {
  AttentionFigures figures{.peak_flops_per_s = 1e15, .bytes_per_s = 3e12};
  figures.prefill_tile_rows = 128;
  figures.prefill_tile_s = 2e-6;
  figures.write_s.reset();
  figures.units = 100;
  return figures;
}

AttentionShape heads_of(double query, double kv) {
  AttentionShape shape;
  shape.layers = 1;
  shape.query_heads = query;
  shape.kv_heads = kv;
  shape.heads_per_kv_head = query / kv;
  shape.query_key_dim = shape.value_dim = 128;
  shape.cached_bytes = 4 * kv * 128;
  return shape;
}

double prefill_s(const AttentionFigures& figures, const AttentionShape& shape, double tokens, double before = 0) {
  return Attention(figures, shape).prefill(tokens, before).total();
}

}  // namespace

TEST_CASE("A long prompt takes its arithmetic, and a tile's time for each of its tiles") {
  const AttentionFigures figures = chip_of_tiles();
  const Attention attention(figures, heads_of(64, 64));
  const double tiles = 64 * 16384.0 / 128;
  CHECK(attention.prefill(16384, 0).total() ==
        Approx(attention.prefill_flop(16384, 0) / 1e15 + tiles / 100 * 2e-6).epsilon(0.01));
}

TEST_CASE("No prompt takes less than its longest tile, however few heads it has") {
  const AttentionFigures figures = chip_of_tiles();
  const double one = prefill_s(figures, heads_of(1, 1), 1024);
  CHECK(prefill_s(figures, heads_of(4, 4), 1024) == Approx(one).epsilon(0.01));  // 32 tiles, 100 units
  CHECK(one == Approx(2e-6 + 4.0 * 128 * 128 * 1024 * 100 / 1e15).epsilon(0.01));
  CHECK(prefill_s(figures, heads_of(64, 64), 1024) > 2 * one);
}

TEST_CASE("The last tiles are waited for, as long as the chip's share of the longest") {
  AttentionFigures figures = chip_of_tiles();
  const AttentionShape shape = heads_of(64, 64);
  const double evenly = prefill_s(figures, shape, 4096);
  figures.prefill_wait = 1;
  CHECK(prefill_s(figures, shape, 4096) - evenly ==
        Approx(prefill_s(chip_of_tiles(), heads_of(1, 1), 4096)).epsilon(0.02));
}

TEST_CASE("Heads that share a cached one share tiles where kernels pack them") {
  AttentionFigures figures = chip_of_tiles();
  const double apart = prefill_s(figures, heads_of(1024, 128), 16);
  figures.prefill_tile_heads = 128;
  CHECK(prefill_s(figures, heads_of(1024, 128), 16) < apart / 3);  // eight heads of 16 queries are one tile
  CHECK(prefill_s(figures, heads_of(64, 64), 512) == Approx(prefill_s(chip_of_tiles(), heads_of(64, 64), 512)));
}

TEST_CASE("A chunk at the end of a long prompt reads all of it") {
  const AttentionFigures figures = chip_of_tiles();
  CHECK(prefill_s(figures, heads_of(32, 8), 512, 32768) > 10 * prefill_s(figures, heads_of(32, 8), 512));
}

TEST_CASE("Writing the cache takes a block of threads a token, whatever the heads, until its bytes take longer") {
  AttentionFigures figures = chip_of_tiles();
  figures.write_s = 4e-6;
  const auto write_s = [&](double kv) { return Attention(figures, heads_of(kv, kv)).write(1000).total(); };
  CHECK(write_s(4) == Approx(1000 * 4e-6 / 400).epsilon(0.01));
  CHECK(write_s(8) == Approx(write_s(4)).epsilon(0.02));
  CHECK(write_s(1) < write_s(4) / 4);
  CHECK(write_s(64) == Approx(1000 * 64 * 1024 / 3e12).epsilon(0.03));
  const AttentionShape shape = heads_of(32, 8);
  CHECK(prefill_s(figures, shape, 1000) == Approx(prefill_s(chip_of_tiles(), shape, 1000) + write_s(8)));
}

TEST_CASE("A longest context that is not divided goes on alone, a key at a time, whatever the batch") {
  AttentionFigures figures = chip_of_tiles();
  AttentionShape shape = heads_of(32, 8);
  shape.layers = 3;
  CHECK_FALSE(Attention(figures, shape).minds_skew());
  figures.decode_key_s = 20e-9;
  figures.decode_split_below = 1.6;
  const Attention attention(figures, shape);
  CHECK(attention.minds_skew());
  CHECK(attention.longest_alone(16, false) == 0);  // 128 tiles on 100 units: divided
  CHECK(attention.longest_alone(17, false) > 0);   // a graph of 24 places is not
  const double waves = 4096.0 / 200;
  CHECK(attention.longest_alone(512, false) == Approx(3 * 20e-9 / 512 / (1 + waves / 8)));
  CHECK(attention.longest_alone(128, true) == Approx(3 * 20e-9 / 128 / (1 + waves / 8)));
  CHECK(attention.longest_alone(4, true) > 0.9 * 3 * 20e-9 / 4);  // beside prompts nothing is divided
  shape.query_key_dim = shape.value_dim = 64;
  CHECK(Attention(figures, shape).longest_alone(128, true) == Approx(attention.longest_alone(128, true) / 2));
}

TEST_CASE("Heads that share no cached one are not divided: no kernel takes less than all keys of a context") {
  AttentionFigures figures = chip_of_tiles();
  figures.decode_key_s = 20e-9;
  figures.decode_split_below = 1.6;
  const auto decode_s = [&](double heads, double kv, double calls, double context) {
    return Attention(figures, heads_of(heads, kv)).decode(calls, context).total();
  };
  const double alone = decode_s(8, 8, 1, 32768);
  CHECK(alone >= 32768 * 20e-9);
  CHECK(decode_s(8, 8, 8, 32768) == Approx(alone));  // 64 tiles on 100 units
  CHECK(decode_s(8, 8, 64, 32768) > 2 * alone);      // 512
  CHECK(decode_s(16, 8, 1, 32768) < alone / 3);      // the same cache, divided
  CHECK(Attention(figures, heads_of(8, 8)).longest_alone(2, false) > 0);
  CHECK(Attention(figures, heads_of(16, 8)).longest_alone(2, false) == 0);

  const KernelResidual twice({{{1}, {8}, {64}}}, {2.0});
  figures.undivided_residual = &twice;
  CHECK(decode_s(8, 8, 1, 32768) == Approx(2 * alone).epsilon(0.05));
  CHECK(decode_s(16, 8, 1, 32768) < alone / 3);
}

TEST_CASE("More cached heads than a table has are like as many more calls") {
  AttentionFigures figures = chip_of_tiles();
  const KernelResidual table({{{1, 2, 4, 8}, {1, 8}, {64}}}, {1, 1, 1, 1.1, 1, 1.2, 1, 1.5});
  figures.decode_residual = &table;
  const auto decode_s = [&](double kv, double calls) {
    return Attention(figures, heads_of(4 * kv, kv)).decode(calls, 4096).total();
  };
  CHECK(decode_s(32, 2) == Approx(decode_s(8, 8)));
}
