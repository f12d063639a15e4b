#include "analysis/scenario/override.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/input/utf8.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// The keys of a pointer that begins with "/"; nothing if it holds a "~" that escapes neither "~" nor "/".
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

/// Where a walk down the pointer ended: the value, or why there is none.
struct Step {
  Json* at = nullptr;
  std::string found, allowed;
};

Step step_down(Json& at, const std::string& key, const std::string& place) {
  if (at.is_null()) at = Json::object();
  if (at.is_object()) return {&at[key], {}, {}};
  if (!at.is_array()) {
    return {nullptr, fmt::format("\"{}\" below {}, which is {}", key, place, sim::shown(at)),
            "a pointer through objects and arrays"};
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool number = error == std::errc() && end == key.data() + key.size();
  if (key == "-") index = at.size();
  if ((!number && key != "-") || index > at.size()) {
    return {nullptr, fmt::format("\"{}\" in {}, a list of {}", key, place.empty() ? "the scenario" : place, at.size()),
            fmt::format("an index from 0 to {}; {} adds one", at.size(), at.size())};
  }
  if (index == at.size()) at.push_back(nullptr);
  return {&at[index], {}, {}};
}

}  // namespace

void apply_override(Json& root, std::string_view assignment, std::string_view flag, sim::Faults& faults) {
  const std::size_t equals = assignment.find('=');
  const std::string_view pointer = assignment.substr(0, equals);
  if (!sim::is_utf8(assignment)) {
    faults.add("", std::string(flag), sim::shown(std::string(assignment)) + ", which is not UTF-8", "text in UTF-8");
    return;
  }
  const auto keys = !pointer.empty() && pointer[0] == '/' ? keys_of(pointer) : std::nullopt;
  if (equals == std::string_view::npos || !keys) {
    faults.add("", std::string(flag), sim::shown(std::string(assignment)),
               "/json/pointer=value, as in /pools/0/replicas=4");
    return;
  }
  if (keys->size() > kMostPointerKeys) {
    faults.add("", std::string(flag), fmt::format("a pointer of {} keys", keys->size()),
               fmt::format("at most {}", kMostPointerKeys));
    return;
  }
  const std::string text(assignment.substr(equals + 1));
  sim::Faults not_json;
  Json value = sim::JsonFile::parse(text, "", not_json).value();
  if (!not_json.empty()) value = text;

  Json changed = root;
  Step step{&changed, {}, {}};
  std::string place;
  for (const std::string& key : *keys) {
    step = step_down(*step.at, key, place);
    if (step.at == nullptr) {
      faults.add("", std::string(flag), step.found, step.allowed);
      return;
    }
    place += '/' + key;
  }
  *step.at = std::move(value);
  root = std::move(changed);
}

}  // namespace tokenyard::analysis
