#pragma once
/// Which replica has the fewest calls: a tournament over their loads.
///
/// Ties go to the lowest index, as a scan from the front would decide. O(1) to ask, O(log n) to change a load.
///
///   LoadIndex loads(4);
///   loads.add(loads.least(), 1);

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenyard::platforms {

class LoadIndex {
 public:
  explicit LoadIndex(std::uint32_t count = 0)
      : leaves_(std::bit_ceil(std::max<std::size_t>(count, 1))), winners_(2 * leaves_, kNobody) {
    for (std::uint32_t i = 0; i < count; ++i) winners_[leaves_ + i] = i;
    for (std::size_t at = leaves_ - 1; at > 0; --at) winners_[at] = winner_at(at);
  }

  std::uint32_t least() const { return static_cast<std::uint32_t>(winners_[1]); }
  std::int64_t load(std::uint32_t index) const { return static_cast<std::int64_t>(winners_[leaves_ + index] >> 32); }
  void add(std::uint32_t index, std::int64_t change) {
    std::size_t at = leaves_ + index;
    winners_[at] += static_cast<Contender>(change) << 32;
    while ((at /= 2) > 0) {
      const Contender winner = winner_at(at);
      if (winner == winners_[at]) return;
      winners_[at] = winner;
    }
  }

 private:
  /// Its load, then its index: the least wins.
  using Contender = std::uint64_t;
  static constexpr Contender kNobody = ~Contender{0};
  Contender winner_at(std::size_t at) const { return std::min(winners_[2 * at], winners_[2 * at + 1]); }

  std::size_t leaves_;
  std::vector<Contender> winners_;  ///< of each match; the leaves are the replicas themselves
};

}  // namespace tokenyard::platforms
