/// `tokenyard graph`: an agent's task graph, drawn.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/drawing/drawing.hpp"

namespace tokenyard::analysis {
namespace {

struct GraphArguments {
  std::string agent, format = "text";
  std::vector<std::string> catalogs, variants;
};

/// The agent as its variants, if any were asked for, make it.
std::shared_ptr<const agents::Agent> with_variants(const agents::AgentCatalog& catalog, const std::string& name,
                                                   const std::vector<std::string>& variants) {
  const std::vector<std::string> known = catalog.variants(name);
  sim::Faults faults;
  for (const std::string& variant : variants) {
    if (std::find(known.begin(), known.end(), variant) == known.end())
      faults.add("", "--variant", '"' + variant + '"',
                 fmt::format("a variant of {}: {}{}", name, fmt::join(known, ", "), sim::did_you_mean(variant, known)));
  }
  faults.throw_if_any();
  auto agent = catalog.find(name, variants, faults);
  faults.throw_if_any();
  return agent;
}

/// A name of the catalogue, or a file: what ends in .json or holds a slash.
std::shared_ptr<const agents::Agent> find_agent(const GraphArguments& a) {
  sim::Faults faults;
  const std::vector<std::filesystem::path> folders(a.catalogs.begin(), a.catalogs.end());
  if (a.agent.ends_with(".json") || a.agent.find('/') != std::string::npos) {
    const sim::JsonFile file = sim::JsonFile::load(a.agent, faults);
    faults.throw_if_any();
    const auto catalog = agents::AgentCatalog::load(faults, folders, {a.agent});
    faults.throw_if_any();
    return with_variants(catalog, file.value().at("name").get<std::string>(), a.variants);
  }
  const auto catalog = agents::AgentCatalog::load(faults, folders);
  faults.throw_if_any();
  if (catalog.find(a.agent) == nullptr) {
    throw sim::InputError(
        {"", "tokenyard graph", '"' + a.agent + '"',
         "an agent of the catalogue, or the path of a .json file" + sim::did_you_mean(a.agent, catalog.names())});
  }
  return with_variants(catalog, a.agent, a.variants);
}

int show_graph(const GraphArguments& a, const Surroundings& surroundings) {
  const auto agent = find_agent(a);
  fmt::print(surroundings.out, "{}",
             a.format == "dot"   ? to_dot(*agent)
             : a.format == "svg" ? to_svg(*agent)
                                 : to_text(*agent));
  return kDone;
}

}  // namespace

void add_graph(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("graph", "draws an agent's task graph");
  const auto a = std::make_shared<GraphArguments>();
  sub->add_option("AGENT", a->agent, "a name of the catalogue, or a JSON file")->required();
  sub->add_option("--format", a->format, "text (default), svg, or dot for Graphviz")
      ->option_text("text|svg|dot")
      ->check(one_of("--format", {"text", "dot", "svg"}));
  sub->add_option("--variant", a->variants, "as a variant of the agent makes it (repeatable)")
      ->option_text("NAME")
      ->expected(1)
      ->take_all();
  add_catalog_option(*sub, a->catalogs);
  sub->footer(
      "  tokenyard graph customer-service\n"
      "  tokenyard graph trip-planning --variant react\n"
      "  tokenyard graph my-agent.json --format svg > my-agent.svg");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return show_graph(*a, s); }; });
}

}  // namespace tokenyard::analysis
