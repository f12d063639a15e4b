#pragma once
/// An argument as a POSIX shell takes it whole; a plain word stays as it is.

#include <string>

namespace tokenyard::sim {

inline std::string shell_quoted(const std::string& argument) {
  const bool plain = !argument.empty() && argument.find_first_of(" \t\n\"'\\$`*?&|;<>(){}[]#~!") == std::string::npos;
  if (plain) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace tokenyard::sim
