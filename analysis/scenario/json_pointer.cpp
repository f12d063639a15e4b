#include "analysis/scenario/json_pointer.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// The keys of a pointer that is empty or begins with "/"; nothing if a "~" escapes neither "~" nor "/".
std::optional<std::vector<std::string>> keys_of(std::string_view pointer) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      keys.emplace_back();
    } else if (pointer[i] != '~') {
      keys.back() += pointer[i];
    } else if (i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      keys.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      return {};
    }
  }
  return keys;
}

bool is_number(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether a key leads into an array: nothing becomes one where it must.
bool into_array(const Json& at, const std::string& key) {
  return at.is_array() || (at.is_null() && (key == "-" || is_number(key)));
}

/// The element of an array of `size` that a key names; its end for the one to be added.
std::optional<std::size_t> index_of(const std::string& key, std::size_t size) {
  if (key == "-") return size;
  if (!is_number(key) || (key.size() > 1 && key[0] == '0')) return {};
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  return error == std::errc() && index <= size ? std::optional(index) : std::nullopt;
}

/// Where the document does not let the pointer through, if it does not.
std::optional<PointerFault> fault_on_the_way(const Json& document, const std::vector<std::string>& keys) {
  static const Json kNothing;
  const Json* at = &document;
  std::string place;
  const auto here = [&] { return place.empty() ? std::string("the document") : place; };
  for (const std::string& key : keys) {
    if (into_array(*at, key)) {
      const std::size_t size = at->size();
      const auto index = index_of(key, size);
      if (!index) {
        const bool zero_in_front = is_number(key) && key.size() > 1 && key[0] == '0';
        return PointerFault{fmt::format("\"{}\" in {}, a list of {}", key, here(), size),
                            (size == 0 ? "index 0, which adds the first"
                                       : fmt::format("an index from 0 to {}; {} adds one", size, size)) +
                                (zero_in_front ? ", and no zero in front" : "")};
      }
      at = *index < size ? &(*at)[*index] : &kNothing;
    } else if (at->is_object() || at->is_null()) {
      const auto found = at->find(key);
      at = found == at->end() ? &kNothing : &*found;
    } else {
      return PointerFault{fmt::format("\"{}\" below {}, which is {}", key, here(), sim::shown(*at)),
                          "a pointer through objects and arrays"};
    }
    place += '/' + key;
  }
  return {};
}

}  // namespace

std::optional<PointerFault> fault_of_pointer(std::string_view pointer) {
  if (pointer.empty() || pointer[0] != '/' || !keys_of(pointer)) {
    return PointerFault{sim::shown(std::string(pointer)), "a JSON pointer into the scenario, as in /pools/0/replicas"};
  }
  // What escapes a "/" is no "/": each one begins a key.
  const auto keys = static_cast<std::size_t>(std::count(pointer.begin(), pointer.end(), '/'));
  if (keys > kMostPointerKeys)
    return PointerFault{fmt::format("a pointer of {} keys", keys), fmt::format("at most {}", kMostPointerKeys)};
  return {};
}

const Json* find_at(const Json& document, std::string_view pointer) {
  const auto keys = pointer.empty() || pointer[0] == '/' ? keys_of(pointer) : std::nullopt;
  if (!keys) return nullptr;
  const Json* at = &document;
  for (const std::string& key : *keys) {
    if (at->is_object()) {
      const auto found = at->find(key);
      if (found == at->end()) return nullptr;
      at = &*found;
    } else if (at->is_array()) {
      const auto index = index_of(key, at->size());
      if (!index || *index == at->size()) return nullptr;
      at = &(*at)[*index];
    } else {
      return nullptr;
    }
  }
  return at;
}

std::optional<PointerFault> set_at(Json& document, std::string_view pointer, Json value) {
  if (auto fault = fault_of_pointer(pointer)) return fault;
  const auto keys = keys_of(pointer);
  // First looked at, then changed: nothing is half set, and no copy of the document is kept for that.
  if (auto fault = fault_on_the_way(document, *keys)) return fault;
  Json* at = &document;
  for (const std::string& key : *keys) {
    if (into_array(*at, key)) {
      if (at->is_null()) *at = Json::array();
      const std::size_t index = *index_of(key, at->size());
      if (index == at->size()) at->push_back(nullptr);
      at = &(*at)[index];
    } else {
      if (at->is_null()) *at = Json::object();
      at = &(*at)[key];
    }
  }
  *at = std::move(value);
  return {};
}

void report(const PointerFault& fault, const std::string& pointer, sim::ObjectReader& reader) {
  constexpr std::size_t kLongest = 1000;  // of a place that is said twice
  reader.fault(pointer.size() > kLongest ? "" : pointer, fault.found, fault.allowed);
}

}  // namespace tokenyard::analysis
