#pragma once
/// Why tasks take as long as they do, by how long they take: the causes of the median task beside those of the slowest.
///
/// A histogram by duration, 64 buckets per power of two (1.6 % wide), each with the causes of its tasks: sums of whole
/// nanoseconds, so that merging and the order of insertion change nothing, and memory does not grow with the tasks. A
/// band that begins or ends within a bucket takes its share of the bucket's tasks.
///
///   TaskBands tasks;  tasks.add(record.causes);
///   const TaskBand slowest = tasks.band(0.98, 1);   // mean causes of the slowest 2 %

#include <array>
#include <cstdint>
#include <map>

#include "platforms/serving/cause.hpp"

namespace tokenyard::analysis {

struct TaskBand {
  double tasks = 0;
  std::array<double, platforms::kCauses> causes_s{};  ///< of a task, on average

  double task_s() const;
};

class TaskBands {
 public:
  /// A task of these causes, which sum to its duration.
  void add(const platforms::CauseTimes& causes);
  void merge(const TaskBands& other);

  std::uint64_t count() const { return count_; }
  /// Of the tasks from rank share `from` to `to`, shortest first; 0 <= from < to <= 1.
  TaskBand band(double from, double to) const;

 private:
  struct Bucket {
    std::uint64_t count = 0;
    platforms::CauseTimes causes;
  };

  std::map<std::uint32_t, Bucket> buckets_;
  std::uint64_t count_ = 0;
};

}  // namespace tokenyard::analysis
