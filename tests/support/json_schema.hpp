#pragma once
/// As much of JSON Schema (draft 2020-12) as our schemas use: $ref within the file, type, const, enum, anyOf,
/// properties, required, additionalProperties, items, minItems, and the bounds of numbers.

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard {

class JsonSchema {
 public:
  using Json = sim::Json;
  explicit JsonSchema(std::string_view text) : root_(Json::parse(text)) {}
  const Json& root() const { return root_; }

  /// What is wrong with a value, each with its JSON pointer.
  std::vector<std::string> faults_of(const Json& value) const {
    std::vector<std::string> faults;
    check(value, root_, "", faults);
    return faults;
  }

  /// Calls `visit` for each object within `value` that a schema with "properties" describes: its pointer and that
  /// schema. Of several schemas the first that fits is taken.
  using Visit = std::function<void(const std::string& pointer, const Json& schema)>;
  void walk(const Json& value, const Visit& visit) const { walk(value, root_, "", visit); }

  /// Every schema with "properties", and where it stands.
  void each_object_schema(const Visit& visit) const { each_object_schema(root_, "", visit); }

 private:
  const Json& resolved(const Json& schema) const {
    return schema.contains("$ref") ? root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))) : schema;
  }

  static bool is_a(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "number") return value.is_number();
    if (type == "integer")
      return value.is_number_integer() || (value.is_number() && value.get<double>() == std::floor(value.get<double>()));
    throw std::logic_error("schema: type " + type);
  }

  void check(const Json& value, const Json& given, const std::string& at, std::vector<std::string>& faults) const {
    const Json& schema = resolved(given);
    const auto fault = [&](const std::string& what) {
      faults.push_back(fmt::format("{}: {} {}", at, sim::shown(value), what));
    };
    if (schema.contains("type")) {
      const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
      if (std::none_of(types.begin(), types.end(),
                       [&](const Json& type) { return is_a(value, type.get<std::string>()); })) {
        return fault("is no " + schema["type"].dump());
      }
    }
    if (schema.contains("const") && value != schema["const"]) fault("is not " + schema["const"].dump());
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) {
      fault("is none of " + schema["enum"].dump());
    }
    if (schema.contains("anyOf")) {
      const auto fits = [&](const Json& one) {
        std::vector<std::string> ignored;
        check(value, one, at, ignored);
        return ignored.empty();
      };
      if (std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(), fits)) fault("fits none of anyOf");
    }
    if (value.is_number()) {
      const double number = value.get<double>();
      if (schema.contains("minimum") && number < schema["minimum"].get<double>()) fault("is too small");
      if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
        fault("is too small");
      if (schema.contains("maximum") && number > schema["maximum"].get<double>()) fault("is too large");
    }
    if (value.is_array()) {
      if (schema.contains("minItems") && value.size() < schema["minItems"].get<std::size_t>()) fault("is too short");
      for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i)
        check(value[i], schema["items"], fmt::format("{}/{}", at, i), faults);
    }
    if (!value.is_object()) return;
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>())) fault("lacks " + key.dump());
    }
    for (const auto& [key, member] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(key)) {
        check(member, schema["properties"][key], at + '/' + key, faults);
      } else if (schema.contains("additionalProperties")) {
        if (schema["additionalProperties"].is_boolean()) {
          if (!schema["additionalProperties"].get<bool>()) fault("has the unknown key " + key);
        } else {
          check(member, schema["additionalProperties"], at + '/' + key, faults);
        }
      }
    }
  }

  void walk(const Json& value, const Json& given, const std::string& at, const Visit& visit) const {
    const Json& schema = resolved(given);
    if (schema.contains("anyOf")) {
      for (const Json& one : schema["anyOf"]) {
        std::vector<std::string> faults;
        check(value, one, at, faults);
        if (faults.empty()) return walk(value, one, at, visit);
      }
    }
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i)
        walk(value[i], schema["items"], fmt::format("{}/{}", at, i), visit);
    }
    if (!value.is_object()) return;
    if (schema.contains("properties")) visit(at, schema);
    for (const auto& [key, member] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(key)) {
        walk(member, schema["properties"][key], at + '/' + key, visit);
      } else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
        walk(member, schema["additionalProperties"], at + '/' + key, visit);
      }
    }
  }

  static void each_object_schema(const Json& schema, const std::string& at, const Visit& visit) {
    if (schema.is_object() && schema.contains("properties") && schema.value("type", Json()) == "object")
      visit(at, schema);
    if (!schema.is_structured()) return;
    for (const auto& [key, member] : schema.items()) each_object_schema(member, at + '/' + key, visit);
  }

  Json root_;
};

}  // namespace tokenyard
