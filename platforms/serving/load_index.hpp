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
#include <numeric>
#include <vector>

namespace tokenyard::platforms {

class LoadIndex {
 public:
  explicit LoadIndex(std::uint32_t count = 0)
      : leaves_(std::bit_ceil(std::max<std::size_t>(count, 1))), loads_(leaves_, kNobody), winners_(2 * leaves_) {
    std::fill_n(loads_.begin(), count, 0);
    std::iota(winners_.begin() + leaves_, winners_.end(), 0U);
    for (std::size_t at = leaves_ - 1; at > 0; --at) play(at);
  }

  std::uint32_t least() const { return winners_[1]; }
  std::int64_t load(std::uint32_t index) const { return loads_[index]; }
  void add(std::uint32_t index, std::int64_t change) {
    loads_[index] += change;
    for (std::size_t at = (leaves_ + index) / 2; at > 0; at /= 2) play(at);
  }

 private:
  static constexpr std::int64_t kNobody = INT64_MAX;
  void play(std::size_t at) {
    const std::uint32_t left = winners_[2 * at], right = winners_[2 * at + 1];
    winners_[at] = loads_[right] < loads_[left] ? right : left;
  }

  std::size_t leaves_;
  std::vector<std::int64_t> loads_;
  std::vector<std::uint32_t> winners_;  ///< of each match; the leaves are the replicas themselves
};

}  // namespace tokenyard::platforms
