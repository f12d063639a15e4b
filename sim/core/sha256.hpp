#pragma once
/// SHA-256 (FIPS 180-4), to name things by their content. About 200 MB/s.
///
///   sha256("abc");   // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
///
///   Sha256 hash;
///   hash.add(part);
///   hash.hex();

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokenyard::sim {

class Sha256 {
 public:
  void add(std::string_view bytes);
  /// 64 lower-case digits; after it, the hash takes nothing more.
  std::string hex();

 private:
  void block(const unsigned char* data);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> pending_{};
  std::uint64_t bytes_ = 0;
};

std::string sha256(std::string_view bytes);

}  // namespace tokenyard::sim
