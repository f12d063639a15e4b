#pragma once
/// Results kept in a folder by what they follow from: the sha256 of a key, which names everything that matters.
///
/// A file appears whole or not at all (OutputFile), so that several processes may share the folder; one that cannot be
/// read or written is as if it were not there: the cache saves time and decides nothing.
///
///   const Cache cache(Cache::default_folder());
///   if (const auto known = cache.find(key)) return read(*known);

#include <filesystem>
#include <optional>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

class Cache {
 public:
  /// Without a folder, nothing is found or kept.
  explicit Cache(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

  /// $XDG_CACHE_HOME/tokenyard, else ~/.cache/tokenyard (the XDG base directory specification); empty without a home.
  static std::filesystem::path default_folder();

  std::optional<sim::Json> find(const sim::Json& key) const;
  void keep(const sim::Json& key, const sim::Json& value) const;

 private:
  std::filesystem::path file_of(const std::string& key) const;

  std::filesystem::path folder_;
};

}  // namespace tokenyard::analysis
