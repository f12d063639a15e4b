#pragma once
/// JSON Schemas (draft 2020-12) of what is read and written, for editors and other programs: the files beside this one,
/// inside the binary.
///
/// The readers decide what is accepted, and say what is wrong better than a schema can; a test holds the two to the
/// same keys. What a schema cannot say (a name is in the catalogue, probabilities sum to one) is left to the readers.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::analysis {

/// "scenario", "agent", "chip", …, sorted.
std::vector<std::string> schema_names();
/// Nothing if there is none of that name.
std::optional<std::string_view> schema_text(std::string_view name);

}  // namespace tokenyard::analysis
