#pragma once
/// Steps of whole decoders on one GPU, as analysis/calibrate/measure_gpu.py writes them (steps.csv), and their
/// simulation.
///
/// Every step is one captured CUDA graph, so no engine's host time is in it. A decoding step has `calls` calls over
/// `context` tokens each; any other computes `prompt_tokens` tokens of one prompt with nothing before them. Watts are
/// the mean over a loop of such steps with a pause after each, in which the chip draws held_w.
///
///   for (const DecoderStep& step : read_decoder_steps("gpus/h100-sxm/steps.csv", catalog))
///     error.add(simulate_step(step, *catalog.find_chip("h100-sxm")).seconds, step.seconds);

#include <cstdint>
#include <filesystem>
#include <vector>

#include "platforms/cost/replica_spec.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct DecoderStep {
  platforms::ReplicaSpec spec;  ///< without chip
  std::int64_t calls = 0, context = 0;
  std::int64_t prompt_tokens = 0;
  double seconds = 0, pause_s = 0, watts = 0;
};

/// Without the rows of a card that does nothing. Columns: model, weights, calls, context, tokens, pause_s, step_s, watts.
/// Throws sim::InputError for a model or a precision that the catalogue lacks.
std::vector<DecoderStep> read_decoder_steps(const std::filesystem::path& path, const platforms::Catalog& catalog);

struct SimulatedStep {
  double seconds = 0, watts = 0;
};
SimulatedStep simulate_step(const DecoderStep& step, const platforms::Chip& chip);

}  // namespace tokenyard::analysis
