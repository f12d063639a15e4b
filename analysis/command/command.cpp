#include "analysis/command/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/command/help.hpp"
#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/shell_quoted.hpp"
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
    } else {
      faults.push_back({"", place, '"' + extra + '"', fmt::format("no more than {} --help shows", place)});
    }
  }
  if (!faults.empty()) return sim::InputError(faults);
  if (const auto* missing = dynamic_cast<const CLI::RequiredError*>(&error)) {
    const std::string what = missing->what();  // "SCENARIO is required"
    return sim::InputError(
        {"", place, "no " + what.substr(0, what.find(' ')), fmt::format("one; {} --help shows what it is", place)});
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string what = error.what();  // "--out: 1 required TEXT missing", "--seed: … but received 2"
    const bool missing = what.find("missing") != std::string::npos || what.find("received 0") != std::string::npos;
    return sim::InputError(
        {"", what.substr(0, what.find(':')), missing ? "no value" : "more than one value", "one, behind the option"});
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::string what = error.what();  // "--tasks-per-s excludes --tokens-per-month"
    const std::size_t first = what.find(' '), second = what.rfind(' ');
    return sim::InputError({"", what.substr(0, first), what.substr(second + 1) + " beside it", "one of the two"});
  }
  return sim::InputError({"", place, error.what(), fmt::format("what {} --help shows", place)});
}

int run_checked(std::vector<std::string> arguments, Surroundings& surroundings) {
  CLI::App app{
      "Tokenyard: AI agents on accelerator clusters, simulated. What happens, why it is slow, how many chips it takes.",
      "tokenyard"};
  app.set_version_flag("--version", "tokenyard " TOKENYARD_VERSION, "prints the version");
  app.set_help_flag("-h,--help", "prints this");
  app.formatter_fn([](const CLI::App* at, const std::string&, CLI::AppFormatMode) { return help_text(*at); });
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
  for (const std::string& argument : arguments) surroundings.command_line += ' ' + sim::shell_quoted(argument);
  if (!arguments.empty() && arguments[0] == "help") {  // `help run` is `run --help`
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
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

/// Where not even the message can be written, the exit code tells alone.
int ended(Exit code, const std::string& message, const Surroundings& surroundings) {
  std::fputs((message + '\n').c_str(), surroundings.err);
  return code;
}

}  // namespace

int run_command(std::vector<std::string> arguments, Surroundings surroundings) {
  const auto unwritten = [&](const std::string& why) {
    return ended(kWrongInput, fmt::format("The output cannot be written: {}.", why), surroundings);
  };
  try {
    const int code = run_checked(std::move(arguments), surroundings);
    return std::fflush(surroundings.out) == 0 || errno == EPIPE ? code : unwritten(std::strerror(errno));
  } catch (const sim::InputError& error) {
    return ended(kWrongInput, error.what(), surroundings);
  } catch (const traces::OutputError& error) {
    return ended(kWrongInput, error.what(), surroundings);
  } catch (const sim::Infeasible& error) {
    return ended(kInfeasible, error.what(), surroundings);
  } catch (const std::filesystem::filesystem_error& error) {
    return ended(kWrongInput,
                 fmt::format("{}: {}. Choose another place.", error.path1().string(), error.code().message()),
                 surroundings);
  } catch (const std::system_error& error) {  // fmt::print's: a pipe that nobody reads, a full disk behind >
    return error.code().value() == EPIPE ? static_cast<int>(kDone) : unwritten(error.code().message());
  } catch (const std::bad_alloc&) {
    return ended(kWrongInput, "The memory is used up. Simulate less at a time, or on a machine with more.",
                 surroundings);
  } catch (const std::exception& error) {
    return ended(kOurBug,
                 fmt::format("This is a fault of Tokenyard, not yours: {}\nThe command was: {}", error.what(),
                             surroundings.command_line),
                 surroundings);
  }
}

}  // namespace tokenyard::analysis
