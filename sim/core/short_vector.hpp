#pragma once
/// A vector whose first elements lie in the object itself: where it stays short, it is found where its owner is.
///
///   ShortVector<std::uint32_t, 4> calls;   // up to four without allocation

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstddef>

namespace tokenyard::sim {

/// Boost's, but for its iterators: these are pointers.
template <class T, std::size_t kShort>
class ShortVector : public boost::container::small_vector<T, kShort> {
  using Base = boost::container::small_vector<T, kShort>;

 public:
  using Base::Base;
  T* begin() { return Base::data(); }
  T* end() { return Base::data() + Base::size(); }
  const T* begin() const { return Base::data(); }
  const T* end() const { return Base::data() + Base::size(); }
  T& front() { return *begin(); }
  const T& front() const { return *begin(); }
  T& operator[](std::size_t i) { return begin()[i]; }
  const T& operator[](std::size_t i) const { return begin()[i]; }
};

/// As std::erase_if does with a std::vector.
template <class T, std::size_t kShort, class Which>
void erase_if(ShortVector<T, kShort>& vector, const Which& which) {
  vector.resize(static_cast<std::size_t>(std::remove_if(vector.begin(), vector.end(), which) - vector.begin()));
}

}  // namespace tokenyard::sim
