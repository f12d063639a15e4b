#pragma once
/// What the shape of a dense product costs on a chip, with the kernels of a software stack: the figures of
/// platforms/cost/gemm.hpp, where the formula is. Fitted by `tokenyard calibrate` (analysis/calibrate/gemm_fit.hpp).
///
/// In a chip's entry, under "efficiency": {"gemm_tile_half": {"value": 3070, "source": …}, …, "gemm_formats": {"fp8":
/// {"tile_half": …}}}. What an entry leaves out costs nothing.

#include <array>
#include <optional>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct GemmKernels {
  double tile_half = 0;   ///< elements: a tile of as many reaches half of the chip's share of its peak
  double depth_half = 0;  ///< of k: what a tile loses in filling and draining its pipeline
  double occupancy = 0;   ///< how far units that lie idle slow the memory down
  double wave = 0;        ///< how much of a last, incomplete wave of tiles counts as a whole one
  double split_s = 0;     ///< of one more kernel that adds the parts of a split product

  struct Figure {
    const char* key;  ///< in an entry
    double GemmKernels::*value;
    sim::NumberRule rule;
  };
  static const std::array<Figure, 5> kFigures;

  /// Of the reader of "efficiency". Faults go to its list.
  static GemmKernels read(sim::ObjectReader& reader);
};

/// What products in one number format have of their own; absent: as in all others.
struct GemmFormat {
  std::optional<double> tile_half, split_s;
  std::optional<double> quantise_memory;  ///< share of the bandwidth at which inputs are brought to the format

  /// Faults go to the reader's list.
  static GemmFormat read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::platforms
