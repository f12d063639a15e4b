#pragma once
/// Random numbers by counter, not by state: a draw is a function of (seed, stream name, entity, visit, draw index).
///
/// The entity is what the work *is* (workload entry and arrival ordinal, node of the graph), never when or where it
/// ran. Adding a consumer, changing the hardware or ending branches in another order therefore changes no other draw,
/// and two scenarios with one seed see the same work.
///
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A stream is 48 bytes, made on
/// the spot, thrown away after the visit; a draw costs about 10 ns, half of that when the block still holds a word.
///
///   Stream stream(seed, StreamName("tool-latency"), task_id, visit);
///   double u = stream.uniform();

#include <array>
#include <cstdint>
#include <string_view>

namespace tokenyard::sim {

/// The hash of a stream's name (FNV-1a, 64 bits); constexpr, so names cost nothing at run time.
class StreamName {
 public:
  explicit constexpr StreamName(std::string_view name) {
    for (const char c : name) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  constexpr std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 14695981039346656037ULL;
};

/// One block of Philox4x32-10.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

class Stream {
 public:
  /// `visit` tells apart the repeated visits of one entity (a node of a loop); the draw index restarts for each.
  Stream(std::uint64_t seed, StreamName name, std::uint64_t entity, std::uint32_t visit = 0);

  /// 64 random bits.
  std::uint64_t bits();
  /// In the open interval (0, 1), 53 bits: never 0, so its logarithm exists.
  double uniform();
  /// In [0, n), n > 0, without bias.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal, by inversion: one uniform per draw.
  double normal();
  /// Exponential with mean 1.
  double exponential();

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;  ///< words of `block_` already handed out
};

}  // namespace tokenyard::sim
