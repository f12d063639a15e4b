#include "analysis/campaign/summary_key.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "analysis/schemas/summary_keys.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// A key with "*" for any name; of those that lead to numbers alone.
struct Pattern {
  std::string key;
  bool number;  ///< one, not an object of them
};

/// Adds what lies below an object; whether there is anything.
bool collect(const SummaryKeys& object, const std::string& prefix, std::vector<Pattern>& patterns) {
  bool any = false;
  for (const SummaryKeys& member : object.members) {
    const std::string key = prefix + member.name;
    if (collect(member, key + '.', patterns) || member.number) patterns.push_back({key, member.number}), any = true;
  }
  return any;
}

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> kPatterns = [] {
    std::vector<Pattern> all;
    collect(summary_keys(), "", all);
    return all;
  }();
  return kPatterns;
}

/// A name may hold dots.
bool fits(std::string_view key, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return key == pattern;
  if (!key.starts_with(pattern.substr(0, star))) return false;
  for (std::size_t end = star + 1; end <= key.size(); ++end) {
    if (fits(key.substr(end), pattern.substr(star + 1))) return true;
  }
  return false;
}

/// The pattern for a person who wrote `key`: "pools.main.busy" for "pools.*.busy".
std::string named_as(const std::string& pattern, const std::string& key) {
  const std::size_t star = pattern.find('*'), dot = key.find('.');
  if (star == std::string::npos || dot == std::string::npos) return pattern;
  const std::string name = key.substr(dot + 1, key.find('.', dot + 1) - dot - 1);
  return pattern.substr(0, star) + name + pattern.substr(star + 1);
}

}  // namespace

void check_summary_key(const std::string& key, SummaryKey wanted, const std::string& file, const std::string& place,
                       sim::Faults& faults) {
  std::vector<std::string> candidates;
  for (const Pattern& pattern : patterns()) {
    if (wanted == SummaryKey::kNumber && !pattern.number) continue;
    if (fits(key, pattern.key)) return;
    candidates.push_back(named_as(pattern.key, key));
  }
  faults.add(
      file, place, sim::shown(Json(key)),
      (wanted == SummaryKey::kNumber ? "a number of the summary" : "a key of the summary that leads to numbers") +
          sim::did_you_mean(key, candidates));
}

}  // namespace tokenyard::analysis
