#pragma once
/// What the shape of the work costs attention on a chip, with the kernels of a software stack: the figures of
/// platforms/cost/attention.hpp, where the formulas are. Fitted by `tokenyard calibrate`
/// (analysis/calibrate/attention_fit.hpp).
///
/// In a chip's entry, under "efficiency": {"attention_prefill_tile_rows": {"value": 128, "source": …}, …}. What an entry
/// leaves out costs nothing, unless it says otherwise here.

#include <optional>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct AttentionKernels {
  std::optional<double> prefill_tile_s;  ///< to begin and end a tile; absent, or of unknown units: as long as 100 keys
  double prefill_tile_rows = 64;         ///< queries of a tile
  double prefill_tile_heads = 1;         ///< of a cached head that share a tile, at most
  double prefill_wait = 0;               ///< share of the longest tile
  std::optional<double> decode_tile_s;   ///< of a cached head of a call on a unit; absent: the kernel's launch
  double decode_skew = 0;                ///< 0: contexts share the units evenly; 1: calls do
  double decode_key_s = 0;               ///< of 128 numbers of a context that is never divided; 0: all are divided
  double decode_split_below = 0;         ///< tiles for each unit: with fewer, contexts are divided

  /// Of the reader of "efficiency". Faults go to its list.
  static AttentionKernels read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::platforms
