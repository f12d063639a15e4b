#pragma once
/// Reading JSON that people wrote: every fault is collected with its JSON pointer, nothing throws before the end.
///
/// `JsonFile` parses a text with `//` and `/* */` comments and refuses duplicate keys. `ObjectReader` reads one object:
/// each getter names a key, returns the value or the default, and adds a fault if the value is missing, of the wrong
/// type or out of bounds. `finish()` (or the destructor) reports the keys nobody asked for, with the nearest valid
/// name.
///
///   Faults faults;
///   JsonFile file = JsonFile::load("scenario.json", faults);
///   ObjectReader r = file.root(faults);
///   double rate = r.number("rate_per_s", {.minimum = 0, .exclusive = true});   // required: no default given
///   auto seed = r.integer("seed", {.fallback = 1, .minimum = 0});
///   r.each("pools", [&](ObjectReader& pool) { … });
///   r.finish();

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/input/faults.hpp"
#include "sim/input/json_fwd.hpp"

namespace tokenyard::sim {

class ObjectReader;

/// The text of a file of at most 256 MiB, which may be a pipe. Nothing, and a fault, if there is no such file, if it is
/// a directory, cannot be read or is longer (/dev/zero is).
std::optional<std::string> read_text_file(const std::filesystem::path& path, Faults& faults);

/// A parsed file; keeps its name for messages.
class JsonFile {
 public:
  JsonFile();
  ~JsonFile();
  JsonFile(JsonFile&&) noexcept;
  JsonFile& operator=(JsonFile&&) noexcept;

  /// An unreadable file, a syntax error (with line and column) or a duplicate key is a fault; the root is then an empty
  /// object, so that reading can go on.
  static JsonFile load(const std::filesystem::path& path, Faults& faults);
  static JsonFile parse(std::string_view text, std::string name, Faults& faults);
  static JsonFile from(Json value, std::string name);

  const std::string& name() const { return name_; }
  const Json& value() const { return *value_; }
  Json& value() { return *value_; }
  /// The root must be an object: if not, that is a fault and the reader is empty.
  ObjectReader root(Faults& faults) const;

 private:
  std::string name_;
  std::unique_ptr<Json> value_;
};

/// Bounds and default of a number. Without `fallback` the key is required.
struct NumberRule {
  std::optional<double> fallback = {};
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool exclusive = false;  ///< `minimum` itself is not allowed
};

class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string file, std::string pointer, Faults& faults);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;
  ObjectReader(ObjectReader&&) noexcept;

  bool has(std::string_view key) const;
  /// The raw value, marked as read; null if absent.
  const Json* raw(std::string_view key);

  double number(std::string_view key, const NumberRule& rule = {});
  std::optional<double> optional_number(std::string_view key, const NumberRule& rule = {});
  std::int64_t integer(std::string_view key, const NumberRule& rule = {});
  std::optional<std::int64_t> optional_integer(std::string_view key, const NumberRule& rule = {});
  bool boolean(std::string_view key, std::optional<bool> fallback = {});
  std::string string(std::string_view key, const std::optional<std::string>& fallback = {});
  /// As `string`; none where a fault says what is there instead.
  std::optional<std::string> valid_string(std::string_view key, const std::optional<std::string>& fallback = {});
  /// One of `names`; a fault names the nearest.
  std::string choice(std::string_view key, const std::vector<std::string>& names,
                     const std::optional<std::string>& fallback = {});

  /// Calls `read` with a reader of the object under `key`; false if the key is absent (a fault when required).
  bool object(std::string_view key, const std::function<void(ObjectReader&)>& read, bool required = false);
  /// Calls `read` for each element of the array under `key`, which must be objects. Returns their number.
  std::size_t each(std::string_view key, const std::function<void(ObjectReader&)>& read, bool required = false);
  /// Calls `read` for each member of the object under `key`, whose values must be objects. Returns their number.
  std::size_t members(std::string_view key, const std::function<void(const std::string&, ObjectReader&)>& read,
                      bool required = false);
  std::vector<std::string> strings(std::string_view key);

  /// Reports the keys that were not read. Called by the destructor if not before.
  void finish();
  /// Reports none of them: what kind of object this is, and so which keys it may have, is unknown.
  void pass_over() { finished_ = true; }

  /// Adds a fault at `key` (at the object itself if empty).
  void fault(std::string_view key, std::string found, std::string allowed);
  std::string pointer_to(std::string_view key) const;
  const std::string& pointer() const { return pointer_; }
  const std::string& file() const { return file_; }
  Faults& faults() { return *faults_; }
  const Json& value() const { return *object_; }

 private:
  const Json* find(std::string_view key, bool required);

  const Json* object_;
  std::string file_;
  std::string pointer_;
  Faults* faults_;
  std::vector<std::string> known_;
  bool finished_ = false;
};

/// The JSON pointer to `key` of the object that `parent` leads to: "~" and "/" in the key are escaped (RFC 6901).
std::string pointer_to(std::string_view parent, std::string_view key);

/// A value as it is shown in a message: JSON text, shortened.
std::string shown(const Json& value);

}  // namespace tokenyard::sim
