#pragma once
/// How far the work is, on a terminal: one line that is drawn over itself, at most ten times a second, and wiped at the
/// end.
///
///   ProgressLine line(stderr, !quiet);
///   line.show([&] { return progress_bar(0.25) + "  120 of 480 runs"; });   // "  ██████░░░░░░░░░░░░░░░░░░  120 of 480 runs"

#include <chrono>
#include <cstdio>
#include <string>

namespace tokenyard::analysis {

class ProgressLine {
 public:
  /// Draws nothing unless `wanted` and `stream` is a terminal that can wipe a line (TERM is not "dumb"). NO_COLOR does
  /// not matter: there is no colour in it.
  ProgressLine(std::FILE* stream, bool wanted);
  ~ProgressLine() { wipe(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  /// `text` returns the line; it is called only where one is drawn.
  template <typename Text>
  void show(const Text& text) {
    if (due()) draw(text());
  }
  void wipe();
  bool draws() const { return wanted_; }

 private:
  bool due();
  void draw(const std::string& text);

  std::FILE* stream_;
  bool drawn_ = false, wanted_;
  std::chrono::steady_clock::time_point next_{};
};

/// 24 cells, so many of them full; more than all is all.
std::string progress_bar(double share);

}  // namespace tokenyard::analysis
