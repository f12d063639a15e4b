#pragma once
/// Which combinations of factors are simulated: a small expression over the values of a scenario.
///
///   replicas * tp <= 8 && chip != 'l40s'
///   {/workload/requests/rate_per_s} / replicas < 4
///
/// A name is one of the campaign's `names`; a JSON pointer into the resolved scenario stands in braces. Operators, from
/// weak to strong: `||`, `&&`, `!`, `== != < <= > >=`, `+ -`, `* / %`, unary `-`; brackets; numbers, 'strings', true,
/// false, null. What the scenario does not have is null. Numbers and strings are ordered; values of different kinds are
/// unequal, and ordering or computing with them gives false and null. No calls, no loops: it always ends, in O(length).

#include <map>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

class Condition {
 public:
  Condition(const Condition&);
  Condition(Condition&&) noexcept;
  ~Condition();

  /// Faults are added at `pointer` of `file`; the condition is then true of everything. `names`: name to JSON pointer.
  static Condition parse(const std::string& text, const std::map<std::string, std::string>& names,
                         const std::string& file, const std::string& pointer, sim::Faults& faults);

  /// Only `true` holds; null and numbers do not.
  bool holds(const sim::Json& scenario) const;
  const std::string& text() const { return text_; }

 private:
  friend class ConditionParser;
  struct Op;
  Condition();

  std::string text_;
  std::vector<Op> program_;  ///< reverse Polish
};

}  // namespace tokenyard::analysis
