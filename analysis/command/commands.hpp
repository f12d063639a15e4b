#pragma once
/// One function per command of `tokenyard`: it adds its options to the command line, and itself as what to do.

#include <functional>

#include "analysis/command/command.hpp"

namespace CLI {
class App;
}

namespace tokenyard::analysis {

/// Returns the exit code; a user's fault is thrown as sim::InputError.
using Action = std::function<int(const Surroundings&)>;

void add_run(CLI::App& app, Action& chosen);
void add_replay(CLI::App& app, Action& chosen);
void add_bottleneck(CLI::App& app, Action& chosen);
void add_demand(CLI::App& app, Action& chosen);
void add_campaign(CLI::App& app, Action& chosen);
void add_compare(CLI::App& app, Action& chosen);
void add_report(CLI::App& app, Action& chosen);
void add_convert(CLI::App& app, Action& chosen);
void add_check(CLI::App& app, Action& chosen);
void add_graph(CLI::App& app, Action& chosen);
void add_catalog(CLI::App& app, Action& chosen);
void add_schema(CLI::App& app, Action& chosen);
void add_study(CLI::App& app, Action& chosen);
void add_calibrate(CLI::App& app, Action& chosen);
void add_fit_agent(CLI::App& app, Action& chosen);

}  // namespace tokenyard::analysis
