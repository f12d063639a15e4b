#pragma once
/// The keys a format reads from one JSON object, found in one pass; other keys are ignored, unless they look like one
/// that is absent.
///
///   JsonRow<kKeys> row(kNames);
///   if (!row.find(object)) return refuse(RowFault::kMalformed, row.twice(), "each key once");
///   if (row.has(kInput)) read(row[kInput]);

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <utility>

#include "sim/input/text.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/readers/near_keys.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {

static_assert(LineFile::kPadding >= simdjson::SIMDJSON_PADDING);

template <std::size_t N>
class JsonRow {
 public:
  explicit JsonRow(const std::array<std::string_view, N>& names) : names_(names) {}

  /// False if a key stands there twice.
  bool find(simdjson::dom::object object) {
    seen_.fill(false);
    for (const auto field : object) {
      for (std::size_t key = 0; key < N; ++key) {
        if (field.key != names_[key]) continue;
        if (seen_[key]) {
          twice_ = key;
          return false;
        }
        seen_[key] = true;
        value_[key] = field.value;
      }
    }
    return true;
  }
  /// The first key of the object that looks like one of the format's that is absent, and that one ("waitfor" and
  /// "wait_for"); nothing if there is none. A format's optional key is otherwise missed without a word.
  std::optional<std::pair<std::string_view, std::string_view>> near_miss(simdjson::dom::object object) const {
    for (const auto field : object) {
      if (std::find(names_.begin(), names_.end(), field.key) != names_.end()) continue;
      for (std::size_t key = 0; key < N; ++key) {
        if (!seen_[key] && mistyped(field.key, names_[key])) return std::pair{field.key, names_[key]};
      }
    }
    return {};
  }
  std::string twice() const { return fmt::format("\"{}\" twice", names_[twice_]); }
  /// Present and not null.
  bool has(std::size_t key) const { return seen_[key] && !value_[key].is_null(); }
  simdjson::dom::element operator[](std::size_t key) const { return value_[key]; }
  std::string_view name(std::size_t key) const { return names_[key]; }
  /// "input_length = -3", for messages.
  std::string shown(std::size_t key) const {
    return fmt::format("{} = {}", names_[key], seen_[key] ? sim::shown_text(simdjson::minify(value_[key])) : "nothing");
  }

 private:
  const std::array<std::string_view, N>& names_;
  std::array<simdjson::dom::element, N> value_;
  std::array<bool, N> seen_{};
  std::size_t twice_ = 0;
};

/// A count of `unit_ns` (10^6: milliseconds), whole or not, from 0 to 9e9 seconds, to the nearest nanosecond.
inline bool read_duration(simdjson::dom::element value, std::int64_t unit_ns, std::int64_t& ns) {
  const std::int64_t most = 9'000'000'000'000'000'000 / unit_ns;
  std::int64_t whole = 0;
  if (value.get(whole) == simdjson::SUCCESS) {
    ns = whole >= 0 && whole < most ? whole * unit_ns : -1;
    return ns >= 0;
  }
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS || !(number >= 0 && number < static_cast<double>(most))) return false;
  ns = std::llround(number * static_cast<double>(unit_ns));
  return true;
}

inline bool read_token_count(simdjson::dom::element value, platforms::Tokens& tokens) {
  double number = 0;
  return value.get(number) == simdjson::SUCCESS && read_tokens(number, tokens);
}

}  // namespace tokenyard::traces
