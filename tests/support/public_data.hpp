#pragma once
/// The public measurements and traces, where they are: $TOKENYARD_DATA, or shared/data beside the project.
///
///   const auto trace = public_data("azure_llm_2023/AzureLLMInferenceTrace_conv.csv");
///   if (!trace) return;

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/catch.hpp"

namespace tokenyard {

/// A file or folder of them; nothing, with a warning, where it is absent.
inline std::optional<std::string> public_data(const std::string& path) {
  const char* given = std::getenv("TOKENYARD_DATA");
  const std::filesystem::path at =
      std::filesystem::path(given != nullptr ? given : TOKENYARD_SOURCE_DIR "/../shared/data") / path;
  if (std::filesystem::exists(at)) return at.string();
  WARN("skipped: " << at << " is absent (set TOKENYARD_DATA)");
  return {};
}

}  // namespace tokenyard
