#pragma once
/// Two tables row by row: what the same work did in two runs.
///
///   const PairedTable tasks = pair(read_tasks("results/base"), read_tasks("results/other"));

#include "analysis/compare/compare.hpp"
#include "analysis/compare/result_table.hpp"

namespace tokenyard::analysis {

PairedTable pair(const ResultTable& base, const ResultTable& other);

}  // namespace tokenyard::analysis
