/// `tokenyard check`: says what each file is and everything that is wrong with it; all files, all faults, at once.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>

#include "analysis/campaign/local.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/trace_options.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/studies/study.hpp"
#include "sim/input/json.hpp"
#include "traces/readers/format_detection.hpp"
#include "traces/readers/task_reader.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Faults;
using sim::Json;
using sim::JsonFile;

struct CheckArguments {
  std::vector<std::string> files, catalogs;
  std::string format, map;
};

enum class Kind { kScenario, kCampaign, kAgent, kStudy, kCatalogEntry, kForeign, kUnknown };

/// By its "schema", or by the keys that only such a file has; foreign without either, and with a fault unknown.
Kind kind_of(const JsonFile& file, Faults& faults) {
  static constexpr std::pair<const char*, Kind> kKinds[] = {{"tokenyard.scenario/1", Kind::kScenario},
                                                            {"tokenyard.campaign/1", Kind::kCampaign},
                                                            {"tokenyard.agent/1", Kind::kAgent},
                                                            {"tokenyard.study/1", Kind::kStudy}};
  const Json& json = file.value();
  if (json.is_object() && json.contains("schema")) {
    const std::string schema =
        json["schema"].is_string() ? json["schema"].get<std::string>() : sim::shown(json["schema"]);
    std::vector<std::string> schemas;
    for (const auto& [name, kind] : kKinds) {
      if (schema == name) return kind;
      schemas.emplace_back(name);
    }
    for (const platforms::CatalogKind kind : platforms::kCatalogKinds) {
      if (schema == platforms::schema_of(kind)) return Kind::kCatalogEntry;
      schemas.emplace_back(platforms::schema_of(kind));
    }
    faults.add(file.name(), "/schema", '"' + schema + '"',
               fmt::format("one of {}{}", fmt::join(schemas, ", "), sim::did_you_mean(schema, schemas)));
    return Kind::kUnknown;
  }
  if (json.is_object() && (json.contains("pools") || json.contains("workload") || json.contains("cluster")))
    return Kind::kScenario;
  if (json.is_object() && json.contains("scenario")) return Kind::kCampaign;
  if (json.is_object() && json.contains("nodes")) return Kind::kAgent;
  return Kind::kForeign;
}

/// A document of its own, maybe a trace; lines of JSON are always one.
bool is_document(const std::filesystem::path& path) { return path.extension() == ".json"; }

class Check {
 public:
  Check(const CheckArguments& arguments, const Surroundings& surroundings)
      : arguments_(arguments), out_(surroundings.out), catalogs_(load_catalogs(arguments.catalogs)) {
    options_.columns = traces::parse_column_map(arguments.map, faults_);
  }

  int run() {
    for (const std::string& path : arguments_.files) {
      Faults of_file;  // of its own: whoever reads on only where nothing is wrong shall not see another file's
      if (arguments_.format.empty() && is_document(path)) {
        document(path, of_file);
      } else {
        trace(path, of_file);
      }
      faults_.add(of_file.list());
    }
    agents();
    for (const Written& cluster : clusters_) check_cluster(cluster);
    for (const Written& scenario : scenarios_) check_scenario(scenario);
    for (const auto& [path, study] : studies_) check_study(path, study);
    for (const std::string& line : fine_) fmt::print(out_, "{}\n", line);
    faults_.throw_if_any();
    if (!infeasible_.empty()) throw sim::Infeasible(fmt::format("{}", fmt::join(infeasible_, "\n")));
    return kDone;
  }

 private:
  struct Written {
    std::string path;
    JsonFile file;
  };

  void document(const std::string& path, Faults& faults) {
    JsonFile file = JsonFile::load(path, faults);
    if (!faults.empty()) return;
    switch (kind_of(file, faults)) {
      case Kind::kScenario:
        scenarios_.push_back({path, std::move(file)});
        break;
      case Kind::kCampaign:
        campaign(path, faults);
        break;
      case Kind::kAgent:
        agents_.emplace_back(path);
        break;
      case Kind::kStudy:
        studies_.emplace_back(path, Study::read(file, faults));
        if (!faults.empty()) studies_.pop_back();
        break;
      case Kind::kCatalogEntry: {
        const auto schema = file.value()["schema"].get<std::string>();
        catalogs_.platforms.add(sim::to_text(file.value()), path, std::nullopt, faults);
        if (!faults.empty()) break;
        if (schema == platforms::schema_of(platforms::CatalogKind::kCluster)) {
          clusters_.push_back({path, std::move(file)});
        } else {
          fine_.push_back(fmt::format("{}: {}, fine", path,
                                      schema.substr(schema.find('.') + 1, schema.find('/') - schema.find('.') - 1)));
        }
        break;
      }
      case Kind::kForeign:
        if (!traces::fitting_formats(path, options_).empty()) {
          trace(path, faults);
        } else {
          faults.add(path, "", sim::shown(file.value()),
                     "a scenario (with \"pools\"), a campaign (with \"scenario\"), an object whose \"schema\" says "
                     "what it is (tokenyard.agent/1, …), "
                     "or a trace");
        }
        break;
      case Kind::kUnknown:
        break;
    }
  }

  /// And the scenario of each of its cells.
  void campaign(const std::string& path, Faults& faults) {
    const Campaign campaign = Campaign::read(path, {arguments_.catalogs.begin(), arguments_.catalogs.end()}, faults);
    if (!faults.empty()) return;
    const SettledRuns none;
    try {
      check_cells(campaign, catalogs_.view(), Agenda(campaign, none, {}));
    } catch (const sim::InputError& error) {
      faults.add(error.faults());
      return;
    }
    fine_.push_back(fmt::format("{}: campaign, fine, {} cells", path, campaign.cells()));
  }

