#pragma once
/// Findings in words and as JSON: what the terminal and the page both say.

#include <string>
#include <vector>

#include "analysis/studies/evaluate.hpp"

namespace tokenyard::analysis {

/// The verdict, the band of the outcome, and the study's further sentences. Plain text.
std::vector<std::string> answer_of(const Findings& findings);
/// "prompt share at 0.6: …" for every end of a range at which another verdict holds; if there is none, a sentence that
/// says so.
std::vector<std::string> changes_of(const Findings& findings);
/// Why a case has no figures, by case.
std::vector<std::string> failures_of(const Findings& findings);
/// A measure of a case, shown.
std::string cell_of(const Findings& findings, const std::string& of_case, const StudyFormula& measure);

sim::Json to_json(const Findings& findings);

}  // namespace tokenyard::analysis
