#pragma once
/// Counts of tokens as traces write them.
///
///   platforms::Tokens tokens = 0;
///   read_tokens("374", tokens);

#include <string_view>

#include "platforms/spec/tokens.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::traces {

inline constexpr platforms::Tokens kMaxTokens = sim::kMostTokens;
/// A whole number from 1 to `kMaxTokens`; "374", "374.0" and "3.74e2" are one number.
bool read_tokens(std::string_view text, platforms::Tokens& tokens);
/// The same for a number already read as a double.
bool read_tokens(double value, platforms::Tokens& tokens);

}  // namespace tokenyard::traces
