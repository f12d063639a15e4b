#include "traces/readers/token_count.hpp"

#include <algorithm>
#include <cmath>

#include "sim/input/numbers.hpp"

namespace tokenyard::traces {

bool read_tokens(double value, platforms::Tokens& tokens) {
  if (!(value >= 1 && value <= static_cast<double>(kMaxTokens)) || value != std::floor(value)) return false;
  tokens = static_cast<platforms::Tokens>(value);
  return true;
}

bool read_tokens(std::string_view text, platforms::Tokens& tokens) {
  if (text.size() <= 10 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    tokens = 0;
    for (const char c : text) tokens = tokens * 10 + (c - '0');
    return tokens >= 1 && tokens <= kMaxTokens;
  }
  double value = 0;
  return sim::read_number(text, value) && read_tokens(value, tokens);
}

}  // namespace tokenyard::traces
