#pragma once
/// Why a row of a trace of requests is not played.

#include <array>
#include <cstdint>
#include <string_view>

namespace tokenyard::traces {

/// The last is no fault of the file and is counted in strict mode, too.
enum class RowFault : std::uint8_t { kMalformed, kTooLong, kDate, kTokens, kBlocks, kOrder, kFailed };

/// As they are told (agents::LeftOut).
inline constexpr std::array<std::string_view, 7> kRowFaultNames = {
    "rows: malformed row",       "rows: line too long",         "rows: bad date",
    "rows: bad token count",     "rows: hash_ids do not match", "rows: out of order",
    "rows: failed when recorded"};
constexpr std::string_view name_of(RowFault reason) { return kRowFaultNames[static_cast<std::size_t>(reason)]; }

}  // namespace tokenyard::traces
