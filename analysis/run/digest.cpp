#include "analysis/run/digest.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <vector>

namespace tokenyard::analysis {

void Sha256::add(std::string_view bytes) {
  nettle_sha256_update(&state_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string Sha256::hex() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  nettle_sha256_digest(&state_, digest.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

std::string digest_of(const std::filesystem::path& path) {
  std::error_code error;
  Sha256 hash;
  if (std::filesystem::is_directory(path, error)) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
      if (const auto ending = entry.path().extension(); ending == ".json" || ending == ".csv")
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
      hash.add(std::filesystem::relative(file, path, error).string() + '\n' + digest_of(file) + '\n');
    return hash.hex();
  }
  if (!std::filesystem::is_regular_file(path, error)) return "absent";  // what a pipe holds can be read once
  std::ifstream in(path, std::ios::binary);
  if (!in) return "absent";
  std::string buffer(std::size_t{1} << 16, '\0');
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(in.gcount())));
  }
  return hash.hex();
}

}  // namespace tokenyard::analysis
