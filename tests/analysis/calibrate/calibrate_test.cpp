#include "analysis/calibrate/calibrate.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/calibrate/gemm_fit.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "platforms/cost/replica_step_cost.hpp"
#include "sim/input/faults.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;
namespace fs = std::filesystem;

namespace {

/// A profile of two points an axis, in the profiler's own files.
fs::path write_profile(const ScratchFolder& folder) {
  folder.write("p_dense.csv",
               "layer,tokens,time_us\nqkv,1,10\nqkv,2048,50\nlayernorm,1,2\nlayernorm,2048,"
               "4\nembedding,1,3\nembedding,2048,5\n");
  folder.write("p_per_sequence.csv", "layer,sequences,time_us\nlm_head,1,100\nlm_head,64,200\n");
  folder.write("p_attention.csv",
               "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,1,16,5\n0,0,1,"
               "1024,9\n0,0,64,16,20\n0,0,64,1024,300\n"
               "16,0,0,0,8\n16,0,64,1024,310\n2048,0,0,0,500\n2048,0,64,1024,800\n");
  return folder / "p";
}

/// Products of H100 as its entry has them in short runs; with watts: as it has them, in long ones.
fs::path write_products(const ScratchFolder& folder, bool watts) {
  const platforms::Chip& chip = *built_in_catalog().find_chip("h100-sxm");
  const GemmFit truth{
      .figures = platforms::gemm_figures(watts ? chip : platforms::in_short_runs(chip), platforms::Precision::kBf16)};
  const fs::path path = folder / "products.csv";
  std::ofstream out(path);
  out << "gemm_dtype,m,n,k,latency" << (watts ? ",power" : "") << '\n';
  for (const std::int64_t m : {1, 32, 128, 500, 1024, 4096}) {
    for (const std::int64_t n : {1024, 2560, 8192, 14336}) {
      for (const std::int64_t k : {1024, 4096, 8192}) {
        out << "bfloat16," << m << ',' << n << ',' << k << ',' << 1e3 * gemm_seconds(truth, {m, n, k, 0}, 2, 2)
            << (watts ? ",690" : "") << '\n';
      }
    }
  }
  return path;
}

}  // namespace

TEST_CASE("What a chip keeps at its power limit stands in its entry, unless the table was measured there") {
  const auto entry = [](bool watts) {
    CalibrateOptions options;
    const ScratchFolder folder;
    options.table = write_products(folder, watts);
    options.base = "h100-sxm";
    const sim::Json efficiency = calibrate(options, built_in_catalog()).entry["efficiency"];
    return std::pair{efficiency["gemm_compute"]["bf16"]["value"].get<double>(),
                     efficiency["sustained"]["bf16"]["value"].get<double>()};
  };
  const auto [short_compute, short_sustained] = entry(false);
  const auto [long_compute, long_sustained] = entry(true);
  CHECK(short_sustained == 0.85);
  CHECK(long_sustained == 1);
  CHECK(short_compute * short_sustained == Approx(long_compute * long_sustained).epsilon(0.03));
}

TEST_CASE("A profile taken into a chip's entry times its model on that chip, and no other") {
  const ScratchFolder folder;
  CalibrateOptions options;
  options.table = write_profile(folder);
  options.base = "h100-sxm";
  options.name = "profiled";
  options.model = "llama-3.1-8b";
  const CalibratedEntry taken = take_profile(options, built_in_catalog());
  CHECK(taken.entry["kernel_profiles"].size() == 1);
  CHECK(taken.entry["base"] == "h100-sxm");

  // What is written is read back.
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse(taken.entry.dump(), "profiled.json", faults);
  sim::ObjectReader reader = file.root(faults);
  reader.raw("schema");
  const platforms::Chip chip = platforms::Chip::read(reader);
  reader.finish();
  faults.throw_if_any();

  platforms::ReplicaSpec spec;
  spec.chip = &chip;
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const auto seconds = [&] {
    const platforms::StepPiece piece = platforms::replica_step_cost(spec)->piece({64, 64 * 1024}, {});
    return static_cast<double>(piece.ticks(64 * 1024)) / (1e9 * sim::FineTime::kTicksPerNanosecond);
  };
  // Of 64 tokens: 32 layers of attention and, between the points, of the others; embedding and the output matrix once.
  const double share = 63.0 / 2047;
  CHECK(seconds() ==
        Approx(1e-6 * (32 * (300 + 10 + 40 * share + 2 * (2 + 2 * share)) + 3 + 2 * share + 200)).epsilon(1e-6));
  spec.model = built_in_catalog().find_model("qwen3-8b");
  const double modelled = seconds();
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  CHECK(seconds() == modelled);

  // Faults are the user's to mend.
  CHECK_THROWS_AS((options.model = "no-such-model", take_profile(options, built_in_catalog())), sim::InputError);
  options.model = "llama-3.1-8b";
  options.table = fs::path("/nowhere/p");
  CHECK_THROWS_AS(take_profile(options, built_in_catalog()), sim::InputError);
}
