#pragma once
/// Student's t, for confidence intervals of means of a few repetitions.
///
///   half_width = student_t_975(n - 1) * deviation / sqrt(n);   // 95 %

#include <array>

namespace tokenyard::sim {

/// The 97.5 % quantile: from the tables up to 30 degrees of freedom (Student 1908), beyond by Cornish and Fisher's
/// expansion (error below 1e-4). `degrees` is at least 1.
constexpr double student_t_975(int degrees) {
  constexpr std::array<double, 30> kTable = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060,
                                             2.2622,  2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199,
                                             2.1098,  2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639,
                                             2.0595,  2.0555, 2.0518, 2.0484, 2.0452, 2.0423};
  if (degrees <= 30) return kTable[static_cast<std::size_t>(degrees - 1)];
  const double n = degrees, z = 1.959964;
  return z + (z * z * z + z) / (4 * n) + (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / (96 * n * n);
}

}  // namespace tokenyard::sim
