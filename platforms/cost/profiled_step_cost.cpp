#include "platforms/cost/profiled_step_cost.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace tokenyard::platforms {

using sim::FineTime;

namespace {

EngineDefaults::Host without_launches(EngineDefaults::Host host) {
  host.step_s = host.prefill_step_s = host.layer_s = host.expert_layer_s = 0;
  return host;
}

}  // namespace

ProfiledStepCost::ProfiledStepCost(const ReplicaSpec& spec, const KernelProfile& profile)
    : spec_(spec), models_(without_host(spec)), host_(without_launches(spec.host), *spec.model), profile_(profile) {}

double ProfiledStepCost::decode_seconds(const DecodingCalls& batch, StepPiece& piece) const {
  const std::int32_t decoding = batch.calls;
  const auto layers = static_cast<double>(spec_.model->layers);
  const auto sides = profile_.decode.sides(decoding);
  std::set<double> knots;
  for (const ProfileCurve* curve : {sides.low, sides.high}) {
    for (const auto& point : curve->points()) knots.insert(point.first);
  }
  // Sums of contexts at which a stretch begins: whole numbers, so that every step of a stretch sees the same one.
  const auto begins = [&](double knot) { return static_cast<Tokens>(std::ceil(knot * decoding)); };
  auto high =
      std::partition_point(knots.begin(), knots.end(), [&](double knot) { return begins(knot) <= batch.context; });
  if (high == knots.begin()) {
    piece.context_limit = std::min(piece.context_limit, begins(*high) - 1);
    return layers * profile_.decode.at(decoding, *high);
  }
  const bool beyond = high == knots.end();
  if (beyond) --high;
  const double from = *std::prev(high), to = *high;
  const double low = layers * profile_.decode.at(decoding, from),
               rise = layers * profile_.decode.at(decoding, to) - low;
  const double slope = rise / ((to - from) * decoding);
  piece.slope_ticks[Bound::kBandwidth] = FineTime::ticks_in(slope);
  if (!beyond) piece.context_limit = std::min(piece.context_limit, begins(to) - 1);
  return low - slope * from * decoding;
}

StepPiece ProfiledStepCost::piece(const DecodingCalls& batch, std::span<const PrefillChunk> chunks,
                                  const OtherRanks& others) const {
  const std::int32_t decoding = batch.calls;
  const Tokens context = batch.context;
  const auto layers = static_cast<double>(spec_.model->layers);
  double prompt = 0, cached = 0, sequences = decoding;
  for (const PrefillChunk& chunk : chunks) {
    prompt += static_cast<double>(chunk.tokens);
    cached += static_cast<double>(chunk.tokens) * static_cast<double>(chunk.before);
    sequences += chunk.last ? 1 : 0;
  }
  if (prompt > 0) cached /= prompt;
  const bool with_prompts = !chunks.empty() || others.prompts;
  const double places = graph_places(std::max(decoding, others.fullest));
  const double tokens = with_prompts ? decoding + prompt : places;
  const double all_tokens =
      with_prompts ? tokens + static_cast<double>(others.tokens) : places * static_cast<double>(spec_.parallelism.dp);

  double seconds = layers * profile_.layer.at(tokens) + profile_.token_once.at(tokens);
  if (sequences > 0) seconds += profile_.sequence_once.at(sequences);
  if (!profile_.experts.empty() && spec_.model->moe) {
    const ModelArchitecture::Moe& moe = *spec_.model->moe;
    const auto everyone = static_cast<std::int64_t>(std::ceil(all_tokens));
    const double hit =
        experts_hit(static_cast<double>(moe.experts), static_cast<double>(moe.experts_per_token.value_or(1)), everyone);
    // The profile has all of a token's experts on the chip; of a token of all ranks, a chip has its share of them.
    const auto spread = static_cast<double>(spec_.parallelism.expert_ranks());
    seconds += layers * profile_.experts.at(static_cast<double>(everyone) / spread, hit / spread);
  }

  StepPiece piece = models_.piece(batch, chunks, others);
  const Bound bound =
      piece.base_ticks[Bound::kBandwidth] > piece.base_ticks[Bound::kCompute] ? Bound::kBandwidth : Bound::kCompute;
  const std::int64_t network = piece.base_ticks[Bound::kNetwork];
  piece.base_ticks = {};
  piece.slope_ticks = {};
  piece.base_ticks[Bound::kNetwork] = network;

  if (!chunks.empty()) {
    const double mean = decoding > 0 ? static_cast<double>(context) / decoding : 0;
    seconds += layers * profile_.mixed.at(prompt, cached, decoding, mean);
    piece.context_limit = context;
  } else if (decoding > 0) {
    seconds += decode_seconds(batch, piece);
  }
  piece.base_ticks[bound] += FineTime::ticks_in(seconds);
  piece.base_ticks[Bound::kBandwidth] += models_.longest_alone(batch, !chunks.empty());
  host_.add_to(piece, context, decoding + static_cast<double>(chunks.size()), with_prompts);
  return piece;
}

}  // namespace tokenyard::platforms
