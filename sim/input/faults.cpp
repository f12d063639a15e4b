#include "sim/input/faults.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "sim/input/text.hpp"

namespace tokenyard::sim {

namespace {

/// In the middle, between two characters of UTF-8.
std::string cut_short(const std::string& text) {
  constexpr std::size_t kLongest = 1000, kEnd = 100;
  if (text.size() <= kLongest) return text;
  std::size_t head = kLongest - kEnd, tail = text.size() - kEnd;
  while (!begins_character(text[head])) --head;
  while (tail < text.size() && !begins_character(text[tail])) ++tail;
  return text.substr(0, head) + " … " + text.substr(tail);
}

}  // namespace

std::string Fault::message() const {
  std::string where = file;
  if (!place.empty()) where += (where.empty() ? "" : ": ") + place;
  // What was found may be a file's only line; what is allowed is ours.
  std::string text =
      fmt::format("{}{}found {}, allowed: {}", where, where.empty() ? "" : ": ", cut_short(found), allowed);
  for (char& c : text) {  // of input that is no text; a terminal would obey them
    if (c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)) c = '?';
  }
  return text;
}

void Faults::add(std::string file, std::string place, std::string found, std::string allowed) {
  list_.push_back({std::move(file), std::move(place), std::move(found), std::move(allowed)});
}

void Faults::throw_if_any() const {
  if (!list_.empty()) throw InputError(list_);
}

InputError::InputError(std::vector<Fault> faults) : faults_(std::move(faults)) {
  for (const Fault& fault : faults_) {
    if (!what_.empty()) what_ += '\n';
    what_ += fault.message();
  }
}

namespace {

/// Levenshtein distance, O(|a| · |b|).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, replaced});
    }
  }
  return row.back();
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower;
}

/// "b200-sxm" begins with a part of "nvidia-b200", as "H100" is one of "h100-sxm".
bool begins_with_a_part(const std::string& candidate, const std::string& name) {
  constexpr std::size_t kTelling = 4;  // letters: fewer begin too much
  for (std::size_t from = 0; from < name.size();) {
    const std::size_t end = std::min(name.find_first_of("-_ /.", from), name.size());
    if (end - from >= kTelling && candidate.starts_with(std::string_view(name).substr(from, end - from))) return true;
    from = end + 1;
  }
  return false;
}

}  // namespace

std::string nearest_name(std::string_view given, const std::vector<std::string>& candidates) {
  if (given.size() > 200) return {};
  const std::string name = in_lower_case(given);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    const std::string lower = in_lower_case(candidate);
    std::size_t distance = edit_distance(name, lower);
    // "h100" means "h100-sxm" although four letters are missing.
    if (!name.empty() && lower.starts_with(name)) distance = std::min<std::size_t>(distance, 1);
    if (begins_with_a_part(lower, name)) distance = std::min<std::size_t>(distance, 3);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? std::string() : fmt::format(" (did you mean \"{}\"?)", nearest);
}

}  // namespace tokenyard::sim
