#pragma once
/// The sections of the report in the order in which a person reads them: answer, why, evidence. Each is HTML made from
/// a result folder alone, and says what is missing where something is.

#include <string>
#include <vector>

#include "analysis/result/run_result.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {

/// Some model call completed, or there was none to complete.
bool served(const sim::Json& summary);

/// The answer in words, as HTML whose only tag is <strong>: the verdict and what ran, that nothing was served if nothing
/// was, then where the time went, what each agent got, what held the pools back, what it cost. The terminal shows the
/// same sentences (`without_tags`).
std::vector<std::string> answer_sentences(const sim::Json& summary, const sim::Json& manifest);
/// Badges, the answer in sentences, and its eight figures.
std::string answer_section(const RunResult& result);
/// Tables: latency, throughput, service level, energy, cost, counts; agents; pools.
std::string headline_section(const RunResult& result);
/// Where the time of tasks and pools goes; the busiest links.
std::string why_section(const RunResult& result);
/// Distributions and time series. Adds what hovering shows to `charts`, by chart.
std::string evidence_section(const RunResult& result, sim::Json& charts);
/// Where the result comes from, how to get it again, and its other files.
std::string provenance_section(const RunResult& result);

/// What holds a pool back, from its bound shares: "memory bandwidth (64 %)", "idle (72 %), else held back by compute
/// (25 %)". Plain text.
std::string held_back_by(const sim::Json& bound);

}  // namespace tokenyard::analysis
