/// `tokenyard schema`.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/schemas/schemas.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

void add_schema(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("schema", "prints the JSON Schema of a kind of file");
  const auto name = std::make_shared<std::string>();
  sub->add_option("KIND", *name, fmt::format("one of {}", fmt::join(schema_names(), ", ")))->required();
  sub->footer("  tokenyard schema scenario > scenario.schema.json   # for an editor to complete and check");
  sub->callback([name, &chosen] {
    chosen = [name](const Surroundings& surroundings) {
      const auto text = schema_text(*name);
      if (!text) {
        const std::vector<std::string> names = schema_names();
        throw sim::InputError({"", "tokenyard schema", '"' + *name + '"',
                               fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(*name, names))});
      }
      fmt::print(surroundings.out, "{}", *text);
      return kDone;
    };
  });
}

}  // namespace tokenyard::analysis