  /// Agents may call each other: they are read together, beside those of the catalogue.
  void agents() {
    if (agents_.empty()) return;
    Faults of_agents;
    agents::AgentCatalog::load(of_agents, {arguments_.catalogs.begin(), arguments_.catalogs.end()}, agents_);
    for (const std::filesystem::path& path : agents_) {
      const auto concerns = [&](const sim::Fault& fault) { return fault.file == path.string(); };
      if (std::none_of(of_agents.list().begin(), of_agents.list().end(), concerns))
        fine_.push_back(fmt::format("{}: agent, fine", path.string()));
    }
    faults_.add(of_agents.list());
  }

  /// Through a scenario that has it: whoever reads clusters there says what is wrong with this one.
  void check_cluster(const Written& written) {
    const JsonFile scenario = JsonFile::from({{"cluster", written.file.value()["cluster"]}}, written.path);
    Faults of_scenario;
    Scenario::read(scenario, catalogs_.view(), false, of_scenario);
    Faults of_cluster;
    for (const sim::Fault& fault : of_scenario.list()) {
      if (fault.place.starts_with("/cluster")) of_cluster.add({fault});
    }
    faults_.add(of_cluster.list());
    if (of_cluster.empty()) fine_.push_back(fmt::format("{}: cluster, fine", written.path));
  }

  void check_scenario(const Written& written) {
    Faults of_scenario;
    try {
      const Scenario scenario = Scenario::read(written.file, catalogs_.view(), true, of_scenario);
      if (of_scenario.empty() && scenario.workload.trace) {
        const TraceWorkload& trace = *scenario.workload.trace;
        const traces::TraceSummary played =
            traces::summarize(trace.path_beside(written.path).string(), trace.format, of_scenario, options_);
        if (of_scenario.empty())
          scenario.slo.check_agents(
              traces::holds_tasks(trace.format) ? played.agents : std::vector<std::string>{"requests"}, written.path,
              of_scenario);
      }
    } catch (const sim::Infeasible& error) {
      infeasible_.emplace_back(error.what());
      return;
    }
    faults_.add(of_scenario.list());
    if (of_scenario.empty()) fine_.push_back(fmt::format("{}: scenario, fine", written.path));
  }

  static bool has_formula(const Json& part) {
    return is_formula(part) || (part.is_structured() && std::any_of(part.begin(), part.end(), has_formula));
  }

  /// Scenarios that hold formulas are known when the study is evaluated.
  void check_study(const std::string& path, const Study& study) {
    Faults of_study;
    for (const StudyCase& of : study.cases) {
      if (has_formula(of.scenario)) continue;
      try {
        Scenario::read(JsonFile::from(of.scenario, fmt::format("{}, case \"{}\"", path, of.name)), catalogs_.view(),
                       true, of_study);
      } catch (const sim::Infeasible&) {  // a study may ask for that: its case says why not
      }
    }
    faults_.add(of_study.list());
    if (of_study.empty()) fine_.push_back(path + ": study, fine");
  }

  void trace(const std::string& path, Faults& faults) {
    std::error_code error;
    if (arguments_.format.empty() && !std::filesystem::exists(path, error)) {
      faults.add(path, "", "no such file", "a scenario, agent or catalogue entry (.json), or a trace");
      return;
    }
    const std::string format =
        arguments_.format.empty() ? traces::detect_format(path, options_, faults) : arguments_.format;
    if (format.empty()) return;
    const traces::TraceSummary summary = traces::summarize(path, format, faults, options_);
    if (!faults.empty()) return;
    const std::string tasks = summary.tasks > 0 ? count_text(summary.tasks) + " tasks, " : "";
    fine_.push_back(fmt::format("{}: {} trace of {}{} requests over {}, {} tokens in, {} out, fine", path, format,
                                tasks, count_text(summary.requests), duration_text(summary.last_arrival.seconds()),
                                count_text(summary.prompt_tokens), count_text(summary.output_tokens)));
  }

  const CheckArguments& arguments_;
  std::FILE* out_;
  Faults faults_;
  LoadedCatalogs catalogs_;
  traces::TraceOptions options_;
  std::vector<Written> scenarios_, clusters_;
  std::vector<std::pair<std::string, Study>> studies_;  ///< by their files
  std::vector<std::filesystem::path> agents_;
  std::vector<std::string> fine_, infeasible_;
};

}  // namespace

void add_check(CLI::App& app, Action& chosen) {
  CLI::App* sub =
      app.add_subcommand("check", "validates scenarios, campaigns, agents, studies, catalogue entries and traces");
  const auto a = std::make_shared<CheckArguments>();
  sub->add_option("FILE", a->files,
                  "what to check: a .json file says what it is, a folder is ServeGen's, all else is a trace")
      ->required();
  add_format_option(*sub, a->format, "the files are traces of this format; otherwise their content decides");
  add_map_option(*sub, a->map);
  add_catalog_option(*sub, a->catalogs);
  sub->footer(
      "  tokenyard check scenario.json my-agent.json my-chip.json trace.csv\n"
      "  tokenyard check --format mooncake conversation_trace.jsonl");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return Check(*a, s).run(); }; });
}

}  // namespace tokenyard::analysis
