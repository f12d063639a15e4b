#include "analysis/page/human_number.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {
namespace {

constexpr const char* kSpace = "\u00a0";

/// Digits in groups of three.
std::string grouped(std::string text) {
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

/// "1,234": a count below ten thousand is exact, things counted are below a million, and so are dollars.
std::string grouped(double value) { return grouped(fmt::format("{:.0f}", value)); }

std::optional<double> number_of(const sim::Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// Three significant digits of a number in [0, 1000), or beyond the largest unit; whole numbers without decimals.
std::string digits(double value) {
  const bool whole = std::abs(value - std::round(value)) < 1e-9 * value;  // 0.6 as a percentage is 60, not 60.0
  if (whole || value == 0 || value >= 99.95) return grouped(value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  if (value >= 0.9995) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

struct Scale {
  double from;  ///< the smallest value that it suits
  double size;
  const char* name;
};

/// Below the first scale, the value is shown in the first.
template <std::size_t N>
std::string scaled(double value, const std::array<Scale, N>& scales, std::string_view unit = "") {
  std::size_t i = 0;
  while (i + 1 < N && value >= scales[i + 1].from) ++i;
  const std::string name = fmt::format("{}{}", scales[i].name, unit);
  return fmt::format("{}{}{}", digits(value / scales[i].size), name.empty() ? "" : kSpace, name);
}

// A value that would round up to 1000 of a unit is shown as 1 of the next: hence the limits just below it.
constexpr std::array<Scale, 7> kSeconds = {{{0, 1e-9, "ns"},
                                            {0.9995e-6, 1e-6, "µs"},
                                            {0.9995e-3, 1e-3, "ms"},
                                            {0.9995, 1, "s"},
                                            {120, 60, "min"},
                                            {7200, 3600, "h"},
                                            {172'800, 86'400, "d"}}};
constexpr std::array<Scale, 5> kCounts = {
    {{0, 1, ""}, {9999.5, 1e3, "k"}, {0.9995e6, 1e6, "M"}, {0.9995e9, 1e9, "G"}, {0.9995e12, 1e12, "T"}}};

constexpr std::array<Scale, 6> kBytes = {{{0, 1, ""},
                                          {999.5, 1e3, "k"},
                                          {0.9995e6, 1e6, "M"},
                                          {0.9995e9, 1e9, "G"},
                                          {0.9995e12, 1e12, "T"},
                                          {0.9995e15, 1e15, "P"}}};
constexpr std::array<Scale, 8> kSi = {{{0, 1, ""},
                                       {1e-12, 1e-3, "m"},
                                       {0.9995, 1, ""},
                                       {999.5, 1e3, "k"},
                                       {0.9995e6, 1e6, "M"},
                                       {0.9995e9, 1e9, "G"},
                                       {0.9995e12, 1e12, "T"},
                                       {0.9995e15, 1e15, "P"}}};

std::string share(double value) {
  if (value < 1 && value >= 0.9995) return fmt::format("over{}99.9{}%", kSpace, kSpace);
  if (value > 0 && value < 0.00005) return fmt::format("under{}0.01{}%", kSpace, kSpace);
  const double percent = value * 100;
  if (value < 0.01 && value > 0) return fmt::format("{:.2f}{}%", percent, kSpace);
  return fmt::format("{}{}%", percent < 9.995 ? fmt::format("{:.2g}", percent) : digits(percent), kSpace);
}

std::string usd(double value) {
  if (value >= 0.9995e6) return fmt::format("${}", scaled(value, kCounts));
  if (value >= 100) return fmt::format("${}", grouped(value));
  if (value >= 1) return fmt::format("${:.2f}", value);
  if (value == 0) return "$0";
  // Three significant digits, without an exponent.
  int decimals = 3;
  for (double limit = 0.09995; value < limit && decimals < 12; limit /= 10) ++decimals;
  std::string text = fmt::format("${:.{}f}", value, decimals);
  while (text.ends_with('0') && decimals-- > 2) text.pop_back();
  return text;
}

}  // namespace

std::string human_number(std::optional<double> value, Unit unit) {
  if (!value || !std::isfinite(*value)) return "–";
  if (*value < 0) return fmt::format("−{}", human_number(-*value, unit));
  switch (unit) {
    case Unit::kCount:
      return *value >= 999.5 && *value < 9999.5 ? grouped(*value) : scaled(*value, kCounts);
    case Unit::kShare:
      return share(*value);
    case Unit::kSeconds:
      return *value == 0 ? fmt::format("0{}s", kSpace) : scaled(*value, kSeconds);
    case Unit::kPerSecond:
      return fmt::format("{}/s", human_number(value, Unit::kCount));
    case Unit::kBytes:
      return scaled(*value, kBytes, "B");
    case Unit::kJoules:
      return scaled(*value, kSi, "J");
    case Unit::kWatts:
      return scaled(*value, kSi, "W");
    case Unit::kUsd:
      return usd(*value);
  }
  return "–";
}

std::string duration_text(const sim::Json& seconds) { return human_number(number_of(seconds), Unit::kSeconds); }
std::string share_text(const sim::Json& share) { return human_number(number_of(share), Unit::kShare); }
std::string share_text(double mean, const std::optional<double>& half_width) {
  std::string text = mean < 1 && mean >= 0.9995 ? fmt::format("over{}99.9", kSpace) : fmt::format("{:.1f}", mean * 100);
  if (half_width) text += fmt::format("{}±{:.1f}", kSpace, *half_width * 100);
  return text + kSpace + '%';
}
std::string quantity_text(const sim::Json& value) { return human_number(number_of(value), Unit::kCount); }

std::string count_text(const sim::Json& count) {
  if (!count.is_number()) return "–";
  const auto whole = count.get<std::int64_t>();
  return whole < 0 ? "−" + grouped(fmt::format("{}", -whole)) : grouped(fmt::format("{}", whole));
}

Unit unit_of(std::string_view key) {
  constexpr std::array<std::string_view, 7> kShares = {
      "busy", "mfu", "mbu", "kv_utilization", "seats_full", "prefix_hit_rate", "step_time_uncertainty"};
  if (key.ends_with("_per_s")) return Unit::kPerSecond;
  if (key.ends_with("_s")) return Unit::kSeconds;
  if (key.starts_with("usd")) return Unit::kUsd;
  if (key.starts_with("joules")) return Unit::kJoules;
  if (key.starts_with("watts") || key.ends_with("_w")) return Unit::kWatts;
  if (key.starts_with("bytes") || key.ends_with("bytes")) return Unit::kBytes;
  if (key.starts_with("attainment") || key == "least_attainment") return Unit::kShare;
  return std::find(kShares.begin(), kShares.end(), key) != kShares.end() ? Unit::kShare : Unit::kCount;
}

std::string words_of(std::string_view key) {
  struct Word {
    std::string_view key, words;
  };
  constexpr std::array<Word, 17> kWords = {{{"pue", "PUE"},
                                            {"mfu", "MFU"},
                                            {"mbu", "MBU"},
                                            {"kv_utilization", "KV in use"},
                                            {"prefix_hit_rate", "prefix hits"},
                                            {"kv_transfer", "KV transfer"},
                                            {"goodput_calls_per_s", "goodput, calls"},
                                            {"goodput_tasks_per_s", "goodput, tasks"},
                                            {"attainment_calls", "attainment, calls"},
                                            {"attainment_tasks", "attainment, tasks"},
                                            {"joules", "energy"},
                                            {"usd", "cost"},
                                            {"watts_mean", "mean power"},
                                            {"usd_per_million_output_tokens", "per million output tokens"},
                                            {"usd_per_completed_task", "per completed task"},
                                            {"joules_per_output_token", "per output token"},
                                            {"bandwidth", "memory bandwidth"}}};
  for (const Word& word : kWords) {
    if (word.key == key) return std::string(word.words);
  }
  std::string words(key);
  if (words.ends_with("_per_s")) words.resize(words.size() - 6);
  if (words.ends_with("_s")) words.resize(words.size() - 2);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string counted_number(std::optional<double> count) {
  return count && *count >= 999.5 && *count < 0.9995e6 ? grouped(*count) : human_number(count, Unit::kCount);
}

std::string counted(double count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("one {}", singular);
  return fmt::format("{}{}{}", counted_number(count), kSpace, plural);
}

}  // namespace tokenyard::analysis
