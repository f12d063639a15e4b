#pragma once
/// A mean with its 95 % interval, by Student's t: of repetitions, of batches, of paired differences.
///
///   MeanInterval interval = mean_interval(values);   // absent values do not count

#include <cstddef>
#include <optional>
#include <span>

namespace tokenyard::sim {

struct MeanInterval {
  std::size_t count = 0;
  double mean = 0;
  double deviation = 0;              ///< of the sample; 0 below two values
  std::optional<double> half_width;  ///< none below two values
};

/// Of the values that exist, in their order (Welford's update). They must be independent: correlated ones go in batches
/// first.
MeanInterval mean_interval(std::span<const std::optional<double>> values);
MeanInterval mean_interval(std::span<const double> values);

/// Of a series whose neighbours are correlated (tasks in the order of arrival): the means of `batches` batches of equal
/// size are taken as independent (batch means; Law, Simulation Modeling and Analysis, 5th ed., ch. 9.5.3); what is left
/// over at the end counts for the mean alone. With fewer than two values per batch, each value is a batch.
MeanInterval batch_mean_interval(std::span<const double> series, std::size_t batches = 20);

}  // namespace tokenyard::sim
