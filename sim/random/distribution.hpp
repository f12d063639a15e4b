#pragma once
/// Distributions as scenarios and catalogues write them.
///
/// A number is a constant. An object names a family and its parameters, may mark clips (`min`, `max`: the draw is
/// clamped) and a `times` (multiplies the draw before it is clamped):
///
///   {"dist": "constant", "value": 3}
///   {"dist": "uniform", "low": 2, "high": 12}
///   {"dist": "exponential", "mean": 48}
///   {"dist": "lognormal", "median": 129, "sigma": 0.9, "min": 1, "max": 4096}
///   {"dist": "gamma", "shape": 11.3, "scale": 0.64}
///   {"dist": "weibull", "scale": 46, "shape": 1.49}
///   {"dist": "negative-binomial", "r": 6.15, "p": 0.368}   mean r(1-p)/p, failures before the r-th success; r real
///   {"dist": "poisson", "mean": 5.65}
///   {"dist": "geometric", "p": 0.22}                       trials until the first success: at least 1, mean 1/p
///   {"dist": "mixture", "parts": [{"weight": 0.25, "of": DIST}, …]}   weights sum to 1
///   {"dist": "empirical", "values": [1, 2, 3], "weights": [0.9, 0.07, 0.03]}   weights optional
///
/// The algorithms are ours and portable: same draws on every compiler and processor. Parameters are validated on
/// reading; every fault has its JSON pointer. A draw allocates nothing.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/core/time.hpp"
#include "sim/input/json_reader.hpp"
#include "sim/random/stream.hpp"

namespace tokenyard::sim {

/// Of one draw or one number that is read: some 9e9 of them can be added up.
inline constexpr std::int64_t kMostTokens = 1'000'000'000;

class Distribution {
 public:
  /// Of a small shape, draws are next to 0 but for one in 1 / shape, which makes up for them: as gaps, 1 / shape
  /// arrivals at once, and arrivals without an end where that one is too rare to come. This least shape is a
  /// coefficient of variation of 50, the most that arrivals have, too; published clients of ServeGen have up to 12.
  static constexpr double kLeastGammaShape = 4e-4;

  /// The constant 0.
  Distribution() = default;
  static Distribution constant(double value);
  static Distribution gamma(double shape, double scale);

  /// Reads a DIST value; on a fault returns the constant 1 so that reading can go on.
  static Distribution read(const Json& value, const std::string& file, const std::string& pointer, Faults& faults);

  double sample(Stream& stream) const;
  /// Clamped, then rounded, from 1 to kMostTokens: a token count.
  std::int64_t sample_tokens(Stream& stream) const;
  /// Clamped, then rounded, from 0 to kMostTokens: a count.
  std::int64_t sample_count(Stream& stream) const;
  /// Seconds, not negative.
  Time sample_time(Stream& stream) const;

  /// The mean of `sample()`: closed form without clips, with them the average of a million draws of a stream of its own
  /// (about a thousandth of the standard deviation).
  double mean() const;
  /// What no draw is below.
  double least() const;
  bool is_constant() const { return family_ == Family::kConstant; }

 private:
  enum class Family : std::uint8_t {
    kConstant,
    kUniform,
    kExponential,
    kLognormal,
    kGamma,
    kWeibull,
    kNegativeBinomial,
    kPoisson,
    kGeometric,
    kMixture,
    kEmpirical
  };
  static constexpr std::array<std::string_view, 11> kFamilyNames = {
      "constant",          "uniform", "exponential", "lognormal", "gamma",    "weibull",
      "negative-binomial", "poisson", "geometric",   "mixture",   "empirical"};
  /// Mixture and empirical: cumulative weights beside parts or values.
  struct Table {
    std::vector<double> cumulative;
    std::vector<double> values;
    std::vector<Distribution> parts;

    double mean() const;
    double least() const;
  };

  void read_parameters(ObjectReader& r);
  static Table read_mixture(ObjectReader& r);
  static Table read_empirical(ObjectReader& r);
  double draw(Stream& stream) const;
  /// Without clips and `times`.
  double mean_of_family() const;

  Family family_ = Family::kConstant;
  double a_ = 0;  ///< first parameter, in the order of the list above
  double b_ = 0;
  double times_ = 1;
  double minimum_ = -std::numeric_limits<double>::infinity();
  double maximum_ = std::numeric_limits<double>::infinity();
  std::shared_ptr<const Table> table_;
};

/// The DIST under `key`; `fallback` if the key is absent, and a fault if there is none.
Distribution read_distribution(ObjectReader& reader, std::string_view key, std::optional<double> fallback = {});
/// Likewise, of what cannot be less than 0: a draw that could be is a fault.
Distribution read_amount(ObjectReader& reader, std::string_view key, std::optional<double> fallback = {});

}  // namespace tokenyard::sim
