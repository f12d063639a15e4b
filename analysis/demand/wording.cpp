#include "analysis/demand/wording.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/human_number.hpp"
#include "analysis/page/limits_text.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {
namespace {

std::string why_none(const Demand& demand) {
  std::string text;
  for (const DemandEntry& entry : demand.entries)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", entry.chip->name, entry.deployment.cell.why_not);
  return text;
}

/// "calls within TTFT ≤ 2 s and of the tasks within task ≤ 30 min".
std::string work_within(const SloLimits& limits) {
  SloLimits of_calls = limits;
  of_calls.task_s.reset();
  const std::string calls = limits_text(of_calls), tasks = limits_text({.task_s = limits.task_s});
  return (calls.empty() ? "" : "calls within " + calls) +
         (tasks.empty() ? "" : fmt::format("{}tasks within {}", calls.empty() ? "" : " and of the ", tasks));
}

}  // namespace

std::string work_text(const Demand& demand) {
  std::string users;
  if (demand.users) users = counted_number(demand.users) + (*demand.users == 1 ? " user" : " users");
  if (!demand.arrivals) return users;
  std::string text = fmt::format("{} tasks/s", human_number(demand.tasks_per_s, Unit::kCount));
  if (!users.empty()) return fmt::format("{} and {}", text, users);
  if (const auto tokens = demand.tokens_per_month())
    text += fmt::format(" ({} tokens a month)", human_number(tokens, Unit::kCount));
  return text;
}

std::string level_text(const Slo& slo) {
  std::string text = human_number(slo.attainment, Unit::kShare);
  const char* joint = " of ";
  const auto add = [&](const std::string& whose, const SloLimits& limits) {
    if (!limits.any()) return;
    text += joint + whose + ' ' + work_within(limits);
    joint = "; of ";
  };
  add("the", slo.limits);
  for (const Slo::OfAgent& agent : slo.agents) add(agent.name + "'s", agent.limits);
  return text;
}

std::string banded_text(const std::optional<Banded>& value, Unit unit) {
  const auto text = [&](double v) {
    return !std::isfinite(v) ? "never" : unit == Unit::kCount ? counted_number(v) : human_number(v, unit);
  };
  if (!value) return "–";
  if (value->low == value->high) return text(value->value);
  return fmt::format("{} ({}–{})", text(value->value), text(value->low), text(value->high));
}

std::string ends_text(const ChipBand& band) {
  return fmt::format("{}–{}", counted_number(band.low), band.high ? counted_number(*band.high) : "?");
}

std::string chips_text(const DemandEntry& entry) {
  std::string text = (entry.deployment.cell.proven ? "" : "≤ ") + counted_number(entry.deployment.chips());
  if (entry.band) text += fmt::format(" ({})", ends_text(*entry.band));
  return text;
}

std::string attainment_text(const Sizing& sizing) {
  return share_text(sizing.figures["attainment"].get<double>(), number_at(sizing.figures, {"attainment_half_width"}));
}

std::string power_text(const std::optional<double>& megawatts) {
  return human_number(megawatts ? std::optional(*megawatts * 1e6) : std::nullopt, Unit::kWatts);
}

std::vector<std::pair<const char*, std::int64_t>> degrees_of(const platforms::Parallelism& parallelism) {
  std::vector<std::pair<const char*, std::int64_t>> degrees = {{"tp", parallelism.tp}};
  for (const auto& [name, degree] : {std::pair{"pp", parallelism.pp}, {"dp", parallelism.dp}, {"ep", parallelism.ep}}) {
    if (degree > 1) degrees.emplace_back(name, degree);
  }
  return degrees;
}

std::string pools_text(const Sizing& sizing) {
  std::string text;
  for (const Sizing::Pool& pool : sizing.pools) {
    text += fmt::format("{}{}×", text.empty() ? "" : " ", pool.replicas);
    for (const auto& [name, degree] : degrees_of(pool.parallelism)) text += fmt::format("{}{}", name, degree);
  }
  return text;
}

const DemandEntry* least_of(const Demand& demand, FigureOf figure) {
  const DemandEntry* best = nullptr;
  for (const DemandEntry& entry : demand.entries) {
    if (entry.deployment.cell.met && figure(entry) && (best == nullptr || *figure(entry) < *figure(*best)))
      best = &entry;
  }
  return best;
}

std::string answer_text(const Demand& demand) {
  const DemandEntry* fewest =
      least_of(demand, [](const DemandEntry& e) { return std::optional(e.deployment.chips()); });
  if (fewest == nullptr)
    return fmt::format("No number of these chips serves {} with {}: {}.", work_text(demand), demand.level,
                       why_none(demand));
  const DemandEntry* cheapest = least_of(demand, [](const DemandEntry& e) { return e.economics.usd_per_hour; });
  const DemandEntry* thriftiest = least_of(demand, [](const DemandEntry& e) { return e.economics.megawatts; });
  std::string kinds;
  for (const DemandEntry& entry : demand.entries) {
    if (entry.deployment.cell.met && entry.deployment.chips() == fewest->deployment.chips())
      kinds += (kinds.empty() ? "" : " or ") + entry.chip->name;
  }
  const auto does = [](const DemandEntry& e, const char* one, const char* many) {
    const bool single = e.deployment.chips() == 1;
    return fmt::format("{} {} {}", counted_number(e.deployment.chips()), e.chip->name, single ? one : many);
  };
  std::string text = fmt::format("Serving {} with {} takes {} {}", work_text(demand), demand.level,
                                 counted_number(fewest->deployment.chips()), kinds);
  if (fewest->band) text += fmt::format(" ({}, its step times being extrapolated)", ends_text(*fewest->band));
  const std::string cost =
      cheapest == nullptr ? "" : human_number(cheapest->economics.usd_per_hour, Unit::kUsd) + " an hour";
  const std::string power = thriftiest == nullptr ? "" : power_text(thriftiest->economics.megawatts);
  if (demand.entries.size() == 1) {
    if (!cost.empty()) text += " at " + cost;
    if (!power.empty()) text += " and " + power;
    return text + ".";
  }
  // What the first kind is also best in joins it; the rest follows.
  const bool several = kinds.find(' ') != std::string::npos;
  const bool cheap_too = cheapest == fewest && !several, thrifty_too = thriftiest == fewest && !several;
  if (cheap_too) text += fmt::format(", which also cost{} least, {}", fewest->deployment.chips() == 1 ? "s" : "", cost);
  if (thrifty_too)
    text += fmt::format("{} draw{} least power, {}", cheap_too ? ", and" : ", which also",
                        fewest->deployment.chips() == 1 ? "s" : "", power);
  if (cheapest != nullptr && !cheap_too) text += fmt::format("; {} least, {}", does(*cheapest, "costs", "cost"), cost);
  if (thriftiest != nullptr && !thrifty_too)
    text += fmt::format("; {} least power, {}", does(*thriftiest, "draws", "draw"), power);
  return text + ".";
}

}  // namespace tokenyard::analysis
