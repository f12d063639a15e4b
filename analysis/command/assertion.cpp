#include "analysis/command/assertion.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/result/value_at.hpp"
#include "analysis/schemas/summary_keys.hpp"
#include "sim/input/numbers.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::array<std::string_view, 6> kSigns = {"<=", ">=", "==", "!=", "<", ">"};
constexpr const char* kGrammar =
    "STATISTIC METRIC OP NUMBER or KEY OP NUMBER, as in \"p95 ttft_s < 2\" or \"slo.attainment >= 0.95\"";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = std::min(text.find_first_not_of(" \t", i), text.size());
    const std::size_t end = std::min(text.find_first_of(" \t", start), text.size());
    if (end > start) words.emplace_back(text.substr(start, end - start));
    i = end;
  }
  return words;
}

/// The first part of a dotted key: up to a dot, or one of the names, which may hold dots themselves.
std::string first_part(std::string_view key, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (key == name || key.starts_with(name + '.')) return name;
  }
  return std::string(key.substr(0, key.find('.')));
}

/// Follows a dotted key down the summary's keys. The names of what is in a scenario are those of `known` under their key;
/// whatever else may have any name is taken as it comes, and so is everything below it.
void check_key(const std::string& key, const Assertion::Names& known, sim::Faults& faults, const std::string& shown) {
  const SummaryKeys* at = &summary_keys();
  std::string_view rest = key;
  std::string above;
  while (!rest.empty()) {
    const auto of_scenario = known.find(above);
    const SummaryKeys* any = at->any();
    if (any != nullptr && of_scenario == known.end()) return;
    const std::vector<std::string> names = any != nullptr ? of_scenario->second : at->names();
    const std::string name = first_part(rest, names);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      faults.add("", "--assert", fmt::format("\"{}\" in \"{}\"", name, shown),
                 names.empty() ? "a key of summary.json down to a number"
                               : fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(name, names)));
      return;
    }
    at = any != nullptr ? any : at->find(name);
    above = name;
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  if (const std::vector<std::string> names = at->names(); !names.empty()) {
    faults.add("", "--assert", '"' + shown + '"',
               fmt::format("a number; below \"{}\" there are {}", key, fmt::join(names, ", ")));
  } else if (!at->number) {
    faults.add("", "--assert", '"' + shown + '"', fmt::format("a number; \"{}\" is none", key));
  }
}

bool fulfils(double value, std::string_view sign, double bound) {
  if (sign == "<") return value < bound;
  if (sign == "<=") return value <= bound;
  if (sign == ">") return value > bound;
  if (sign == ">=") return value >= bound;
  return (value == bound) == (sign == "==");
}

}  // namespace

Assertion Assertion::parse(std::string_view text, sim::Faults& faults) {
  Assertion assertion;
  assertion.text = text;
  const std::string shown(text);
  const auto grammar = [&] { faults.add("", "--assert", '"' + shown + '"', kGrammar); };
  std::size_t at = std::string_view::npos;
  for (const std::string_view sign : kSigns) {
    at = text.find(sign);
    if (at == std::string_view::npos) continue;
    assertion.sign = sign;
    break;
  }
  if (assertion.sign.empty()) return grammar(), assertion;
  const std::vector<std::string> left = words_of(text.substr(0, at)),
                                 right = words_of(text.substr(at + assertion.sign.size()));
  if (left.empty() || left.size() > 2 || right.size() != 1) return grammar(), assertion;
  const std::string& number = right[0];
  if (!sim::read_number(number, assertion.bound)) {
    faults.add("", "--assert", fmt::format("\"{}\" in \"{}\"", number, shown), "a number");
    return assertion;
  }
  if (left.size() == 2) {
    static const std::vector<std::string> kStatistics = {"mean", "p50", "p90", "p95", "p99", "max"};
    if (std::find(kStatistics.begin(), kStatistics.end(), left[0]) == kStatistics.end()) {
      faults.add("", "--assert", fmt::format("\"{}\" in \"{}\"", left[0], shown),
                 fmt::format("one of {}{}", fmt::join(kStatistics, ", "), sim::did_you_mean(left[0], kStatistics)));
      return assertion;
    }
    assertion.key = fmt::format("latency.{}.{}", left[1], left[0]);
  } else {
    assertion.key = left[0];
  }
  check_key(assertion.key, {}, faults, shown);
  return assertion;
}

void Assertion::check_names(const Names& names, sim::Faults& faults) const { check_key(key, names, faults, text); }

Assertion::Verdict Assertion::judge(const Json& summary) const {
  const Json* value = find_key(summary, key);
  if (value == nullptr) return {false, fmt::format("\"{}\" is false: the summary has no {}", text, key)};
  if (value->is_boolean())
    return {fulfils(value->get<bool>() ? 1 : 0, sign, bound),
            fmt::format("\"{}\" is false: it is {}", text, value->dump())};
  if (value->is_null()) {
    const char* why = key.starts_with("slo.") ? "there is no service level, or no sample" : "there is no sample";
    return {false, fmt::format("\"{}\" is false: {}, it is null", text, why)};
  }
  if (!value->is_number()) return {false, fmt::format("\"{}\" is false: {} is no number", text, key)};
  if (fulfils(value->get<double>(), sign, bound)) return {true, {}};
  return {false, fmt::format("\"{}\" is false: it is {:.6g}", text, value->get<double>())};
}

}  // namespace tokenyard::analysis
