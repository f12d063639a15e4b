#pragma once
/// The processor time of this process from here on: others may keep the machine busy.

#include <ctime>

namespace tokenyard {

class CpuClock {
 public:
  double seconds() const { return static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC; }

 private:
  const std::clock_t begin_ = std::clock();
};

}  // namespace tokenyard
