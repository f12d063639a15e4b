#pragma once
/// Whether bytes from the command line are text. Paths may be any bytes; what goes into a document must be UTF-8.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::sim {

inline bool is_utf8(std::string_view bytes) {
  const Json text = std::string(bytes);
  // With what is no text left out and with it replaced: alike if there is none.
  return text.dump(-1, ' ', false, Json::error_handler_t::ignore) ==
         text.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tokenyard::sim
