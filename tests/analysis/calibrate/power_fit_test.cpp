#include "analysis/calibrate/power_fit.hpp"

#include <fmt/format.h>

#include "sim/input/faults.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;

namespace {

constexpr const char* kHeader =
    "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,data_parallel,weight_precision,max_num_seqs,"
    "avg_batch_size,avg_output_len,avg_power_watts,energy_per_token_joules,median_itl_ms,"
    "output_throughput_tokens_per_sec\n";

/// A table of several models and batches whose watts nobody has measured yet.
EnergyTable table_with(const std::string& more = {}) {
  std::string table = kHeader;
  for (const char* model : {"Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-32B"}) {
    for (const int users : {8, 64, 192})
      table += fmt::format("lm-arena-chat,{},H100,2,2,1,1,bfloat16,{},{},400,800,1,10,1000\n", model, users, users);
  }
  const ScratchFolder folder;
  return read_energy_table(folder.write("table.csv", table + more), built_in_catalog());
}

}  // namespace

TEST_CASE("Power that made the watts is found again, and each model's without the model") {
  const EnergyTable table = table_with();
  REQUIRE(table.points.size() == 9);
  std::vector<EnergyPoint> points = table.points;
  platforms::Chip chip = *points.front().spec.chip;
  CHECK(chip.name == "h100-sxm");
  chip.power.active_w = 350;
  chip.power.compute_w = 300;
  chip.power.memory_w = 150;
  for (EnergyPoint& point : points) {
    const SimulatedWork work = simulate(point);
    REQUIRE(work.span_s > 0);
    CHECK(work.of_chip.busy_s == Approx(work.span_s).epsilon(0.01));  // a closed loop without pauses
    CHECK(work.of_chip.waiting_s > 0);
    point.tokens_per_s = work.output_tokens / work.of_chip.busy_s;
    point.watts = *chip.joules(point.spec.weights, work.of_chip) / work.of_chip.busy_s;
  }
  const PowerFit fit = fit_power(points, chip);
  CHECK(*fit.power.active_w == Approx(350).epsilon(0.05));
  CHECK(*fit.power.compute_w == Approx(300).epsilon(0.15));
  CHECK(*fit.power.memory_w == Approx(150).epsilon(0.15));
  CHECK(fit.fitted.quantile(1) < 0.01);
  CHECK(fit.without.size() == 3);
  CHECK(fit.held_out.rows() == 9);
  CHECK(fit.held_out.quantile(1) < 0.05);
}

TEST_CASE("Rows that cannot be simulated are left out with the reason") {
  const EnergyTable table = table_with(
      "image-chat,Qwen/Qwen3-8B,H100,1,1,1,1,bfloat16,8,8,400,400,1,10,1000\n"
      "gpqa,someone/unknown-7B,H100,1,1,1,1,bfloat16,8,8,400,400,1,10,1000\n"
      "gpqa,meta-llama/Llama-3.1-405B-Instruct,H100,1,1,1,1,bfloat16,8,8,400,400,1,10,1000\n"
      "gpqa,Qwen/Qwen3-8B,X9,1,1,1,1,bfloat16,8,8,400,400,1,10,1000\n");
  CHECK(table.points.size() == 9);
  CHECK(table.left_out.at("with images or video: image-chat") == 1);
  CHECK(table.left_out.at("not in the catalogue: unknown-7B") == 1);
  CHECK(table.left_out.at("does not fit: meta-llama/Llama-3.1-405B-Instruct on 1 chips") == 1);
  CHECK(table.left_out.at("not in the catalogue: X9") == 1);
  // Checkpoints of one shape are one model; expert parallelism divides attention, too.
  const EnergyTable more =
      table_with("gpqa,Qwen/Qwen3-235B-A22B-Thinking-2507-FP8,H100,8,1,8,1,fp8,8,8,400,400,1,10,1000\n");
  CHECK(more.points.back().spec.model->name == "qwen3-235b-a22b");
  CHECK(more.points.back().spec.parallelism.tp == 8);
  CHECK(more.points.back().spec.parallelism.ep == 8);
}
