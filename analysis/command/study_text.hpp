#pragma once
/// What `tokenyard study` prints of a study: the answer, its band, the tables, and what would change it.

#include <string>

#include "analysis/studies/evaluate.hpp"

namespace tokenyard::analysis {

std::string study_text(const Findings& findings);

}  // namespace tokenyard::analysis
