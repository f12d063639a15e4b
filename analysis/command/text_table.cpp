#include "analysis/command/text_table.hpp"

#include <algorithm>

#include "sim/input/text.hpp"

namespace tokenyard::analysis {
std::size_t width_of(std::string_view text) { return sim::characters(text); }

std::string wrapped(const std::string& text, const std::string& first, std::size_t width) {
  const std::string indent(width_of(first), ' ');
  std::string all = first;
  std::size_t column = indent.size();
  bool begun = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (begun && column + 1 + width_of(word) > width) {
      all += '\n' + indent + word;
      column = indent.size() + width_of(word);
    } else {
      all += (begun ? " " : "") + word;
      column += (begun ? 1 : 0) + width_of(word);
    }
    begun = true;
    at = end + 1;
  }
  return all + '\n';
}

std::string TextTable::text(const std::string& indent) const {
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string all;
  for (const auto& row : rows_) {
    std::string line = indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      line += columns_[i] == kRight ? padding + row[i] : row[i] + padding;
      line += i + 1 < row.size() ? "  " : "";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + '\n';
  }
  return all;
}

}  // namespace tokenyard::analysis
