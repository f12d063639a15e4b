#pragma once
/// What the summary says in words: what to know of the figures before they are believed.

#include <string>
#include <vector>

#include "analysis/run/attainment.hpp"
#include "analysis/run/measurement.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::analysis {

struct SummaryNotes {
  std::vector<std::string> notes;     ///< the scenario's warnings, and what is odd about this run
  std::vector<std::string> validity;  ///< where the pools leave what was calibrated (validity.hpp)
  std::vector<std::string> checked;  ///< how far off the pools' models were where they were measured (track_record.hpp)
};

SummaryNotes summary_notes(const Measurement& measured, const Attainment& attainment, const sim::Network& network);

}  // namespace tokenyard::analysis
