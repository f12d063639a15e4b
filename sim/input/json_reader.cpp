#include "sim/input/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <utility>

#include "sim/input/json.hpp"
#include "sim/input/text.hpp"

namespace tokenyard::sim {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kLongestError = 200;

struct TooDeep {};

/// Follows a parser through a document and reports keys that stand twice in one object. Throws TooDeep where nesting is
/// deeper than whoever recurses into a value can follow. A pass of its own: nlohmann's parser with a callback looks
/// through the whole of an array at each element's end.
class Follower final : public nlohmann::json_sax<Json> {
 public:
  Follower(std::string file, Faults& faults) : file_(std::move(file)), faults_(faults) {}

  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& key) override {
    see_key(key);
    return true;
  }
  bool null() override { return count_element(); }
  bool boolean(bool) override { return count_element(); }
  bool number_integer(std::int64_t) override { return count_element(); }
  bool number_unsigned(std::uint64_t) override { return count_element(); }
  bool number_float(double, const std::string&) override { return count_element(); }
  bool string(std::string&) override { return count_element(); }
  bool binary(Json::binary_t&) override { return count_element(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  /// An object or array that is open.
  struct Level {
    bool array = false;
    std::size_t elements = 0;
    std::string key;
    std::set<std::string> keys;
  };

  bool open(bool array) {
    if (levels_.size() == kMaxDepth) throw TooDeep();
    count_element();
    levels_.emplace_back();
    levels_.back().array = array;
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  bool count_element() {
    if (!levels_.empty() && levels_.back().array) ++levels_.back().elements;
    return true;
  }
  void see_key(std::string key) {
    Level& level = levels_.back();
    level.key = key;
    if (level.keys.insert(std::move(key)).second) return;
    std::string pointer;
    for (const Level& l : levels_) pointer = pointer_to(pointer, l.array ? std::to_string(l.elements - 1) : l.key);
    faults_.add(file_, pointer, "the key twice", "each key once");
  }

  std::string file_;
  Faults& faults_;
  std::vector<Level> levels_;
};

std::string place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t last = before.rfind('\n');
  return fmt::format("line {}, column {}", line,
                     last == std::string_view::npos ? before.size() : before.size() - last - 1);
}

}  // namespace

std::string shown(const Json& value) {
  constexpr std::size_t kLongest = 60;
  std::string text = to_text(value);
  if (text.size() <= kLongest) return text;
  std::size_t length = kLongest - 1;
  while (!begins_character(text[length])) --length;
  return text.substr(0, length) + "…";
}

JsonFile::JsonFile() : value_(std::make_unique<Json>(Json::object())) {}
JsonFile::~JsonFile() = default;
JsonFile::JsonFile(JsonFile&&) noexcept = default;
JsonFile& JsonFile::operator=(JsonFile&&) noexcept = default;

JsonFile JsonFile::from(Json value, std::string name) {
  JsonFile file;
  file.name_ = std::move(name);
  *file.value_ = std::move(value);
  return file;
}

std::optional<std::string> read_text_file(const std::filesystem::path& path, Faults& faults) {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  const auto refuse = [&](const char* found, const char* allowed) {
    faults.add(path.empty() ? "\"\"" : path.string(), "", found, allowed);
    return std::nullopt;
  };
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return refuse("no such file", "the path of a file");
  if (std::filesystem::is_directory(status)) return refuse("a directory", "the path of a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse("a file that cannot be opened", "a readable file");
  std::string text;
  std::vector<char> block(std::size_t{1} << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMost) return refuse("more than 256 MiB", "a smaller file");
  }
  if (in.bad()) return refuse("a file that cannot be read", "a readable file");
  return text;
}

JsonFile JsonFile::load(const std::filesystem::path& path, Faults& faults) {
  if (const auto text = read_text_file(path, faults)) return parse(*text, path.string(), faults);
  JsonFile file;
  file.name_ = path.string();
  return file;
}

JsonFile JsonFile::parse(std::string_view text, std::string name, Faults& faults) {
  JsonFile file;
  file.name_ = std::move(name);
  Follower follower(file.name_, faults);
  try {
    Json::sax_parse(text, &follower, Json::input_format_t::json, true, true);  // what it refuses, the parser explains
    *file.value_ = Json::parse(text, nullptr, true, true);
  } catch (const TooDeep&) {
    faults.add(file.name_, "", fmt::format("more than {} levels of nesting", kMaxDepth), "a shallower document");
    *file.value_ = Json::object();
  } catch (const Json::parse_error& error) {
    std::string what = error.what();
    const std::size_t colon = what.find("syntax error");
    if (colon != std::string::npos) what.erase(0, colon);
    what.resize(std::min(what.size(), std::min(what.find("; last read:"), kLongestError)));  // it may be the whole text
    faults.add(file.name_, place_of(text, error.byte), what, "JSON, comments included");
    *file.value_ = Json::object();
  } catch (const Json::out_of_range& error) {  // "… number overflow parsing '1e999'"
    const std::string_view what = error.what();
    const std::size_t quote = std::min(what.find('\''), what.size());
    const std::string_view number = what.substr(std::min(quote + 1, what.size()), what.rfind('\'') - quote - 1);
    const std::size_t at = text.find(number);
    faults.add(file.name_, at == std::string_view::npos ? "" : place_of(text, at + 1), std::string(number),
               "a number that fits in a double");
    *file.value_ = Json::object();
  }
  return file;
}

ObjectReader JsonFile::root(Faults& faults) const {
  static const Json kEmpty = Json::object();
  if (!value_->is_object()) {
    faults.add(name_, "", shown(*value_), "an object: { … }");
    return ObjectReader(kEmpty, name_, "", faults);
  }
  return ObjectReader(*value_, name_, "", faults);
}

ObjectReader::ObjectReader(const Json& object, std::string file, std::string pointer, Faults& faults)
    : object_(&object), file_(std::move(file)), pointer_(std::move(pointer)), faults_(&faults) {}

ObjectReader::ObjectReader(ObjectReader&& other) noexcept
    : object_(other.object_),
      file_(std::move(other.file_)),
      pointer_(std::move(other.pointer_)),
      faults_(other.faults_),
      known_(std::move(other.known_)),
      finished_(std::exchange(other.finished_, true)) {}

ObjectReader::~ObjectReader() { finish(); }

std::string pointer_to(std::string_view parent, std::string_view key) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::string ObjectReader::pointer_to(std::string_view key) const {
  return key.empty() ? pointer_ : sim::pointer_to(pointer_, key);
}

void ObjectReader::fault(std::string_view key, std::string found, std::string allowed) {
  faults_->add(file_, pointer_to(key), std::move(found), std::move(allowed));
}

bool ObjectReader::has(std::string_view key) const { return object_->contains(key); }

const Json* ObjectReader::raw(std::string_view key) { return find(key, false); }

const Json* ObjectReader::find(std::string_view key, bool required) {
  known_.emplace_back(key);
  const auto it = object_->find(key);
  if (it != object_->end()) return &*it;
  if (required) fault(key, "nothing", "this key is required");
  return nullptr;
}

std::optional<double> ObjectReader::optional_number(std::string_view key, const NumberRule& rule) {
  const Json* value = find(key, false);
  if (value == nullptr) return {};
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!std::isfinite(number) || number < rule.minimum || number > rule.maximum ||
      (rule.exclusive && number == rule.minimum)) {
    std::string allowed = "a number";
    if (std::isfinite(rule.minimum))
      allowed += fmt::format("{}{}", rule.exclusive ? " above " : " of at least ", rule.minimum);
    if (std::isfinite(rule.maximum))
      allowed += fmt::format("{} at most {}", std::isfinite(rule.minimum) ? " and" : " of", rule.maximum);
    fault(key, shown(*value), allowed);
    return rule.fallback.value_or(std::isfinite(rule.minimum) ? rule.minimum : 0);
  }
  return number;
}

