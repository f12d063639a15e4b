#include "analysis/scenario/demand_plan.hpp"

#include <nlohmann/json.hpp>

#include "platforms/spec/fact.hpp"

namespace tokenyard::analysis {

DemandPlan DemandPlan::read(sim::ObjectReader& reader) {
  DemandPlan plan;
  plan.tasks_per_s = reader.optional_number("tasks_per_s", {.minimum = 0, .maximum = 1e9, .exclusive = true});
  plan.tokens_per_month =
      reader.optional_number("tokens_per_month", {.minimum = 0, .maximum = 1e21, .exclusive = true});
  if (plan.tasks_per_s && plan.tokens_per_month) {
    reader.fault("tokens_per_month", "tokens per month beside tasks per second",
                 "one of the two: each says how much work there is");
  }
  reader.object("growth", [&](sim::ObjectReader& r) {
    plan.growth = DemandPlan::Growth{};
    plan.growth->factor_per_year = r.number("factor_per_year", {.minimum = 1e-3, .maximum = 1e4});
    plan.growth->months = r.integer("months", {.fallback = 12, .minimum = 1, .maximum = 120});
    plan.growth->step_months = r.integer("step_months", {.fallback = 3, .minimum = 1, .maximum = 120});
  });
  plan.cell_tasks_per_s = reader.optional_number("cell_tasks_per_s", {.minimum = 0, .maximum = 1e9, .exclusive = true});
  plan.duration_s = reader.optional_number("duration_s", {.minimum = 0, .maximum = 3e9, .exclusive = true});
  plan.warmup_s = reader.optional_number("warmup_s", {.minimum = 0, .maximum = 3e9});
  plan.chips = reader.strings("chips");
  plan.tp = platforms::optional_counts(reader, "tp");
  plan.pp = platforms::optional_counts(reader, "pp");
  plan.ep = platforms::optional_counts(reader, "ep");
  plan.max_num_seqs = platforms::optional_counts(reader, "max_num_seqs");
  plan.whole_nodes = reader.boolean("whole_nodes", false);
  reader.object("own", [&](sim::ObjectReader& r) {
    const Own assumed;
    plan.own = {r.number("years", {.fallback = assumed.years, .minimum = 0.1, .maximum = 50}),
                r.number("capital_rate", {.fallback = assumed.capital_rate, .minimum = 0, .maximum = 1}),
                r.number("server_share", {.fallback = assumed.server_share, .minimum = 0, .maximum = 10})};
  });
  reader.members("assume", [&](const std::string& chip, sim::ObjectReader& r) {
    Assumption& assumption = plan.assume[chip];
    assumption.usd_per_chip_hour = r.optional_number("usd_per_chip_hour", {.minimum = 0, .maximum = 1e6});
    assumption.watts_per_chip = r.optional_number("watts_per_chip", {.minimum = 0, .maximum = 1e6});
    assumption.chips_per_node = r.optional_integer("chips_per_node", {.minimum = 1, .maximum = 1e5});
    assumption.usd_per_chip = r.optional_number("usd_per_chip", {.minimum = 0, .maximum = 1e7});
    assumption.design_usd = r.optional_number("design_usd", {.minimum = 0, .maximum = 1e12});
    assumption.available_chips = r.optional_number("available_chips", {.minimum = 0, .maximum = 1e12});
  });
  return plan;
}

}  // namespace tokenyard::analysis
