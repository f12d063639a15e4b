#pragma once
/// The command called within the test's process: what it printed, and its exit code.

#include <cstdio>
#include <string>
#include <vector>

#include "analysis/command/command.hpp"

namespace tokenyard::analysis {

struct Outcome {
  int code;
  std::string out, err;
};

inline std::string text_of(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

inline Outcome run(std::vector<std::string> arguments) {
  Surroundings surroundings;
  surroundings.out = std::tmpfile();
  surroundings.err = std::tmpfile();
  const int code = run_command(std::move(arguments), surroundings);
  return {code, text_of(surroundings.out), text_of(surroundings.err)};
}

}  // namespace tokenyard::analysis