double ObjectReader::number(std::string_view key, const NumberRule& rule) {
  if (const auto value = optional_number(key, rule)) return *value;
  if (!rule.fallback) fault(key, "nothing", "this key is required: a number");
  return rule.fallback.value_or(std::isfinite(rule.minimum) ? rule.minimum : 0);
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view key, const NumberRule& rule) {
  NumberRule bounded = rule;
  bounded.minimum = std::max(rule.minimum, -9e18);
  bounded.maximum = std::min(rule.maximum, 9e18);
  const std::size_t before = faults_->size();
  const std::optional<double> value = optional_number(key, bounded);
  if (!value) return {};
  if (faults_->size() == before && *value != std::floor(*value)) {
    fault(key, shown((*object_)[std::string(key)]), "a whole number");
    return static_cast<std::int64_t>(rule.fallback.value_or(std::ceil(*value)));
  }
  return static_cast<std::int64_t>(*value);
}

std::int64_t ObjectReader::integer(std::string_view key, const NumberRule& rule) {
  if (const auto value = optional_integer(key, rule)) return *value;
  if (!rule.fallback) fault(key, "nothing", "this key is required: a whole number");
  return static_cast<std::int64_t>(rule.fallback.value_or(std::isfinite(rule.minimum) ? rule.minimum : 0));
}

