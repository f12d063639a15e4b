#include "analysis/command/option_checks.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "sim/input/faults.hpp"
#include "sim/input/json.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {
namespace {

/// Lets pass whatever is all of a Number that `allows` finds right.
template <typename Number, typename Allows>
CLI::Validator check(const std::string& option, const std::string& allowed, Allows allows) {
  const auto judge = [=](const std::string& text) -> std::string {
    Number value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && rest == text.data() + text.size() && allows(value)) return {};
    throw sim::InputError({"", option, '"' + text + '"', allowed});
  };
  return {judge, ""};
}

}  // namespace

CLI::Validator number_above_zero(const std::string& option) {
  return check<double>(option, "a number above 0", [](double value) { return value > 0 && std::isfinite(value); });
}

CLI::Validator number_between(const std::string& option, double low, double high) {
  return check<double>(option, fmt::format("a number from {} to {}", low, high),
                       [=](double value) { return value >= low && value <= high; });
}

CLI::Validator whole_number(const std::string& option, std::int64_t low, std::int64_t high) {
  const std::string allowed = high == kMostWhole ? fmt::format("a whole number of at least {}", low)
                                                 : fmt::format("a whole number from {} to {}", low, high);
  return check<std::int64_t>(option, allowed, [=](std::int64_t value) { return value >= low && value <= high; });
}

CLI::Validator text(const std::string& option) {
  const auto judge = [=](const std::string& bytes) -> std::string {
    if (sim::is_utf8(bytes)) return {};
    throw sim::InputError({"", option, sim::shown(bytes) + ", which is not UTF-8", "text in UTF-8"});
  };
  return {judge, ""};
}

CLI::Validator output_file(const std::string& option) {
  const auto judge = [=](const std::string& path) -> std::string {
    if (path != "-") return {};
    throw sim::InputError(
        {"", option, "\"-\"", "the path of a file: standard output has the findings (./- is a file)"});
  };
  return {judge, ""};
}

CLI::Validator one_of(const std::string& option, const std::vector<std::string>& words) {
  const auto judge = [=](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    throw sim::InputError({"", option, '"' + text + '"',
                           fmt::format("one of {}{}", fmt::join(words, ", "), sim::did_you_mean(text, words))});
  };
  return {judge, ""};
}

}  // namespace tokenyard::analysis
