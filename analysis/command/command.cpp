#include "analysis/command/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/command/help.hpp"
#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

/// The first argument that is no option must be a command: CLI11's own message has no remedy.
void require_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].starts_with('-')) return;
  const std::vector<std::string> names = names_of(app.get_subcommands({}));
  if (std::find(names.begin(), names.end(), arguments[0]) != names.end()) return;
  throw sim::InputError(
      {"", "tokenyard", '"' + arguments[0] + '"',
       fmt::format("a command, one of {}{}", fmt::join(names, ", "), sim::did_you_mean(arguments[0], names))});
}

/// What CLI11 found, in our words: where, what, and what is allowed.
sim::InputError explained(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App* sub) { return sub->parsed(); });
  const CLI::App& at = commands.empty() ? app : *commands.front();
  const std::string place = commands.empty() ? "tokenyard" : "tokenyard " + at.get_name();
  std::vector<std::string> options;
  for (const CLI::Option* option : at.get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  std::vector<sim::Fault> faults;
  for (const std::string& extra : app.remaining(true)) {
    if (extra.starts_with('-')) {
      const std::string name = extra.substr(0, extra.find('='));
      faults.push_back({"", place, '"' + name + '"',
                        fmt::format("one of {}{}", fmt::join(options, ", "), sim::did_you_mean(name, options))});
    }
  }
  if (!faults.empty()) return sim::InputError(faults);
  if (const auto* missing = dynamic_cast<const CLI::RequiredError*>(&error)) {
    const std::string what = missing->what();  // "SCENARIO is required"
    return sim::InputError(
        {"", place, "no " + what.substr(0, what.find(' ')), fmt::format("one; {} --help shows what it is", place)});
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string what = error.what();  // "--out: 1 required TEXT missing"
    return sim::InputError({"", what.substr(0, what.find(':')), "no value", "one, behind the option"});
  }
  return sim::InputError({"", place, error.what(), fmt::format("what {} --help shows", place)});
}

std::string quoted(const std::string& argument) {
  const bool plain = !argument.empty() && argument.find_first_of(" \t\n\"'\\$`*?&|;<>(){}[]#~!") == std::string::npos;
  if (plain) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

int run_checked(std::vector<std::string> arguments, Surroundings& surroundings) {
  CLI::App app{
      "Tokenyard: AI agents on accelerator clusters, simulated. What happens, why it is slow, how many chips it takes.",
      "tokenyard"};
  app.set_version_flag("--version", "tokenyard " TOKENYARD_VERSION, "prints the version");
  app.set_help_flag("-h,--help", "prints this");
  app.formatter_fn([](const CLI::App* at, std::string, CLI::AppFormatMode) { return help_text(*at); });
  app.footer(
      "  tokenyard run scenario.json --set /pools/0/replicas=8\n"
      "  tokenyard replay trace.csv --format azure --on scenario.json\n"
      "  tokenyard catalog chips h100-sxm");
  app.require_subcommand(1);
  Action chosen;
  for (const auto add :
       {add_run, add_replay, add_demand, add_bottleneck, add_campaign, add_study, add_compare, add_report, add_convert,
        add_check, add_graph, add_catalog, add_schema, add_calibrate, add_fit_agent})
    add(app, chosen);

  surroundings.command_line = "tokenyard";
  for (const std::string& argument : arguments) surroundings.command_line += ' ' + quoted(argument);
  require_command(app, arguments);
  if (arguments.empty()) {
    fmt::print(surroundings.err, "{}", help_text(app));
    return kWrongInput;
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const auto commands = app.get_subcommands();
    fmt::print(surroundings.out, "{}", help_text(commands.empty() ? app : *commands.front()));
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    fmt::print(surroundings.out, "{}\n", version.what());
    return kDone;
  } catch (const CLI::ParseError& error) {
    throw explained(app, error);
  }
  return chosen(surroundings);
}

}  // namespace

int run_command(std::vector<std::string> arguments, Surroundings surroundings) {
  try {
    const int code = run_checked(std::move(arguments), surroundings);
    if (std::fflush(surroundings.out) == 0 || errno == EPIPE) return code;
    fmt::print(surroundings.err, "The output cannot be written: {}.\n", std::strerror(errno));
    return kWrongInput;
  } catch (const sim::InputError& error) {
    fmt::print(surroundings.err, "{}\n", error.what());
    return kWrongInput;
  } catch (const traces::OutputError& error) {
    fmt::print(surroundings.err, "{}\n", error.what());
    return kWrongInput;
  } catch (const sim::Infeasible& error) {
    fmt::print(surroundings.err, "{}\n", error.what());
    return kInfeasible;
  } catch (const std::system_error& error) {  // fmt::print's: a pipe that nobody reads, a full disk behind >
    if (error.code().value() == EPIPE) return kDone;
    fmt::print(surroundings.err, "The output cannot be written: {}.\n", error.code().message());
    return kWrongInput;
  } catch (const std::exception& error) {
    fmt::print(surroundings.err, "This is a fault of Tokenyard, not yours: {}\nThe command was: {}\n", error.what(),
               surroundings.command_line);
    return kOurBug;
  }
}

}  // namespace tokenyard::analysis
