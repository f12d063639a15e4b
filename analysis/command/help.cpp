#include "analysis/command/help.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/command/text_table.hpp"

namespace tokenyard::analysis {
namespace {

/// "--out DIR", "-h, --help", "FILE…".
std::string left_side(const CLI::Option& option) {
  std::string text;
  if (option.get_positional() && !option.nonpositional()) {
    text = option.get_name(true, false);
  } else {
    for (const std::string& name : option.get_snames()) text += (text.empty() ? "-" : ", -") + name;
    for (const std::string& name : option.get_lnames()) text += (text.empty() ? "--" : ", --") + name;
    if (option.get_type_size() != 0 && !option.get_option_text().empty()) text += ' ' + option.get_option_text();
  }
  return text;
}

std::string rows_of(const std::vector<const CLI::Option*>& options) {
  TextTable table({TextTable::kLeft, TextTable::kLeft});
  for (const CLI::Option* option : options) table.row({left_side(*option), option->get_description()});
  return table.text("  ");
}

std::string usage(const CLI::App& app) {
  std::string text = app.get_parent() == nullptr ? "tokenyard COMMAND" : "tokenyard " + app.get_name();
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* o) { return o->get_positional() && !o->nonpositional(); })) {
    const std::string name = option->get_name(true, false) + (option->get_expected_max() > 1 ? "…" : "");
    text += option->get_required() ? ' ' + name : " [" + name + ']';
  }
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* o) { return o->nonpositional() && o->get_required(); })) {
    text += ' ' + left_side(*option);
  }
  return text + (app.get_parent() == nullptr ? " …" : " [options]");
}

}  // namespace

std::string help_text(const CLI::App& app) {
  std::string text = fmt::format("{}\n\nUsage: {}\n", app.get_description(), usage(app));
  const auto positionals =
      app.get_options([](const CLI::Option* o) { return o->get_positional() && !o->nonpositional(); });
  if (!positionals.empty()) text += '\n' + rows_of(positionals);
  const auto commands = app.get_subcommands({});
  if (!commands.empty()) {
    TextTable table({TextTable::kLeft, TextTable::kLeft});
    for (const CLI::App* command : commands) table.row({command->get_name(), command->get_description()});
    text += "\nCommands (tokenyard COMMAND --help says more):\n" + table.text("  ");
  }
  for (const std::string& group : app.get_groups()) {
    const auto options =
        app.get_options([&](const CLI::Option* o) { return o->nonpositional() && o->get_group() == group; });
    if (!group.empty() && !options.empty()) text += fmt::format("\n{}:\n{}", group, rows_of(options));
  }
  if (!app.get_footer().empty()) text += "\nExamples:\n" + app.get_footer() + '\n';
  if (app.get_parent() == nullptr) {
    text +=
        "\nExit codes: 0 done, 1 a fault of Tokenyard, 2 wrong input, 3 nothing feasible or an --assert failed, 4 some "
        "runs of a campaign failed, 130 interrupted.\n";
  }
  return text;
}

}  // namespace tokenyard::analysis
