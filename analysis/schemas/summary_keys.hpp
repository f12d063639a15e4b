#pragma once
/// What summary.json may hold, as its schema says it: a tree of keys, for those that are asked for before a run
/// (--assert, a campaign's outputs).
///
///   const SummaryKeys* busy = summary_keys().find("pools")->any()->find("busy");
///   busy->number;   // true

#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::analysis {

struct SummaryKeys {
  std::string name;                  ///< "*" stands for any: of pools, of agents, …
  bool number = false;               ///< one may stand there; true and false count as such
  std::vector<SummaryKeys> members;  ///< those with a name of their own, then "*", in the order of the schema

  const SummaryKeys* find(std::string_view member) const;
  /// The member that stands for any name, if there is one.
  const SummaryKeys* any() const { return find("*"); }
  /// Of the members with a name of their own.
  std::vector<std::string> names() const;
};

const SummaryKeys& summary_keys();

}  // namespace tokenyard::analysis
