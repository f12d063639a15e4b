#pragma once
/// An array with an element for each enumerator of an enumeration, found by it.
///
/// The enumeration counts from 0 without gaps, and says beside itself how many enumerators it has:
///
///   enum class Bound : std::uint8_t { kCompute, kBandwidth };
///   constexpr std::size_t enum_size(Bound) { return 2; }
///
///   EnumArray<Bound, double> seconds{};
///   seconds[Bound::kBandwidth] = 1;
///   for (double s : seconds) sum += s;     // in the order of the enumerators

#include <array>
#include <cstddef>

namespace tokenyard::sim {

template <typename Enum, typename T>
struct EnumArray : std::array<T, enum_size(Enum{})> {
  using Base = std::array<T, enum_size(Enum{})>;
  using Base::operator[];
  constexpr T& operator[](Enum at) { return (*this)[static_cast<std::size_t>(at)]; }
  constexpr const T& operator[](Enum at) const { return (*this)[static_cast<std::size_t>(at)]; }
};

}  // namespace tokenyard::sim
