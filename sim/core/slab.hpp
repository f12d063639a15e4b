#pragma once
/// Objects that come and go, known by their index: places are used again, the one given back last first.
///
/// An object stays where it is while others come. O(1) each way, no allocation once the most that live at a time were
/// there.
///
///   Slab<Call> calls;
///   const std::uint32_t index = calls.take();
///   calls[index] = {};   // it is as its last user left it
///   calls.give_back(index);

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/core/cache_line.hpp"

namespace tokenyard::sim {

template <class T>
class Slab {
 public:
  std::uint32_t take() {
    if (!spare_.empty()) {
      const std::uint32_t index = spare_.back();
      spare_.pop_back();
      return index;
    }
    if (size_ == blocks_.size() << kBits) blocks_.push_back(std::make_unique<T[]>(std::size_t{1} << kBits));
    return size_++;
  }
  void give_back(std::uint32_t index) { spare_.push_back(index); }

  T& operator[](std::uint32_t index) { return blocks_[index >> kBits][index & kMask]; }
  const T& operator[](std::uint32_t index) const { return blocks_[index >> kBits][index & kMask]; }

  /// It is about to be used.
  void fetch(std::uint32_t index) const { sim::fetch(&(*this)[index], sizeof(T)); }

  /// Indices ever handed out are below it.
  std::uint32_t size() const { return size_; }
  std::size_t in_use() const { return size_ - spare_.size(); }

 private:
  static constexpr unsigned kBits = 6;  ///< log2 of the objects per block
  static constexpr std::uint32_t kMask = (1U << kBits) - 1;
  std::vector<std::unique_ptr<T[]>> blocks_;
  std::vector<std::uint32_t> spare_;
  std::uint32_t size_ = 0;
};

}  // namespace tokenyard::sim
