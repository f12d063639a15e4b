#pragma once
/// Step cost out of the operator times that a peer, Vidur, tabulated for Llama-2-7B on one A100
/// (../shared/data/vidur_l2_2rep): its predictor in our engine, so that the schedulers can be compared alone.
///
/// A step of N tokens takes, in each of 32 layers, the linear operators at N rounded up to eight, `kv_cache_save` at N,
/// decode attention at (calls, mean context rounded down to a whole number, then up to 64) and prefill attention at
/// (sum of what is cached of each prompt, rounded up to 64; the root of the sum of the chunks' squares, rounded). There
/// is no output layer, no sampling, no host (evidence: peers.md §6.2).
///
/// The tables do not say what bounds a step: all of it counts as compute. A piece is flat and holds while the mean
/// context stays in its 64. Steps beyond the tables (4,096 tokens, 512 calls, 4,096 of context) are an InternalError.

#include <filesystem>
#include <vector>

#include "platforms/cost/step_cost.hpp"

namespace tokenyard::analysis {

class VidurTables final : public platforms::StepCost {
 public:
  /// Throws sim::InputError, with the file, where a table lacks what a step asks for.
  explicit VidurTables(const std::filesystem::path& folder);

  using StepCost::piece;
  platforms::StepPiece piece(const platforms::DecodingCalls& decoding, std::span<const platforms::PrefillChunk> chunks,
                             const platforms::OtherRanks& others) const override;

  /// Of a step of `tokens`, in seconds.
  double kv_save_s(platforms::Tokens tokens) const;

 private:
  struct Grid {
    std::size_t columns = 0;
    std::vector<double> values;
    double at(std::size_t row, std::size_t column) const;
  };

  // Milliseconds of one layer.
  Grid linear_;   ///< of all linear operators; [0][tokens]
  Grid kv_save_;  ///< [0][tokens]
  Grid decode_;   ///< [calls][context / 64]
  Grid prefill_;  ///< [cached / 64][chunk]
};

}  // namespace tokenyard::analysis
