#pragma once
/// A study as its file has it: a claim, the inputs it rests on, scenarios, and formulas over what they measure.
///
/// - `inputs`: named numbers, each with a source and a date or marked as assumed. An assumed one has `low` and `high`;
///   one that is cited may have them, too. The study is evaluated again at either end of each.
/// - `scenarios`: templates. A string that begins with "=" is a formula (expression.hpp), replaced by its value.
/// - `cases`: a scenario with `set` (JSON pointers and values) and `let` (names and values), simulated (`"do": "run"`)
///   or sized (`"demand"`: the fewest chips that meet its service level). `scale` multiplies resources by the names
///   that `tokenyard bottleneck` gives them ("compute", "hbm-bandwidth", …).
/// - `measures`: formulas over one case, by the dotted keys of its summary (`latency.ttft_s.p95`), of `demand.…`, and
///   of the catalogue's entry of the chip of its first pool (`chip.price.unit_low_usd`).
/// - `quantities`: formulas over the study; `CASE.MEASURE` is a measure of a case.
/// - `outcome`: the quantity that the conclusion hangs on. `verdicts`: the first whose `if` holds is said; words in
///   braces are quantities, inputs or CASE.MEASURE, shown with their unit.
/// - `tables`, `bars`, `curves`: what a page shows besides; `curves` are formulas over a range of one more name, `x`.
///
/// Names resolve from the inside out: the case's `let`, inputs, quantities, the case's measures, its summary.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/expression/expression.hpp"

namespace tokenyard::analysis {

/// A string in a template that is replaced by its value.
inline bool is_formula(const sim::Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().starts_with('=');
}

struct StudyInput {
  std::string name, title, unit, source, date;
  double value = 0;
  std::optional<double> low, high;
  bool assumed = false;
};

struct StudyCase {
  std::string name, title;
  sim::Json scenario;  ///< with `set` applied; formulas not yet
  std::map<std::string, sim::Json> let, scale;
  bool sized = false;  ///< by `demand`
};

/// A formula with what it is called.
struct StudyFormula {
  std::string name, title, unit;
  Expression formula;
};

struct StudyVerdict {
  std::optional<Expression> condition;
  std::string say, badge;
  bool holds = true;  ///< whether it speaks for the claim: the badge's colour
};

struct StudyTable {
  std::string title;
  std::vector<std::string> cases, measures;
};

struct StudyBars {
  std::string title, measure;
  std::vector<std::string> cases;
};

struct StudyCurves {
  std::string title, x_title, x_unit, unit;
  double from = 1, to = 10;
  std::vector<std::pair<std::string, Expression>> lines;  ///< title and formula over `x`
};

struct Study {
  std::string name, title, claim, claim_source, claim_date, question, outcome;
  std::vector<StudyInput> inputs;
  std::vector<StudyCase> cases;
  std::vector<StudyFormula> measures, quantities;
  std::vector<StudyVerdict> verdicts;
  std::vector<std::string> says;   ///< further sentences of the answer
  std::vector<std::string> tiles;  ///< quantities shown large
  std::vector<StudyTable> tables;
  std::vector<StudyBars> bars;
  std::vector<StudyCurves> curves;
  std::vector<std::string> limits;  ///< what it does not see
  sim::Json document;               ///< as read
  std::string file;                 ///< the user's; empty: one of the binary's

  /// Where it stands, for messages.
  std::string origin() const { return file.empty() ? "study " + name : file; }
  const StudyInput* input(const std::string& name) const;
  const StudyCase* find_case(const std::string& name) const;
  const StudyFormula* measure(const std::string& name) const;
  const StudyFormula* quantity(const std::string& name) const;
  /// The title and unit of whatever has this name; {name, ""} if nothing has one.
  std::pair<std::string, std::string> title_and_unit(const std::string& name) const;

  static Study read(const sim::JsonFile& file, sim::Faults& faults);
};

/// The studies that the binary holds, by name, in the order in which a book of all of them tells its story.
std::vector<std::string> study_names();
/// Throws InputError, with the nearest name, where there is none.
Study load_study(const std::string& name);

}  // namespace tokenyard::analysis
