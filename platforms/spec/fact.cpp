#include "platforms/spec/fact.hpp"

#include "sim/input/json.hpp"

namespace tokenyard::platforms {

namespace {

using sim::Json;
using sim::NumberRule;
using sim::ObjectReader;

std::string text_at(const Json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void collect(const Json& value, const std::string& key, std::vector<Fact>& facts) {
  if (value.is_object() && value.contains("value")) {
    Fact fact;
    fact.key = key;
    const Json& rows = value["value"];
    const bool table = rows.is_array() && !rows.empty() && rows.front().is_array();
    const bool many = rows.is_array() && rows.size() > 12;
    fact.value = table  ? std::to_string(rows.size()) + " rows"
                 : many ? std::to_string(rows.size()) + " numbers"
                        : sim::to_text(rows);
    fact.source = text_at(value, "source");
    fact.date = text_at(value, "date");
    fact.note = text_at(value, "note");
    auto assumed = value.find("assumed");
    fact.assumed = assumed != value.end() && assumed->is_boolean() && assumed->get<bool>();
    facts.push_back(std::move(fact));
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.items()) collect(member, key.empty() ? name : key + "/" + name, facts);
  } else if (value.is_array() && !value.empty() && value.front().is_array()) {
    Fact fact;  // a table of measurements
    fact.key = key;
    fact.value = std::to_string(value.size()) + " rows";
    facts.push_back(std::move(fact));
  } else if (value.is_array()) {
    std::size_t index = 0;
    for (const auto& element : value) collect(element, key + "/" + std::to_string(index++), facts);
  } else if (value.is_number() || value.is_boolean()) {
    Fact fact;
    fact.key = key;
    fact.value = sim::to_text(value);
    facts.push_back(std::move(fact));
  }
}

/// Calls `read` where the value stands: with the key itself if it is bare, with "value" inside a fact. False if absent.
template <typename Read>
bool read_value(ObjectReader& reader, std::string_view key, Read read) {
  const Json* raw = reader.raw(key);  // also where it is absent: a key near it can then be suggested
  if (raw == nullptr) return false;
  if (!raw->is_object()) {
    read(reader, key);
    return true;
  }
  reader.object(key, [&](ObjectReader& fact) {
    read(fact, "value");
    read_provenance(fact, true);
  });
  return true;
}

NumberRule without_fallback(NumberRule rule) {
  rule.fallback.reset();
  return rule;
}

}  // namespace

std::vector<Fact> collect_facts(const Json& entry) {
  std::vector<Fact> facts;
  collect(entry, "", facts);
  return facts;
}

void read_provenance(ObjectReader& reader, bool source_required) {
  source_required ? reader.string("source") : reader.string("source", std::string());
  reader.string("date", std::string());
  reader.string("note", std::string());
  reader.boolean("assumed", false);
}

std::optional<double> optional_fact(ObjectReader& reader, std::string_view key, const NumberRule& rule) {
  double number = 0;
  bool there = read_value(reader, key, [&](ObjectReader& at, std::string_view where) {
    number = at.number(where, without_fallback(rule));
  });
  return there ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> optional_count(ObjectReader& reader, std::string_view key, const NumberRule& rule) {
  std::int64_t number = 0;
  bool there = read_value(reader, key, [&](ObjectReader& at, std::string_view where) {
    number = at.integer(where, without_fallback(rule));
  });
  return there ? std::optional(number) : std::nullopt;
}

double required_fact(ObjectReader& reader, std::string_view key, const NumberRule& rule) {
  if (reader.has(key)) return optional_fact(reader, key, rule).value_or(0);
  return reader.number(key, without_fallback(rule));
}

std::int64_t required_count(ObjectReader& reader, std::string_view key, const NumberRule& rule) {
  if (reader.has(key)) return optional_count(reader, key, rule).value_or(0);
  return reader.integer(key, without_fallback(rule));
}

bool flag_fact(ObjectReader& reader, std::string_view key, bool fallback) {
  bool flag = fallback;
  read_value(reader, key, [&](ObjectReader& at, std::string_view where) { flag = at.boolean(where); });
  return flag;
}

std::vector<std::int64_t> optional_counts(ObjectReader& reader, std::string_view key) {
  std::vector<std::int64_t> counts;
  read_value(reader, key, [&](ObjectReader& at, std::string_view where) {
    const Json* raw = at.raw(where);
    bool good = raw != nullptr && raw->is_array() && !raw->empty();
    if (good) {
      for (const auto& element : *raw) {
        good = good && element.is_number_integer() && element.get<std::int64_t>() >= 1;
        if (good) counts.push_back(element.get<std::int64_t>());
      }
    }
    if (!good)
      at.fault(where, raw == nullptr ? "nothing" : sim::shown(*raw), "an array of one integer or more, of at least 1");
  });
  return counts;
}

}  // namespace tokenyard::platforms
