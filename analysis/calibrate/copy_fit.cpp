#include "analysis/calibrate/copy_fit.hpp"

#include <vector>

#include "analysis/measured/measured_table.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

CopyFit fit_copies(const std::filesystem::path& path) {
  struct Copy {
    double bytes = 0, seconds = 0;
  };
  const MeasuredTable table(path);
  std::vector<Copy> copies;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.text(row, "direction") == "both") continue;
    copies.push_back(
        {table.positive(row, "segment_bytes"), table.positive(row, "seconds") / table.positive(row, "segments")});
  }
  // Of s = a + b n, divided by s: the normal equations of 1 = a / s + b n / s.
  double aa = 0, ab = 0, bb = 0, a1 = 0, b1 = 0;
  for (const Copy& copy : copies) {
    const double one = 1 / copy.seconds, size = copy.bytes / copy.seconds;
    aa += one * one;
    ab += one * size;
    bb += size * size;
    a1 += one;
    b1 += size;
  }
  const double determinant = aa * bb - ab * ab;
  const double slope = determinant > 1e-9 * aa * bb ? (aa * b1 - ab * a1) / determinant : 0;
  if (!(slope > 0)) {
    throw sim::InputError(
        {path.string(), "", "copies of one size, or longer ones in less time", "copies of several sizes"});
  }
  CopyFit fit{(bb * a1 - ab * b1) / determinant, 1 / slope, {}};
  for (const Copy& copy : copies) fit.fitted.add(fit.start_s + slope * copy.bytes, copy.seconds);
  return fit;
}

}  // namespace tokenyard::analysis
