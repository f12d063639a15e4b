#pragma once
/// A model that makes images or videos by diffusion, as its cost sees it: what one denoising step computes.
///
/// A picture of width x height pixels, or each group of `frames_per_token` frames of a video after its first frame, is
/// a grid of latent tokens, each `pixels_per_token` pixels. A step runs the network once (twice with classifier-free
/// guidance: `passes_per_step`) over n tokens, those of the prompt that attend jointly included:
///
///   FLOP of a step = passes · (2 · parameters_per_token · n + 4 · layers · hidden · n²)
///
/// products with the weights, then attention, which is not causal. Text encoder and autoencoder run once a call: they
/// are in the measured `efficiency`, not in the FLOP. `efficiency` is what a whole call reaches of the chip's realised
/// ceiling (media_cost.hpp); `efficiency_on` names chips on which it was measured to be another. `sharing` holds, by
/// the number of chips that make one picture together, the share of their joint speed that is left; other numbers of
/// chips are unknown. Batches gain nothing where every step is compute-bound (measured: 5 % at 16 images), so there are
/// none.
///
///   const MediaModel* model = catalog.find_media_model("flux.1-dev");
///   model->step_flop({1024, 1024, 1}).total();       // 7.4e13

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct Chip;

/// What is to be made. A picture has one frame.
struct MediaFormat {
  std::int64_t width = 0, height = 0, frames = 1;
};

struct MediaModel {
  struct StepFlop {
    double products = 0;   ///< with the weights
    double attention = 0;  ///< of all tokens with all
    double total() const { return products + attention; }
  };

  std::string name;
  double parameters_total = 0;
  double parameters_per_token = 0;  ///< that one token meets in one pass
  std::int64_t layers = 0, hidden = 0;
  std::int64_t text_tokens = 0;  ///< that attend jointly with those of the picture
  std::int64_t pixels_per_token = 256;
  std::int64_t frames_per_token = 1;
  std::int64_t passes_per_step = 1;
  double efficiency = 1;
  std::map<std::string, double, std::less<>> efficiency_on;
  std::map<std::int64_t, double> sharing;

  std::int64_t tokens(const MediaFormat& format) const;
  StepFlop step_flop(const MediaFormat& format) const;
  double efficiency_of(const Chip& chip) const;
  /// Of the chips' joint speed, where `chips` make one picture together; nothing if nobody measured it.
  std::optional<double> share(std::int64_t chips) const;

  /// Faults go to the reader's list; the rest is read nevertheless.
  static MediaModel read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::platforms
