#pragma once
/// How often each cell is run: a fixed number, or until the mean of a metric is known well enough.
///
///   5
///   {"metric": "latency.ttft_s.p95", "half_width": 0.05, "min": 10, "max": 100, "batch": 10}
///
/// The second runs `min` repetitions, then `batch` more at a time, until the half-width of the 95 % interval (Student's
/// t over the repetitions) is at most `half_width` of the mean, or `max` are done. A decision looks at all repetitions
/// of the finished batches and at nothing else, so it does not depend on the order in which runs end. Stopping on the
/// interval itself makes it cover less than it says: with `min` 10, 93 to 95 % of them hold the mean of normal values
/// that spread by 2 to 20 % of it; with 5, down to 92 % (tests/analysis/campaign/repetitions_test.cpp).

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct Repetitions {
  std::size_t minimum = 1, maximum = 1, batch = 1;
  std::string metric;        ///< empty: `minimum` repetitions, whatever they show
  double half_width = 0.05;  ///< relative to the mean

  bool fixed() const { return metric.empty(); }
  /// Reads the number or the object under `key`.
  static Repetitions read(sim::ObjectReader& reader, std::string_view key);
  /// Whether the interval of these values (absent: the run has no such number) is as narrow as was asked for. A fixed
  /// number of repetitions asks for none.
  bool narrow(std::span<const std::optional<double>> values) const;
  /// How many repetitions follow once `done` of them gave these values; 0: enough, or as many as there may be.
  std::size_t more(std::size_t done, std::span<const std::optional<double>> values) const;
};

}  // namespace tokenyard::analysis
