#pragma once
/// Keys of somebody's format that look like one of those that are read.
///
///   if (mistyped("waitfor", "wait_for")) refuse("an unknown key", allowed_instead_of("wait_for"));

#include <string>
#include <string_view>

namespace tokenyard::traces {

/// Whether a key of somebody's format is likely to be `name` mistyped: the same but for case, "-" and "_", and for one
/// letter more, less or another, or two swapped. Never its plural, and never words of fewer than five letters, which
/// have many neighbours ("mode", "model").
bool mistyped(std::string_view key, std::string_view name);
/// What is allowed in the place of a key that is `name` mistyped, for messages.
std::string allowed_instead_of(std::string_view name);

}  // namespace tokenyard::traces
