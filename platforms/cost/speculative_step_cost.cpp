#include "platforms/cost/speculative_step_cost.hpp"

#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::platforms {
namespace {

/// The drafter on the model's chips, with as many tokens of a call in a pass as the model has or with one.
ReplicaSpec drafter_spec(const ReplicaSpec& spec, bool one_token) {
  ReplicaSpec drafter = without_host(spec);
  drafter.model = spec.speculation.drafter.get();
  drafter.speculation.drafter = nullptr;
  if (one_token) drafter.speculation = {};
  return drafter;
}

}  // namespace

SpeculativeStepCost::SpeculativeStepCost(const ReplicaSpec& spec)
    : model_(without_host(spec)), host_(spec.host, *spec.model), drafts_(spec.speculation.drafts()) {
  if (spec.speculation.drafter == nullptr) return;
  drafter_.emplace(Drafter{KernelStepCost(drafter_spec(spec, false)), KernelStepCost(drafter_spec(spec, true)), {}});
  if (spec.speculation.shares_vocabulary) {
    // Kept in 16 bits and whole on each chip, as engines do.
    const std::int64_t d = spec.model->hidden;
    drafter_->projection.emplace(gemm_figures(*spec.chip, attention_precision(spec)), d, 2 * d, kActivationBytes,
                                 kActivationBytes);
  }
}

StepPiece SpeculativeStepCost::piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                                     const OtherRanks& others) const {
  StepPiece piece = model_.piece(decoding, chunks, others);
  if (drafter_) {
    piece += drafter_->first.piece(decoding, chunks, others);
    Tokens prompt = 0, begun_context = 0;
    std::int32_t drafting = decoding.calls;  // those whose prompt ends here, too
    for (const PrefillChunk& chunk : chunks) {
      prompt += chunk.tokens;
      drafting += chunk.last ? 1 : 0;
      begun_context += chunk.last ? chunk.before + chunk.tokens : 0;
    }
    const Tokens drafted = others.decoded / (1 + drafts_);
    const OtherRanks drafting_there{.tokens = drafted, .decoded = drafted, .fullest = others.fullest};
    for (std::int64_t pass = 1; drafting > 0 && pass < drafts_; ++pass) {
      const Tokens grown = begun_context + pass * drafting;
      StepPiece further =
          drafter_->further.piece({drafting, decoding.context + grown, decoding.skew}, {}, drafting_there);
      further.move_by(grown);
      piece += further;
    }
    if (drafter_->projection) {
      const auto project = [&](double tokens, double passes) {
        KernelTime time = drafter_->projection->at(static_cast<std::int64_t>(std::ceil(tokens)));
        time *= passes;
        book(piece, time);
        piece.base_flop += sim::counted(passes * drafter_->projection->flop(tokens));
      };
      project(static_cast<double>(decoding.calls * (1 + drafts_) + prompt), 1);
      if (drafting > 0) project(drafting, static_cast<double>(drafts_ - 1));
    }
  }
  const double sequences = static_cast<double>(decoding.calls) + static_cast<double>(chunks.size());
  host_.add_to(piece, decoding.context, sequences, !chunks.empty() || others.prompts);
  return piece;
}

}  // namespace tokenyard::platforms
