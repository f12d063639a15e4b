#include "analysis/command/progress.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace tokenyard::analysis {

Progress::Progress(std::FILE* stream, std::optional<sim::Time> end, bool wanted)
    : stream_(stream), end_(end), wanted_(wanted && ::isatty(fileno(stream)) != 0) {}

void Progress::wipe() {
  if (drawn_) std::fputs("\r\033[K", stream_);
  drawn_ = false;
}

void Progress::show(sim::Time now) {
  if (!wanted_) return;
  const auto wall = std::chrono::steady_clock::now();
  if (wall < next_) return;
  next_ = wall + std::chrono::milliseconds(100);
  drawn_ = true;
  std::string line = "\r\033[K  ";
  if (end_) {
    constexpr int kCells = 24;
    const int done = static_cast<int>(std::min(1.0, now.seconds() / end_->seconds()) * kCells);
    for (int i = 0; i < kCells; ++i) line += i < done ? "█" : "░";
    line += fmt::format("  {:.0f} s of {:.0f} s simulated", now.seconds(), end_->seconds());
    if (now > *end_) line += ", finishing what was begun";
  } else {
    line += fmt::format("{:.0f} s simulated", now.seconds());
  }
  std::fputs(line.c_str(), stream_);
  std::fflush(stream_);
}

}  // namespace tokenyard::analysis
