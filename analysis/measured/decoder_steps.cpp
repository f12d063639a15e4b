#include "analysis/measured/decoder_steps.hpp"

#include <fmt/format.h>

#include "analysis/measured/measured_table.hpp"
#include "platforms/cost/kernel_step_cost.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

std::vector<DecoderStep> read_decoder_steps(const std::filesystem::path& path, const platforms::Catalog& catalog) {
  const MeasuredTable table(path);
  std::vector<DecoderStep> steps;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string model(table.text(row, "model"));
    if (model.empty()) continue;
    DecoderStep step;
    const auto fault = [&](const char* column, const std::string& found, const std::string& allowed) {
      return sim::InputError({path.string(), fmt::format("row {}, {}", row + 1, column), '"' + found + '"', allowed});
    };
    step.spec.model = catalog.find_model(model);
    if (step.spec.model == nullptr) throw fault("model", model, catalog.allowed(platforms::CatalogKind::kModel, model));
    const auto weights = platforms::precision_from_name(table.text(row, "weights"));
    if (!weights) throw fault("weights", std::string(table.text(row, "weights")), "bf16, fp8, fp4 or int8");
    step.spec.weights = *weights;
    step.calls = table.whole(row, "calls", 0);
    step.context = table.whole(row, "context", 0);
    step.prompt_tokens = table.whole(row, "tokens", 0);
    step.seconds = table.positive(row, "step_s");
    step.pause_s = table.number(row, "pause_s");
    step.watts = table.positive(row, "watts");
    steps.push_back(step);
  }
  return steps;
}

SimulatedStep simulate_step(const DecoderStep& step, const platforms::Chip& chip) {
  platforms::ReplicaSpec spec = step.spec;
  spec.chip = &chip;
  spec.host = {};
  const platforms::KernelStepCost cost(spec);
  const platforms::Tokens context = step.calls * step.context;
  const platforms::PrefillChunk prompt{.tokens = step.prompt_tokens, .last = true};
  const std::span<const platforms::PrefillChunk> prompts(&prompt, step.calls > 0 ? 0 : 1);
  const platforms::StepPiece piece = cost.piece({static_cast<std::int32_t>(step.calls), context}, prompts);
  const auto at_context = [&](std::int64_t base, std::int64_t slope) {
    return static_cast<double>(base) + static_cast<double>(slope) * static_cast<double>(context);
  };
  const platforms::StepWork work{.busy_s = sim::FineTime(sim::Int128(piece.ticks(context))).seconds(),
                                 .flop = at_context(piece.base_flop, piece.slope_flop),
                                 .bytes = at_context(piece.base_bytes, piece.slope_bytes),
                                 .padding_flop = static_cast<double>(piece.padding_flop),
                                 .unpacked = static_cast<double>(piece.unpacked)};
  const double joules = chip.joules(spec.weights, work).value_or(0) + chip.power.held_w.value_or(0) * step.pause_s;
  return {work.busy_s, joules / (work.busy_s + step.pause_s)};
}

}  // namespace tokenyard::analysis
