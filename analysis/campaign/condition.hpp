#pragma once
/// Which combinations of factors are simulated: an expression (expression.hpp) over the values of a scenario.
///
///   replicas * tp <= 8 && chip != 'l40s'
///   {/workload/requests/rate_per_s} / replicas < 4
///
/// A name is one of the campaign's `names`; a JSON pointer into the resolved scenario stands in braces. What the
/// scenario does not have is null.

#include <map>
#include <string>

#include "analysis/expression/expression.hpp"

namespace tokenyard::analysis {

class Condition {
 public:
  /// Faults are added at `pointer` of `file`; the condition is then true of everything. `names`: name to JSON pointer.
  static Condition parse(const std::string& text, const std::map<std::string, std::string>& names,
                         const std::string& file, const std::string& pointer, sim::Faults& faults);

  /// Only `true` holds; null and numbers do not.
  bool holds(const sim::Json& scenario) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::optional<Expression> expression_;
  std::map<std::string, std::string> names_;
};

}  // namespace tokenyard::analysis
