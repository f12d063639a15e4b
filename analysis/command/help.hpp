#pragma once
/// The help of the command and of each of its commands: usage, arguments, options by group, examples (CLI11's footer).

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace tokenyard::analysis {

std::string help_text(const CLI::App& app);

}  // namespace tokenyard::analysis
