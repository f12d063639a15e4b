#pragma once
/// The progress of a campaign on a terminal: one line that is drawn over itself, at most ten times a second.
///
///   CampaignProgress progress(stderr, !quiet);
///   progress.show(tally);   // "  [######······] 120 of 480 runs, 2 failed, about 3.1 min left"

#include <chrono>
#include <cstdio>

#include "analysis/campaign/local.hpp"

namespace tokenyard::analysis {

class CampaignProgress {
 public:
  /// Draws nothing unless `wanted` and `stream` is a terminal.
  CampaignProgress(std::FILE* stream, bool wanted);
  ~CampaignProgress() { wipe(); }
  CampaignProgress(const CampaignProgress&) = delete;
  CampaignProgress& operator=(const CampaignProgress&) = delete;
  void show(const CampaignTally& tally);
  void wipe();

 private:
  std::FILE* stream_;
  bool drawn_ = false, wanted_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace tokenyard::analysis
