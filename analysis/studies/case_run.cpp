#include "analysis/studies/case_run.hpp"

#include <fmt/format.h>

#include "analysis/bottleneck/improvement.hpp"
#include "analysis/demand/demand.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::or_null;

/// The numbers of a catalogue entry, without their sources.
Json chip_json(const platforms::Chip& chip, const platforms::Catalog& catalog) {
  Json json = {{"name", chip.name}};
  for (const platforms::Fact& fact : catalog.facts(platforms::CatalogKind::kChip, chip.name))
    json[Json::json_pointer('/' + fact.key)] = sim::parse_json(fact.value).value_or(Json());
  return json;
}

void scale(Scenario& scenario, const std::map<std::string, double>& factors, const std::string& name) {
  for (const auto& [kind, factor] : factors) {
    if (factor == 1) continue;
    std::vector<std::string> kinds;
    bool found = false;
    for (const Improvement& improvement : improvements_of(scenario)) {
      kinds.push_back(improvement.kind);
      if (improvement.kind != kind) continue;
      improvement.apply(scenario, factor);
      found = true;
    }
    if (!found)
      throw sim::InputError({name, "/scale", '"' + kind + '"',
                             fmt::format("one of {}", fmt::join(kinds, ", ")) + sim::did_you_mean(kind, kinds)});
  }
}

Json sized(const Scenario& scenario, const Catalogs& catalogs) {
  DemandOptions options;
  options.sizing.repetitions = 1;  // chance is one of the things that a study varies
  options.bands = false;           // none of them is among the figures below
  const platforms::Chip* chip = scenario.pools.front().chip;
  const Demand demand = find_demand(scenario, catalogs.platforms, {chip}, options);
  const DemandEntry& entry = demand.entries.front();
  const Deployment& deployment = entry.deployment;
  if (!deployment.cell.met) return {{"why_not", deployment.cell.why_not}};
  const Economics& e = entry.economics;
  Json json = deployment.cell.figures;
  json["chips"] = deployment.chips();
  json["cells"] = deployment.cells;
  json["cell_chips"] = deployment.cell.chips;
  json["replica_chips"] = deployment.cell.largest_replica;
  json["served_tasks_per_s"] = demand.tasks_per_s;
  json["saving_of_twice"] = or_null(deployment.saving_of_twice);
  json["coarseness"] = or_null(deployment.coarseness);
  json["megawatts"] = or_null(e.megawatts);
  json["megawatts_peak"] = or_null(e.megawatts_peak);
  json["usd_per_hour"] = or_null(e.usd_per_hour);
  json["usd_per_task"] = or_null(e.usd_per_task);
  json["output_tokens_per_s_per_mw"] = or_null(e.output_tokens_per_s_per_mw);
  json["limit_share"] = deployment.cell.limit_share;
  json["limit"] = deployment.cell.limit;
  for (const Sizing::Pool& pool : deployment.cell.pools)
    json["pools"][pool.name] = {{"replicas", pool.replicas}, {"chips", pool.chips()}};
  return {{"demand", std::move(json)}};
}

}  // namespace

std::string CaseJob::key() const {
  return sim::to_text(Json{{"scenario", scenario}, {"scale", scale}, {"sized", sized}});
}

Json run_case(const CaseJob& job, const Catalogs& catalogs, const std::string& name) {
  Json result;
  try {
    sim::Faults faults;
    Scenario scenario = Scenario::read(sim::JsonFile::from(job.scenario, name), catalogs, true, faults);
    faults.throw_if_any();
    const platforms::Chip& chip = *scenario.pools.front().chip;
    scale(scenario, job.scale, name);
    result = job.sized ? sized(scenario, catalogs) : simulate_workload(scenario, {});
    result["chip"] = chip_json(chip, catalogs.platforms);
  } catch (const sim::Infeasible& error) {
    result = {{"why_not", error.what()}};
  }
  result.erase("curves");
  return result;
}

}  // namespace tokenyard::analysis
