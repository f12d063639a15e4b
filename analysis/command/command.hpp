#pragma once
/// The command `tokenyard` as a function: main.cpp calls it, and so do tests, within their process.
///
///   int code = run_command({"run", "scenario.json", "--quiet"}, {});
///
/// Every outcome becomes a message on `err` and an exit code; nothing is thrown but bad_alloc.

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "sim/network/network.hpp"

namespace tokenyard::analysis {

/// As `tokenyard --help` lists them; scripts rely on the numbers.
enum Exit { kDone = 0, kOurBug = 1, kWrongInput = 2, kInfeasible = 3, kSomeFailed = 4, kInterrupted = 130 };

/// What the command needs of the program it runs in.
struct Surroundings {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  /// SimGrid's network: only the executable links it. Null: the analytic one takes its place.
  sim::MakeNetwork make_simgrid_network = {};
  /// Called before a simulation starts: from then on an interrupt does not end the process but makes `interrupted`
  /// true, so that what was done can be kept.
  std::function<void()> catch_interrupts = [] {};
  std::function<bool()> interrupted = [] { return false; };
  /// Called before work that cannot be kept half done: from then on an interrupt ends the process with `kInterrupted`,
  /// and this line on standard error. Called again, the new line takes the old one's place.
  std::function<void(const std::string&)> end_on_interrupt = [](const std::string&) {};
  /// The arguments as one line, for the manifest; set by `run_command`.
  std::string command_line = {};
};

/// `arguments` without the program's name.
int run_command(std::vector<std::string> arguments, Surroundings surroundings);

}  // namespace tokenyard::analysis
