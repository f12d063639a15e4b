#include "analysis/command/progress.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace tokenyard::analysis {
namespace {

bool can_wipe_lines(std::FILE* stream) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(fileno(stream)) != 0 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

ProgressLine::ProgressLine(std::FILE* stream, bool wanted)
    : stream_(stream), wanted_(wanted && can_wipe_lines(stream)) {}

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

std::string progress_bar(double share) {
  constexpr int kCells = 24;
  const int full = static_cast<int>(std::min(1.0, share) * kCells);
  std::string cells;
  for (int i = 0; i < kCells; ++i) cells += i < full ? "█" : "░";
  return cells;
}

}  // namespace tokenyard::analysis
