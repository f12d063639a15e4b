#include "analysis/demand/sizing.hpp"

#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// Of a size that meets the level; throws as Json does where one is not there.
void check_figures(const Json& figures) {
  for (const char* key : {"tasks_per_s", "calls_per_s", "output_tokens_per_s", "total_tokens_per_s", "watts",
                          "tokens_per_task", "ttft_p95_s", "tpot_p95_s", "task_p95_s", "attainment_half_width"}) {
    if (!figures.at(key).is_null()) figures.at(key).get<double>();
  }
  figures.at("attainment").get<double>();
}

}  // namespace

Json Sizing::to_json() const {
  Json json = {{"met", met},
               {"why_not", why_not.empty() ? Json(nullptr) : Json(why_not)},
               {"chips", met ? Json(chips) : Json(nullptr)},
               {"nodes", nodes},
               {"chips_per_node", chips_per_node},
               {"largest_replica", largest_replica},
               {"duration_s", duration_s},
               {"warmup_s", warmup_s},
               {"steady", steady},
               {"seeds", seeds},
               {"seeds_met", seeds_met},
               {"missed_with_less", sim::or_null(missed_with_less)},
               {"proven", proven},
               {"limit", limit},
               {"limit_share", limit_share},
               {"step_time_uncertainty", sim::or_null(step_time_uncertainty)},
               {"figures", figures},
               {"simulations", simulations},
               {"stopped_early", stopped_early},
               {"pools", Json::array()}};
  for (const Pool& pool : pools) {
    const platforms::Parallelism& p = pool.parallelism;
    json["pools"].push_back({{"name", pool.name},
                             {"parallelism", {{"tp", p.tp}, {"pp", p.pp}, {"dp", p.dp}, {"ep", p.ep}}},
                             {"max_num_seqs", pool.max_num_seqs},
                             {"replicas", pool.replicas},
                             {"chips", pool.chips()},
                             {"seats_full_with_less", sim::or_null(pool.seats_full_with_less)}});
  }
  return json;
}

std::optional<Sizing> Sizing::from_json(const Json& json) try {
  Sizing sizing;
  sizing.met = json.at("met");
  if (json.at("why_not").is_string()) sizing.why_not = json.at("why_not");
  if (sizing.met) sizing.chips = json.at("chips");
  sizing.nodes = json.at("nodes");
  sizing.chips_per_node = json.at("chips_per_node");
  sizing.largest_replica = json.at("largest_replica");
  sizing.duration_s = json.at("duration_s");
  sizing.warmup_s = json.at("warmup_s");
  sizing.steady = json.at("steady");
  sizing.seeds = json.at("seeds");
  sizing.seeds_met = json.at("seeds_met");
  sizing.missed_with_less = number(json.at("missed_with_less"));
  sizing.proven = json.at("proven");
  sizing.limit = json.at("limit");
  sizing.limit_share = json.at("limit_share");
  sizing.step_time_uncertainty = number(json.at("step_time_uncertainty"));
  sizing.figures = json.at("figures");
  if (sizing.met) check_figures(sizing.figures);
  sizing.simulations = json.at("simulations");
  sizing.stopped_early = json.at("stopped_early");
  for (const Json& pool : json.at("pools")) {
    const Json& p = pool.at("parallelism");
    sizing.pools.push_back({pool.at("name"),
                            {p.at("tp"), p.at("pp"), p.at("dp"), p.at("ep")},
                            pool.at("max_num_seqs"),
                            pool.at("replicas"),
                            number(pool.at("seats_full_with_less"))});
  }
  if (sizing.met && (sizing.chips < 1 || sizing.nodes < 1 || sizing.chips_per_node < 1)) return {};
  return sizing;
} catch (const Json::exception&) {
  return {};
}

}  // namespace tokenyard::analysis
