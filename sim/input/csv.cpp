#include "sim/input/csv.hpp"

#include <algorithm>

#include "sim/input/text.hpp"

namespace tokenyard::sim {

bool split_csv(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at < line.size() && line[at] == '"') {
      std::size_t close = at + 1;
      while (true) {
        close = line.find('"', close);
        if (close == std::string_view::npos) return false;
        if (close + 1 >= line.size() || line[close + 1] != '"') break;
        close += 2;
      }
      fields.push_back(line.substr(at + 1, close - at - 1));
      at = close + 1;
      while (at < line.size() && is_blank(line[at])) ++at;
      if (at < line.size() && line[at] != ',') return false;
    } else {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      fields.push_back(trimmed(line.substr(at, comma - at)));
      at = comma;
    }
    if (at == line.size()) return true;
    ++at;
  }
}

std::string unquoted(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    out += field[i];
    if (field[i] == '"' && i + 1 < field.size() && field[i + 1] == '"') ++i;
  }
  return out;
}

}  // namespace tokenyard::sim
