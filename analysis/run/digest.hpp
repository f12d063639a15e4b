#pragma once
/// Names things by their content: SHA-256 (FIPS 180-4), by Nettle, which takes a processor's own instructions for it.
///
///   sha256("abc");            // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
///   digest_of("trace.csv");   // as sha256sum prints it
///
///   Sha256 hash;
///   hash.add(part);
///   hash.hex();

#include <filesystem>
#include <nettle/sha2.h>
#include <string>
#include <string_view>

namespace tokenyard::analysis {

class Sha256 {
 public:
  Sha256() { nettle_sha256_init(&state_); }
  void add(std::string_view bytes);
  /// 64 lower-case digits; after it, the hash begins anew.
  std::string hex();

 private:
  sha256_ctx state_;
};

std::string sha256(std::string_view bytes);

/// Of a file's bytes; of a folder's names and bytes of JSON and CSV files, those of its folders among them. "absent":
/// it is neither, or cannot be read.
std::string digest_of(const std::filesystem::path& path);

}  // namespace tokenyard::analysis
