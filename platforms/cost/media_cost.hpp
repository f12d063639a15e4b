#pragma once
/// What a call for pictures costs on the chips of a media pool: denoising steps, each compute-bound at the chip's
/// realised ceiling.
///
///   time of a step = (products / gemm + attention / attention ceiling) / (k · efficiency · sharing of k chips)
///
/// with the model's FLOP (spec/media_model.hpp), the ceilings peak · gemm_compute and peak · attention_prefill of the
/// chip's entry, and the model's measured efficiency. A chip without them cannot make pictures.
///
///   MediaCost cost({chip, model, Precision::kBf16, 1});     // `missing_numbers(spec)` must be empty
///   cost.step({1024, 1024, 1}).ticks;

#include <string>
#include <vector>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/media_model.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::platforms {

struct MediaSpec {
  const Chip* chip = nullptr;
  const MediaModel* model = nullptr;
  Precision weights = Precision::kBf16;
  std::int64_t chips = 1;  ///< that make one picture together
};

/// Of a step: fixed-point ticks of sim::FineTime, FLOP per chip.
struct MediaStep {
  std::int64_t ticks = 0, flop = 0;
};

class MediaCost {
 public:
  explicit MediaCost(const MediaSpec& spec) : spec_(spec) {}
  MediaStep step(const MediaFormat& format) const;

 private:
  MediaSpec spec_;
};

/// What the catalogue lacks for timing, or nobody measured: texts for messages. Empty: it can be timed.
std::vector<std::string> missing_numbers(const MediaSpec& spec);

/// Bytes of the weights; each chip holds them all.
double weight_bytes(const MediaSpec& spec);

}  // namespace tokenyard::platforms
