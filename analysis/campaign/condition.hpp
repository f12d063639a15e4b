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

  /// Only `true` holds. Null, of what is not known, does not; any other value is a fault: of no condition.
  bool holds(const sim::Json& scenario, sim::Faults& faults) const;
  /// Those in braces.
  std::vector<std::string> pointers() const;
  /// Where it stands in the campaign's file.
  const std::string& place() const { return place_; }

 private:
  std::string file_, place_;
  std::optional<Expression> expression_;
  std::map<std::string, std::string> names_;
};

}  // namespace tokenyard::analysis
