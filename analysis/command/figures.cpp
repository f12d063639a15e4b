#include "analysis/command/figures.hpp"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {
namespace {

constexpr const char* kNothing = "–";

/// In groups of three, of a whole number's digits.
std::string grouped(std::string digits) {
  for (std::size_t at = digits.size(); at > 3 && digits[at - 4] != '-';) digits.insert(at -= 3, 1, ',');
  return digits;
}

/// Three significant digits without an exponent, for 0 and magnitudes from 1e-3 to 1e4.
std::string three_digits(double value) {
  const double size = std::fabs(value);
  const int decimals = size >= 99.95 || size == 0 ? 0
                       : size >= 9.995            ? 1
                       : size >= 0.9995           ? 2
                       : size >= 0.09995          ? 3
                                                  : 4;
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  return decimals == 0 ? grouped(text) : text;
}

}  // namespace

std::string duration_text(const sim::Json& seconds) {
  if (!seconds.is_number()) return kNothing;
  const double s = seconds.get<double>();
  if (s == 0) return "0 s";
  if (s < 1e-3) return three_digits(s * 1e6) + " µs";
  if (s < 1) return three_digits(s * 1e3) + " ms";
  if (s < 120) return three_digits(s) + " s";
  if (s < 7200) return three_digits(s / 60) + " min";
  return three_digits(s / 3600) + " h";
}

std::string count_text(const sim::Json& count) {
  if (!count.is_number()) return kNothing;
  return grouped(fmt::format("{}", count.get<std::int64_t>()));
}

std::string share_text(const sim::Json& share) {
  return share.is_number() ? fmt::format("{:.1f} %", share.get<double>() * 100) : kNothing;
}

std::string percent_text(const sim::Json& share) {
  return share.is_number() ? fmt::format("{:.0f} %", share.get<double>() * 100) : kNothing;
}

std::string quantity_text(const sim::Json& value) {
  if (!value.is_number()) return kNothing;
  double rest = value.get<double>();
  if (rest != 0 && std::fabs(rest) < 1e-3) return fmt::format("{:.3g}", rest);
  static constexpr std::array<const char*, 5> kPrefixes = {"", " k", " M", " G", " T"};
  std::size_t prefix = 0;
  while (std::fabs(rest) >= 9999.5 && prefix + 1 < kPrefixes.size()) rest /= 1000, ++prefix;
  return three_digits(rest) + kPrefixes[prefix];
}

}  // namespace tokenyard::analysis
