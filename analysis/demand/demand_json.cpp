#include <cmath>

#include "analysis/demand/demand.hpp"
#include "analysis/demand/notes.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::or_null;

Json sourced(const Sourced& number) {
  return {{"value", or_null(number.value)},
          {"source", number.value ? Json(number.source) : Json(nullptr)},
          {"assumed", number.assumed}};
}

Json economics_json(const Economics& e) {
  return {{"megawatts", or_null(e.megawatts)},
          {"megawatts_peak", or_null(e.megawatts_peak)},
          {"usd_per_hour", or_null(e.usd_per_hour)},
          {"usd_per_task", or_null(e.usd_per_task)},
          {"usd_per_million_output_tokens", or_null(e.usd_per_million_output_tokens)},
          {"output_tokens_per_s_per_mw", or_null(e.output_tokens_per_s_per_mw)},
          {"joules_per_output_token", or_null(e.joules_per_output_token)}};
}

Json band_json(const std::optional<Banded>& band) {
  const auto finite = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  if (!band) return nullptr;
  return {{"value", finite(band->value)}, {"low", finite(band->low)}, {"high", finite(band->high)}};
}

Json ownership_json(const Ownership& o) {
  Json json = {{"usd", band_json(o.usd)},
               {"usd_per_hour", band_json(o.usd_per_hour)},
               {"usd_per_million_output_tokens", or_null(o.usd_per_million_output_tokens)}};
  if (o.design_usd) {
    json["design"] = {{"usd", *o.design_usd},
                      {"usd_per_hour", or_null(o.design_usd_per_hour)},
                      {"against", o.against.empty() ? Json(nullptr) : Json(o.against)},
                      {"break_even_chips", band_json(o.break_even_chips)}};
  }
  return json;
}

Json cells_json(const Deployment& deployment) {
  return {
      {"count", deployment.cells},
      {"tasks_per_s", deployment.cell_tasks_per_s > 0 ? Json(deployment.cell_tasks_per_s) : Json(nullptr)},  // users'
      {"chips", deployment.cell.met ? Json(deployment.cell.chips) : Json(nullptr)},
      {"independent", deployment.independent ? Json(*deployment.independent) : Json(nullptr)},
      {"saving_of_twice", or_null(deployment.saving_of_twice)},
      {"coarseness", or_null(deployment.coarseness)}};
}

Json entry_json(const DemandEntry& entry) {
  const Sizing& cell = entry.deployment.cell;
  Json sizing = cell.to_json();
  Json json = {{"chip", entry.chip->name},
               {"met", cell.met},
               {"why_not", sizing["why_not"]},
               {"chips", cell.met ? Json(entry.deployment.chips()) : Json(nullptr)},
               {"nodes", cell.met ? Json{{"count", entry.deployment.nodes()}, {"chips_each", cell.chips_per_node}}
                                  : Json(nullptr)},
               {"step_time_band", entry.band ? Json{{"uncertainty", entry.band->uncertainty},
                                                    {"chips_low", entry.band->low},
                                                    {"chips_high", or_null(entry.band->high)}}
                                             : Json(nullptr)},
               {"cells", cells_json(entry.deployment)},
               {"pools", sizing["pools"]},
               {"confidence",
                {{"seeds", cell.seeds},
                 {"seeds_met", cell.seeds_met},
                 {"proven", cell.proven},
                 {"duration_s", cell.met ? Json(cell.duration_s) : Json(nullptr)},
                 {"warmup_s", cell.met ? Json(cell.warmup_s) : Json(nullptr)},
                 {"steady", cell.met ? Json(cell.steady) : Json(nullptr)},
                 {"missed_with_less", sizing["missed_with_less"]}}},
               {"limit", cell.met ? Json{{"bound", cell.limit}, {"share", cell.limit_share}} : Json(nullptr)},
               {"figures", cell.figures},
               {"economics", economics_json(entry.economics)},
               {"ownership", entry.ownership ? ownership_json(*entry.ownership) : Json(nullptr)},
               {"supply", entry.supply ? Json{{"chips", band_json(entry.supply->chips)},
                                              {"assumed", entry.supply->assumed},
                                              {"share_needed", entry.deployment.chips() / entry.supply->chips.value}}
                                       : Json(nullptr)},
               {"assumptions",
                {{"usd_per_chip_hour", sourced(entry.prices.usd_per_chip_hour)},
                 {"watts_per_chip", sourced(entry.prices.watts_per_chip)},
                 {"power_coefficients_assumed", entry.prices.power_assumed}}},
               {"on_front", entry.on_front},
               {"growth", Json::array()}};
  for (const DemandEntry::Point& point : entry.growth) {
    json["growth"].push_back({{"month", point.month},
                              {"tasks_per_s", point.tasks_per_s},
                              {"chips", point.deployment.cell.met ? Json(point.deployment.chips()) : Json(nullptr)},
                              {"cells", cells_json(point.deployment)},
                              {"economics", economics_json(point.economics)}});
  }
  return json;
}

}  // namespace

Json to_json(const Demand& demand, const Scenario& scenario) {
  Json json = {{"schema", "tokenyard.demand/1"},
               {"name", scenario.name},
               {"answer", demand.answer},
               {"met", demand.met()},
               {"tasks_per_s", demand.tasks_per_s},
               {"users", or_null(demand.users)},
               {"tokens_per_task", or_null(demand.tokens_per_task)},
               {"tokens_per_month", or_null(demand.tokens_per_month())},
               {"level", demand.level},
               {"pue", demand.pue},
               {"whole_nodes", demand.whole_nodes},
               {"entries", Json::array()},
               {"front", Json::array()},
               {"notes", notes_of(demand, scenario)}};
  for (const DemandEntry& entry : demand.entries) {
    json["entries"].push_back(entry_json(entry));
    if (entry.on_front) json["front"].push_back(entry.chip->name);
  }
  return json;
}

}  // namespace tokenyard::analysis
