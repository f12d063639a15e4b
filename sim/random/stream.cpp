#include "sim/random/stream.hpp"

#include "sim/random/portable_math.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::sim {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Stream::Stream(std::uint64_t seed, StreamName name, std::uint64_t entity, std::uint32_t visit) {
  // Near seeds share nothing.
  const std::uint64_t key = scatter(seed * 0x9e3779b97f4a7c15ULL ^ name.hash());
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {0, visit, static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32)};
}

std::uint64_t Stream::bits() {
  if (used_ >= 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  const std::uint64_t word = std::uint64_t{block_[used_ + 1]} << 32 | block_[used_];
  used_ += 2;
  return word;
}

double Stream::uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }

std::uint64_t Stream::below(std::uint64_t n) {
  // Lemire, "Fast random integer generation in an interval", 2019.
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{bits()} * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = -n % n;
    while (static_cast<std::uint64_t>(product) < threshold) product = Wide{bits()} * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double Stream::normal() { return normal_quantile(uniform()); }
double Stream::exponential() { return -portable_log(uniform()); }

}  // namespace tokenyard::sim
