#include "analysis/command/help.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/text_table.hpp"

namespace tokenyard::analysis {
namespace {

/// "--out DIR", "-h, --help", "FILE…"; the first of its names only where it is `short_form`.
std::string left_side(const CLI::Option& option, bool short_form = false) {
  if (option.get_positional() && !option.nonpositional()) return option.get_name(true, false);
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  if (short_form) names.resize(1);
  const bool takes = option.get_type_size() != 0 && !option.get_option_text().empty();
  return fmt::format("{}{}{}", fmt::join(names, ", "), takes ? " " : "", takes ? option.get_option_text() : "");
}

/// Names and what they are, which goes on under itself where it is long.
std::string rows_of(const std::vector<std::pair<std::string, std::string>>& rows) {
  constexpr std::size_t kWidth = 120;
  std::size_t widest = 0;
  for (const auto& [name, what] : rows) widest = std::max(widest, width_of(name));
  std::string text;
  for (const auto& [name, what] : rows)
    text += wrapped(what, "  " + name + std::string(widest - width_of(name) + 2, ' '), kWidth);
  return text;
}

std::string rows_of(const std::vector<const CLI::Option*>& options) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const CLI::Option* option : options) rows.emplace_back(left_side(*option), option->get_description());
  return rows_of(rows);
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
    text += ' ' + left_side(*option, true);
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
    std::vector<std::pair<std::string, std::string>> rows;
    for (const CLI::App* command : commands) rows.emplace_back(command->get_name(), command->get_description());
    text += "\nCommands (tokenyard COMMAND --help says more):\n" + rows_of(rows);
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
