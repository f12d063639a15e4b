#include "analysis/command/campaign_progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "analysis/command/figures.hpp"

namespace tokenyard::analysis {

CampaignProgress::CampaignProgress(std::FILE* stream, bool wanted)
    : stream_(stream), wanted_(wanted && ::isatty(fileno(stream)) != 0) {}

void CampaignProgress::wipe() {
  if (drawn_) std::fputs("\r\033[K", stream_);
  drawn_ = false;
}

void CampaignProgress::show(const CampaignTally& tally) {
  if (!wanted_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  constexpr std::size_t kCells = 24;
  const std::size_t ended = tally.done + tally.failed, settled = tally.before + ended, all = settled + tally.left;
  std::string line = "\r\033[K  ";
  for (std::size_t i = 0; i < kCells; ++i) line += i * all < settled * kCells ? "█" : "░";
  line += fmt::format("  {} of {} runs", settled, all);
  if (tally.failed > 0) line += fmt::format(", {} failed", tally.failed);
  if (ended > 0 && tally.left > 0)
    line += fmt::format(", about {} left",
                        duration_text(tally.elapsed_s / static_cast<double>(ended) * static_cast<double>(tally.left)));
  std::fputs(line.c_str(), stream_);
  std::fflush(stream_);
  drawn_ = true;
}

}  // namespace tokenyard::analysis