bool ObjectReader::boolean(std::string_view key, std::optional<bool> fallback) {
  const Json* value = find(key, !fallback);
  if (value == nullptr) return fallback.value_or(false);
  if (value->is_boolean()) return value->get<bool>();
  fault(key, shown(*value), "true or false");
  return fallback.value_or(false);
}

std::string ObjectReader::string(std::string_view key, const std::optional<std::string>& fallback) {
  return valid_string(key, fallback).value_or(fallback.value_or(""));
}

std::optional<std::string> ObjectReader::valid_string(std::string_view key,
                                                      const std::optional<std::string>& fallback) {
  const Json* value = find(key, !fallback);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  fault(key, shown(*value), "a string");
  return {};
}

std::string ObjectReader::choice(std::string_view key, const std::vector<std::string>& names,
                                 const std::optional<std::string>& fallback) {
  const std::optional<std::string> value = valid_string(key, fallback);
  std::string otherwise = fallback.value_or(names.front());
  if (!value) return otherwise;
  if (std::find(names.begin(), names.end(), *value) != names.end()) return *value;
  fault(key, '"' + *value + '"', fmt::format("one of {}{}", fmt::join(names, ", "), did_you_mean(*value, names)));
  return otherwise;
}

bool ObjectReader::object(std::string_view key, const std::function<void(ObjectReader&)>& read, bool required) {
  const Json* value = find(key, required);
  if (value == nullptr) return false;
  if (!value->is_object()) {
    fault(key, shown(*value), "an object: { … }");
    return true;
  }
  ObjectReader reader(*value, file_, pointer_to(key), *faults_);
  read(reader);
  reader.finish();
  return true;
}

std::size_t ObjectReader::each(std::string_view key, const std::function<void(ObjectReader&)>& read, bool required) {
  const Json* value = find(key, required);
  if (value == nullptr) return 0;
  if (!value->is_array()) {
    fault(key, shown(*value), "an array: [ … ]");
    return 0;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& element = (*value)[i];
    const std::string pointer = fmt::format("{}/{}", pointer_to(key), i);
    if (!element.is_object()) {
      faults_->add(file_, pointer, shown(element), "an object: { … }");
      continue;
    }
    ObjectReader reader(element, file_, pointer, *faults_);
    read(reader);
    reader.finish();
  }
  return value->size();
}

std::size_t ObjectReader::members(std::string_view key,
                                  const std::function<void(const std::string&, ObjectReader&)>& read, bool required) {
  const Json* value = find(key, required);
  if (value == nullptr) return 0;
  if (!value->is_object()) {
    fault(key, shown(*value), "an object: { … }");
    return 0;
  }
  for (const auto& [name, member] : value->items()) {
    const std::string pointer = sim::pointer_to(pointer_to(key), name);
    if (!member.is_object()) {
      faults_->add(file_, pointer, shown(member), "an object: { … }");
      continue;
    }
    ObjectReader reader(member, file_, pointer, *faults_);
    read(name, reader);
    reader.finish();
  }
  return value->size();
}

std::vector<std::string> ObjectReader::strings(std::string_view key) {
  std::vector<std::string> list;
  const Json* value = find(key, false);
  if (value == nullptr) return list;
  if (!value->is_array()) {
    fault(key, shown(*value), "an array of strings");
    return list;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    if ((*value)[i].is_string()) {
      list.push_back((*value)[i].get<std::string>());
    } else {
      faults_->add(file_, fmt::format("{}/{}", pointer_to(key), i), shown((*value)[i]), "a string");
    }
  }
  return list;
}

void ObjectReader::finish() {
  if (finished_) return;
  finished_ = true;
  for (const auto& [key, value] : object_->items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      std::vector<std::string> once;  // a key may have been read in two ways
      for (const std::string& name : known_) {
        if (std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
      }
      // Not fault(): there the empty key is the object itself.
      faults_->add(file_, sim::pointer_to(pointer_, key), key.empty() ? "an unknown key, \"\"" : "an unknown key",
                   fmt::format("one of {}{}", fmt::join(once, ", "), did_you_mean(key, once)));
    }
  }
}

}  // namespace tokenyard::sim
