#pragma once
/// Findings as one self-contained HTML page, offline: a page of one study, or a book of several with a list of
/// contents. A person reads it top-down: verdict and band, tables, what would change it, inputs with sources, how to do
/// it again.

#include <string>
#include <vector>

#include "analysis/studies/evaluate.hpp"

namespace tokenyard::analysis {

std::string studies_page(const std::vector<Findings>& book, const std::string& command);

}  // namespace tokenyard::analysis
