#pragma once
/// A pool's speculative decoding as a scenario writes it, in the engine's `speculative_config`: vLLM's keys, and the
/// share of drafted tokens that are accepted, which is the work's and has no default.
///
///   "speculative_config": {"method": "mtp", "num_speculative_tokens": 1, "acceptance": 0.85}
///   "speculative_config": {"method": "draft_model", "model": "llama-3.1-8b", "num_speculative_tokens": 4,
///                          "acceptance": [0.8, 0.75, 0.7, 0.7]}    // of each place, given the ones before
///
/// Methods: `mtp`, the model's own layer (`mtp_layers` of its entry); `eagle`, a layer of the model's shape trained for
/// it; `draft_model`, another model of the same vocabulary; `ngram`, no drafter but the context itself.

#include "platforms/spec/catalog.hpp"
#include "platforms/spec/speculation.hpp"

namespace tokenyard::analysis {

/// Drafts nothing where the engine has no `speculative_config`. `model` may be null, where it is unknown.
platforms::Speculation read_speculation(sim::ObjectReader& engine, const platforms::ModelArchitecture* model,
                                        const platforms::Catalog& catalog);

}  // namespace tokenyard::analysis
