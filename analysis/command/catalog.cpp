/// `tokenyard catalog`: what is known, and where each number comes from.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/text_table.hpp"
#include "sim/input/json.hpp"
#include "traces/readers/task_reader.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::CatalogKind;

struct CatalogArguments {
  std::string kind, name;
  std::vector<std::string> catalogs;
  bool json = false;
};

/// A name and one line on it.
struct Entry {
  std::string name, line;
};

const std::vector<std::string> kKinds = {"chips",    "models", "media-models", "engines",
                                         "clusters", "agents", "policies",     "formats"};

std::optional<CatalogKind> platform_kind(const std::string& kind) {
  for (const CatalogKind known : platforms::kCatalogKinds) {
    if (kind == std::string(platforms::name_of(known)) + 's') return known;
  }
  return {};
}

std::vector<Entry> policies() {
  return {
      {"round-robin", "router: each replica in turn"},
      {"least-loaded", "router: the replica with the fewest calls, running and waiting"},
      {"prefix-aware", "router: the replica whose cache holds most of the prompt, less its load"},
      {"task-sticky",
       "router: all calls of a task to the replica that took its first; sticky_above: only long prompts"},
      {"load", "overflow_by: the pool asked for, when that is full the emptiest of overflow"},
      {"prefix", "overflow_by: of the pools with room, the one that holds most of the prompt, less its load"},
      {"cost", "overflow_by: of the pools with room, the one whose tokens are cheapest"},
      {"fcfs", "scheduling: first come, first served; running calls first, as in vLLM"},
      {"task-fcfs", "scheduling: calls of the task that arrived first"},
      {"plas", "scheduling: calls of the task that was served least so far (Autellix), in levels that double"},
      {"atlas", "scheduling: as plas, by the longest path that led to the call (Autellix)"},
      {"mlfq", "scheduling: calls that were served least themselves, in levels that double; those that run give way"},
      {"preemptive", "with a scheduling that ranks calls: those that decode give way to those that rank before them"},
      {"promote_at",
       "with plas, atlas or mlfq: who has waited so many times as long as it was served starts anew (Autellix)"},
      {"remaining-time", "scheduling: calls after which tasks went on for the shortest time, as learned (Kairos)"},
      {"deadline", "scheduling: calls of the task with the earliest deadline (deadline_s of the agent)"},
      {"shortest-first", "scheduling: the fewest tokens to make; an oracle"},
      {"lru", "kv_retention: what a completed call leaves is evicted when it is the least recently used, as in vLLM"},
      {"preserve", "kv_retention: held until the task's next call or its end"},
      {"static-ttl", "kv_retention: held for kv_ttl_s"},
      {"continuum-ttl", "kv_retention: held as long as the waits seen make it worth while (Continuum)"},
      {"min-waste", "kv_retention: held while that wastes less memory than having it again (InferCept)"},
      {"tagged", "kv_eviction: what nobody asks for again, then tasks' contexts, then roles' prefixes (SUTRADHARA)"},
      {"steps-to-execution", "kv_eviction: what is most calls away in the tasks' graphs first (KVFlow)"},
      {"streaming", "tool_overlap: each of several tools begins when its arguments are made (SUTRADHARA)"},
      {"speculative", "tool_overlap: tools begin when their call does, if guessed (tool_guesses)"},
      {"prompt-split", "tool_overlap: what is known of the next prompt is computed while the tool runs (SUTRADHARA)"},
      {"streaming+prompt-split", "tool_overlap: both"}};
}

std::vector<Entry> entries_of(const std::string& kind, const LoadedCatalogs& catalogs) {
  std::vector<Entry> entries;
  if (const auto known = platform_kind(kind)) {
    for (const std::string& name : catalogs.platforms.names(*known)) {
      entries.push_back({name, catalogs.platforms.raw(*known, name)->value("title", "")});
    }
  } else if (kind == "agents") {
    for (const std::string& name : catalogs.agents.names())
      entries.push_back({name, catalogs.agents.find(name)->title});
  } else if (kind == "policies") {
    entries = policies();
  } else {
    for (const traces::TraceFormat& format : traces::all_formats())
      entries.push_back({std::string(format.name), std::string(format.description)});
  }
  return entries;
}

std::vector<std::string> names_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return names;
}

