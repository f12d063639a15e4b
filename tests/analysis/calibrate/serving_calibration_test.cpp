#include "analysis/calibrate/serving_calibration.hpp"

#include <fmt/format.h>
#include <fstream>

#include "analysis/measured/serving_table.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;

namespace {

constexpr int kRequestsOfUser = 4;

/// What a benchmark of a model on one H100 would say of an engine with such host times and of such a chip.
void write_benchmark(const std::filesystem::path& path, const platforms::EngineDefaults::Host& host,
                     const platforms::Chip& chip, const std::string& model = "llama-3.1-8b",
                     platforms::Precision weights = platforms::Precision::kBf16) {
  const platforms::Catalog& catalog = built_in_catalog();
  ServingPoint point;
  point.defaults = catalog.find_engine("vllm-0.18");
  point.spec.chip = &chip;
  point.spec.model = catalog.find_model(model);
  point.spec.weights = weights;
  point.bench = bench_of(*point.defaults, point.spec).value();
  point.bench.kv.blocks = 20'000;
  std::ofstream out(path);
  out << "concurrency,prompt_tokens,output_tokens,requests,ttft_s,tpot_s\n";
  for (const std::int64_t users : {1, 4, 16, 48}) {
    for (const platforms::Tokens prompt : {64, 512, 4096}) {
      point.load = {.users = users, .prompt_tokens = prompt, .output_tokens = 100, .requests = kRequestsOfUser * users};
      const ServedMeans means = simulate_point(point, host);
      out << fmt::format("{},{},100,{},{},{}\n", users, prompt, point.load.requests, means.ttft_s, means.tpot_s);
    }
  }
}

CalibrateOptions options_for(const std::filesystem::path& table) {
  CalibrateOptions options;
  options.table = table;
  options.base = "h100-sxm";
  options.model = "llama-3.1-8b";
  options.engine = "vllm-0.18";
  options.name = "mine";
  return options;
}

}  // namespace

TEST_CASE("A serving benchmark alone gives back the host times that it was made with") {
  const ScratchFolder scratch;
  const auto path = scratch / "bench.csv";
  platforms::EngineDefaults::Host host = built_in_catalog().find_engine("vllm-0.18")->host;
  host.step_s = 3e-3;
  host.sequence_s = 6e-5;
  host.prefill_step_s = 8e-3;
  host.layer_s = 5e-4;
  write_benchmark(path, host, *built_in_catalog().find_chip("h100-sxm"));
  const CalibratedEntry fitted = calibrate_engine(options_for(path), built_in_catalog());
  INFO(fitted.what);
  const auto value = [&](const char* key) { return fitted.entry["host"][key]["value"].get<double>(); };
  CHECK(value("step_s") == Approx(host.step_s).epsilon(0.05));
  CHECK(value("prefill_step_s") == Approx(host.prefill_step_s).epsilon(0.1));
  CHECK(value("layer_s") == Approx(host.layer_s).epsilon(0.1));
  CHECK(value("expert_layer_s") == Approx(host.expert_layer_s).epsilon(0.01));  // the model has none: as it was
  CHECK(fitted.entry["name"] == "mine");

  // What is written is an engine.
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse(fitted.entry.dump(), "mine.json", faults);
  sim::ObjectReader reader = file.root(faults);
  reader.raw("schema");
  const auto engine = platforms::EngineDefaults::read(reader);
  reader.finish();
  faults.throw_if_any();
  CHECK(engine.host.step_s == value("step_s"));
}

TEST_CASE("A serving benchmark alone gives back what a chip reaches of its peaks") {
  const ScratchFolder scratch;
  const auto path = scratch / "bench.csv";
  const platforms::Chip& known = *built_in_catalog().find_chip("h100-sxm");
  platforms::Chip slower = known;
  slower.efficiency.gemm_memory = 0.8 * *known.efficiency.gemm_memory;
  slower.efficiency.attention_decode = 0.8 * *known.efficiency.attention_decode;
  slower.efficiency.gemm_compute[platforms::Precision::kBf16] =
      0.7 * *known.efficiency.gemm_compute[platforms::Precision::kBf16];
  slower.efficiency.attention_prefill = 0.7 * *known.efficiency.attention_prefill;
  write_benchmark(path, built_in_catalog().find_engine("vllm-0.18")->host, slower);
  const CalibratedEntry fitted = calibrate_served_chip(options_for(path), built_in_catalog());
  INFO(fitted.what);
  const sim::Json& at = fitted.entry["efficiency"];
  CHECK(at["gemm_memory"]["value"].get<double>() == Approx(*slower.efficiency.gemm_memory).epsilon(0.02));
  CHECK(at["gemm_compute"]["bf16"]["value"].get<double>() ==
        Approx(*slower.efficiency.gemm_compute[platforms::Precision::kBf16]).epsilon(0.03));
}

TEST_CASE("Experts of 4-bit weights are given back as their own format's, though multiplied in 16 bits") {
  const ScratchFolder scratch;
  const auto path = scratch / "bench.csv";
  const platforms::Chip& known = *built_in_catalog().find_chip("h100-sxm");
  platforms::Chip slower = known;
  platforms::ExpertKernels& experts = slower.efficiency.experts[platforms::Precision::kFp4].value();
  slower.efficiency.gemm_memory = 0.8 * *known.efficiency.gemm_memory;
  slower.efficiency.attention_decode = 0.8 * *known.efficiency.attention_decode;
  experts.memory *= 0.8;
  write_benchmark(path, built_in_catalog().find_engine("vllm-0.18")->host, slower, "gpt-oss-20b",
                  platforms::Precision::kFp4);
  CalibrateOptions options = options_for(path);
  options.model = "gpt-oss-20b";
  options.precision = "fp4";
  const CalibratedEntry fitted = calibrate_served_chip(options, built_in_catalog());
  INFO(fitted.what);
  const sim::Json& at = fitted.entry["efficiency"];
  CHECK(at["gemm_memory"]["value"].get<double>() == Approx(*slower.efficiency.gemm_memory).epsilon(0.03));
  CHECK(at["experts"]["fp4"]["value"]["memory"].get<double>() == Approx(experts.memory).epsilon(0.03));
  CHECK(at["experts"]["bf16"] ==
        (*built_in_catalog().raw(platforms::CatalogKind::kChip, "h100-sxm"))["efficiency"]["experts"]["bf16"]);
}

TEST_CASE("A benchmark that says nothing of use is refused with its line") {
  const ScratchFolder scratch;
  const auto path = scratch / "bench.csv";
  const auto refused = [&](const char* rows) {
    std::ofstream(path) << rows;
    try {
      calibrate_engine(options_for(path), built_in_catalog());
    } catch (const sim::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(refused("concurrency,prompt_tokens,output_tokens,ttft_s,tpot_s\n0,10,10,1,1\n"),
             Contains("line 2, concurrency: found \"0\""));
  CHECK_THAT(refused("concurrency,prompt_tokens,output_tokens,ttft_s,tpot_s\n1,10,10,1,-1\n"),
             Contains("line 2, tpot_s: found \"-1\""));
  CHECK_THAT(refused("concurrency,prompt_tokens,output_tokens,ttft_s,tpot_s\n"), Contains("no rows"));
  CHECK_THAT(refused("concurrency,prompt_tokens\n1,10\n"), Contains("output_tokens"));
  CalibrateOptions options = options_for(path);
  options.engine = "vlm";
  CHECK_THROWS_WITH(calibrate_engine(options, built_in_catalog()), Contains("vllm"));
}
