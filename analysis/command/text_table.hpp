#pragma once
/// Columns of text, each as wide as its widest cell. Width is counted in characters of UTF-8, each one column wide.
///
///   TextTable table({TextTable::kLeft, TextTable::kRight});
///   table.row({"busy", "0.93"});
///   table.text("  ");                 // "  busy  0.93\n"

#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::analysis {

/// Characters of UTF-8.
std::size_t width_of(std::string_view text);

inline constexpr std::size_t kTextWidth = 100;  ///< of sentences, and of tables that may be turned

/// Broken at blanks; the first line after `first`, the others after as many blanks.
std::string wrapped(const std::string& text, const std::string& first, std::size_t width = kTextWidth);

class TextTable {
 public:
  enum Align { kLeft, kRight };
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}
  /// At most as many cells as there are columns.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Every line with `indent` before it and two blanks between columns; the last column of a line is not padded.
  std::string text(const std::string& indent) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tokenyard::analysis