void list(const CatalogArguments& a, const std::vector<Entry>& entries, std::FILE* out) {
  if (a.json) {
    fmt::print(out, "{}\n", sim::to_text(sim::Json(names_of(entries)), 2));
    return;
  }
  TextTable table({TextTable::kLeft, TextTable::kLeft});
  for (const Entry& entry : entries) table.row({entry.name, entry.line});
  fmt::print(out, "{}", table.text(""));
}

void show_facts(const platforms::Catalog& catalog, CatalogKind kind, const std::string& name, std::FILE* out) {
  fmt::print(out, "{} ({})\n", catalog.raw(kind, name)->value("title", name), catalog.origin(kind, name));
  TextTable table({TextTable::kLeft, TextTable::kRight, TextTable::kLeft, TextTable::kLeft});
  for (const platforms::Fact& fact : catalog.facts(kind, name)) {
    table.row({fact.key, fact.value, fact.date, (fact.assumed ? "assumed: " : "") + fact.source});
  }
  fmt::print(out, "{}", table.text("  "));
}

void show_agent(const agents::Agent& agent, const std::vector<std::string>& variants, std::FILE* out) {
  fmt::print(out, "{} ({})\n", agent.title, agent.file);
  TextTable table({TextTable::kLeft, TextTable::kLeft, TextTable::kLeft, TextTable::kLeft});
  for (const agents::Node& node : agent.nodes) {
    table.row({node.name, std::string(agents::name_of(node.kind)), node.evidence, node.note});
  }
  fmt::print(out, "{}", table.text("  "));
  fmt::print(out, "  evidence: M measured, P published, N from notes on what is published, D derived, A assumed\n");
  if (!variants.empty()) fmt::print(out, "  variants: {}\n", fmt::join(variants, ", "));
  if (!agent.source.empty()) fmt::print(out, "  source: {}\n", agent.source);
  fmt::print(out, "  tokenyard graph {} draws it\n", agent.name);
}

int show_catalog(const CatalogArguments& a, const Surroundings& surroundings) {
  if (std::find(kKinds.begin(), kKinds.end(), a.kind) == kKinds.end()) {
    throw sim::InputError({"", "tokenyard catalog", '"' + a.kind + '"',
                           fmt::format("one of {}{}", fmt::join(kKinds, ", "), sim::did_you_mean(a.kind, kKinds))});
  }
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  const std::vector<Entry> entries = entries_of(a.kind, catalogs);
  if (a.name.empty()) {
    list(a, entries, surroundings.out);
    return kDone;
  }
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.name == a.name; });
  if (entry == entries.end()) {
    throw sim::InputError({"", "tokenyard catalog " + a.kind, '"' + a.name + '"',
                           fmt::format("a name that tokenyard catalog {} lists{}", a.kind,
                                       sim::did_you_mean(a.name, names_of(entries)))});
  }
  const auto known = platform_kind(a.kind);
  if (known && a.json) {
    fmt::print(surroundings.out, "{}\n", catalogs.platforms.raw(*known, a.name)->dump(2));
  } else if (known) {
    show_facts(catalogs.platforms, *known, a.name, surroundings.out);
  } else if (a.kind == "agents" && a.json) {
    fmt::print(surroundings.out, "{}\n", catalogs.agents.raw(a.name)->dump(2));
  } else if (a.kind == "agents") {
    show_agent(*catalogs.agents.find(a.name), catalogs.agents.variants(a.name), surroundings.out);
  } else if (a.json) {
    fmt::print(surroundings.out, "{}\n",
               sim::to_text(sim::Json{{"name", entry->name}, {"description", entry->line}}, 2));
  } else {
    fmt::print(surroundings.out, "{}: {}\n", entry->name, entry->line);
  }
  return kDone;
}

}  // namespace

void add_catalog(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("catalog", "lists what is known, with the source of each number");
  const auto a = std::make_shared<CatalogArguments>();
  sub->add_option("KIND", a->kind, fmt::format("one of {}", fmt::join(kKinds, ", ")))->required();
  sub->add_option("NAME", a->name, "one entry, with the source of each number");
  add_catalog_option(*sub, a->catalogs);
  sub->add_flag("--json", a->json, "as JSON: the names, or the entry as it was written");
  sub->footer(
      "  tokenyard catalog chips\n"
      "  tokenyard catalog chips h100-sxm\n"
      "  tokenyard catalog models llama-3.1-70b --json > my-catalog/models/my-model.json   # a start for your own");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return show_catalog(*a, s); }; });
}

}  // namespace tokenyard::analysis
