#pragma once
/// The progress of a run on a terminal: one line that is drawn over itself, at most ten times a second, and wiped at
/// the end.
///
///   Progress progress(stderr, sim::Time::seconds(3600), !quiet);
///   progress.show(now);   // "  [##########··········]  1800 s of 3600 s simulated"

#include <chrono>
#include <cstdio>
#include <optional>

#include "sim/core/time.hpp"

namespace tokenyard::analysis {

class Progress {
 public:
  /// Draws nothing unless `wanted` and `stream` is a terminal. Without a known end there is no bar.
  Progress(std::FILE* stream, std::optional<sim::Time> end, bool wanted);
  ~Progress() { wipe(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(sim::Time now);
  void wipe();

 private:
  std::FILE* stream_;
  std::optional<sim::Time> end_;
  bool drawn_ = false, wanted_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace tokenyard::analysis
