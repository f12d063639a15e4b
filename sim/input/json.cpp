#include "sim/input/json.hpp"

#include <cmath>
#include <cstdint>

namespace tokenyard::sim {

std::optional<Json> parse_json(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json or_null(std::optional<double> number) { return number ? Json(*number) : Json(nullptr); }

Json integer_if_whole(double value) {
  if (value == std::floor(value) && std::fabs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

bool is_utf8(std::string_view bytes) {
  const Json text = std::string(bytes);
  // With what is no text left out and with it replaced: alike if there is none.
  return text.dump(-1, ' ', false, Json::error_handler_t::ignore) == to_text(text);
}

}  // namespace tokenyard::sim
