#include "analysis/command/progress.hpp"

#include <algorithm>
#include <unistd.h>

namespace tokenyard::analysis {

ProgressLine::ProgressLine(std::FILE* stream, bool wanted)
    : stream_(stream), wanted_(wanted && ::isatty(fileno(stream)) != 0) {}

void ProgressLine::wipe() {
  if (drawn_) std::fputs("\r\033[K", stream_);
  drawn_ = false;
}

bool ProgressLine::due() {
  if (!wanted_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + std::chrono::milliseconds(100);
  return true;
}

void ProgressLine::draw(const std::string& text) {
  drawn_ = true;
  std::fputs(("\r\033[K  " + text).c_str(), stream_);  // unlike fmt::print it lets the work go on without the terminal
  std::fflush(stream_);
}

std::string bar(double share) {
  constexpr int kCells = 24;
  const int full = static_cast<int>(std::min(1.0, share) * kCells);
  std::string cells;
  for (int i = 0; i < kCells; ++i) cells += i < full ? "█" : "░";
  return cells;
}

}  // namespace tokenyard::analysis
