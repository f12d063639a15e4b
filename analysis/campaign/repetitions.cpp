#include "analysis/campaign/repetitions.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/campaign/summary_key.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {

using sim::Json;
using sim::ObjectReader;

Repetitions Repetitions::read(ObjectReader& reader, std::string_view key) {
  constexpr double kMost = 1e6;
  Repetitions repetitions;
  const Json* value = reader.raw(key);
  if (value == nullptr || !value->is_object()) {
    repetitions.minimum =
        static_cast<std::size_t>(reader.integer(key, {.fallback = 1, .minimum = 1, .maximum = kMost}));
    repetitions.maximum = repetitions.minimum;
    return repetitions;
  }
  reader.object(key, [&](ObjectReader& r) {
    if (const auto named = r.valid_string("metric"); named && r.has("metric")) {
      check_summary_key(*named, SummaryKey::kNumber, r.file(), r.pointer_to("metric"), r.faults());
      repetitions.metric = *named;
    }
    repetitions.half_width = r.number("half_width", {.fallback = 0.05, .minimum = 0, .maximum = 1, .exclusive = true});
    repetitions.minimum = static_cast<std::size_t>(r.integer("min", {.fallback = 10, .minimum = 2, .maximum = kMost}));
    const double least = static_cast<double>(repetitions.minimum);
    repetitions.maximum = static_cast<std::size_t>(
        r.integer("max", {.fallback = std::max(100.0, least), .minimum = least, .maximum = kMost}));
    repetitions.batch =
        static_cast<std::size_t>(r.integer("batch", {.fallback = least, .minimum = 1, .maximum = kMost}));
  });
  return repetitions;
}

bool Repetitions::narrow(std::span<const std::optional<double>> values) const {
  if (fixed()) return true;
  const sim::MeanInterval interval = sim::mean_interval(values);
  return interval.half_width && *interval.half_width <= half_width * std::fabs(interval.mean);
}

std::size_t Repetitions::more(std::size_t done, std::span<const std::optional<double>> values) const {
  if (done >= maximum || narrow(values)) return 0;
  return std::min(batch, maximum - done);
}

}  // namespace tokenyard::analysis
