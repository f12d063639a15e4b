#pragma once
/// What a processor moves at a time between memory and its caches, and a way to ask for it in advance.
///
///   fetch(&object, sizeof object);   // … and something else in the meantime

#include <cstddef>

namespace tokenyard::sim {

inline constexpr std::size_t kCacheLine = 64;  ///< bytes

/// What begins there, an object, is about to be used. Changes nothing but how long that takes. Its first byte is read,
/// not prefetched: a prefetch is dropped where the processor has no address of the page at hand (Zen 5, measured).
inline void fetch(const void* begin, std::size_t bytes) {
  const auto* first = static_cast<const char*>(begin);
  static_cast<void>(*static_cast<const volatile char*>(first));
  for (std::size_t at = kCacheLine; at < bytes; at += kCacheLine) __builtin_prefetch(first + at);
}

}  // namespace tokenyard::sim
