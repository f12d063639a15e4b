#pragma once
/// A vector whose first elements lie in the object itself: where it stays short, it is found where its owner is.
///
///   ShortVector<std::uint32_t, 4> calls;   // up to four without allocation

#include <algorithm>
#include <boost/container/small_vector.hpp>

namespace tokenyard::sim {

template <class T, std::size_t kShort>
using ShortVector = boost::container::small_vector<T, kShort>;

/// As std::erase_if does with a std::vector.
template <class T, std::size_t kShort, class Which>
void erase_if(ShortVector<T, kShort>& vector, const Which& which) {
  vector.erase(std::remove_if(vector.begin(), vector.end(), which), vector.end());
}

}  // namespace tokenyard::sim
