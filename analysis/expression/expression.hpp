#pragma once
/// A small expression over named values: the conditions of campaigns and the formulas of studies.
///
///   replicas * tp <= 8 && chip != 'l40s'
///   max(chips * usd_per_hour / 3600, floor_usd)
///
/// What a name means is the caller's: letters, digits, `_` and inner `.`; a JSON pointer in braces is a name, too.
/// Operators, from weak to strong: `||`, `&&`, `!`, `== != < <= > >=`, `+ -`, `* / %`, unary `-`; brackets; numbers,
/// 'strings', true, false, null; `min`, `max`, `pow` of two, `ceil`, `floor`, `sqrt` of one, `if(condition, a, b)`.
/// Numbers and strings are ordered; values of different kinds are unequal, and ordering or computing with them gives
/// false and null: what is not known stays unknown. No loops: it always ends, in O(length).

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

class Expression {
 public:
  /// Nothing, with a fault at `pointer` of `file`, if it is none. `known` says which names there are: it returns
  /// nothing for a good one, else what is allowed. A pointer comes as it stands in its braces.
  using Known = std::function<std::string(const std::string& name)>;
  static std::optional<Expression> parse(const std::string& text, const Known& known, const std::string& file,
                                         const std::string& pointer, sim::Faults& faults);

  /// Only the branch of `if` that is taken, and what `||` and `&&` need, is looked up.
  using Lookup = std::function<sim::Json(const std::string& name)>;
  sim::Json value(const Lookup& lookup) const;
  const std::string& text() const { return text_; }
  /// Every name in it, in order.
  std::vector<std::string> names() const;

  struct Node;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
};

}  // namespace tokenyard::analysis
