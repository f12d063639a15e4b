#include "analysis/command/study_text.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/text_table.hpp"
#include "analysis/studies/findings.hpp"
#include "analysis/studies/study_unit.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

/// The width of a text's widest line.
std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    width = std::max(width, width_of(text.substr(at, end - at)));
    at = end + 1;
  }
  return width;
}

std::string laid_out(const std::vector<std::vector<std::string>>& rows) {
  std::vector<TextTable::Align> columns(rows[0].size(), TextTable::kRight);
  columns[0] = TextTable::kLeft;
  TextTable text(columns);
  for (const auto& row : rows) text.row(row);
  return text.text("  ");
}

/// Cases as rows, or as columns where that is narrower.
std::string table_text(const Findings& findings, const StudyTable& table) {
  std::vector<std::vector<std::string>> rows = {{table.title}};
  for (const std::string& name : table.measures) rows[0].push_back(findings.study.measure(name)->title);
  for (const std::string& of : table.cases) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(findings.study.find_case(of)->title);
    for (const std::string& name : table.measures) row.push_back(cell_of(findings, of, *findings.study.measure(name)));
  }
  std::vector<std::vector<std::string>> turned(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) turned[i].push_back(row[i]);
  }
  const std::string one = laid_out(rows), other = laid_out(turned);
  return '\n' + (widest(one) <= std::max(kTextWidth, widest(other)) ? one : other);
}

std::string swings_text(const Findings& findings) {
  if (findings.swings.empty()) return {};
  const Study& study = findings.study;
  const std::string unit = study.title_and_unit(study.outcome).second;
  TextTable text({TextTable::kLeft, TextTable::kRight, TextTable::kRight, TextTable::kRight, TextTable::kRight});
  text.row({"What moves it (* assumed)", "from", "to", "outcome at it", "and at it"});
  for (const Swing& swing : findings.swings) {
    const auto at = [&](const Evaluation& end) {
      const auto value = end.number(study.outcome);
      return shown_with_unit(sim::or_null(value), unit);
    };
    text.row(
        {(swing.assumed ? "* " : "  ") + swing.title, swing.low_text, swing.high_text, at(swing.low), at(swing.high)});
  }
  return '\n' + text.text("  ");
}

}  // namespace

std::string study_text(const Findings& findings) {
  const Study& study = findings.study;
  std::string text = fmt::format("\n{}\n", study.title) + wrapped('"' + study.claim + '"', "  ") + '\n';
  for (const std::string& sentence : answer_of(findings)) text += wrapped(sentence, "  ");
  for (const StudyTable& table : study.tables) text += table_text(findings, table);
  text += swings_text(findings);
  const std::vector<std::string> changes = changes_of(findings);
  if (!changes.empty()) text += "\n  What would change the verdict:\n";
  for (const std::string& change : changes) text += wrapped(change, "  – ");
  for (const std::string& failure : failures_of(findings)) text += wrapped(failure, "  ! ");
  return text + fmt::format("\n  {} cases simulated in {:.0f} s; sources and assumptions are on the page.\n",
                            findings.simulated, findings.wall_s);
}

}  // namespace tokenyard::analysis
