#include <fmt/format.h>

#include "analysis/demand/demand.hpp"
#include "sim/input/json.hpp"
#include "traces/writers/row_text.hpp"

namespace tokenyard::analysis {
namespace {

std::string cell(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }
/// Of a kind that meets the level.
std::string cell_if_met(const DemandEntry& entry, double value) {
  return entry.deployment.cell.met ? fmt::format("{}", value) : "";
}
/// `text` of each pool.
template <typename Text>
std::string pools(const DemandEntry& entry, const Text& text) {
  std::string all;
  for (const Sizing::Pool& pool : entry.deployment.cell.pools) all += (all.empty() ? "" : " ") + text(pool);
  return all;
}
std::string replicas(const Sizing::Pool& pool) { return fmt::format("{}", pool.replicas); }
std::string parallelism(const Sizing::Pool& pool) {
  const platforms::Parallelism& p = pool.parallelism;
  return fmt::format("tp{}pp{}dp{}ep{}", p.tp, p.pp, p.dp, p.ep);
}

using Entry = const DemandEntry&;
struct Column {
  std::string_view name;
  std::string (*text)(Entry);
};
constexpr Column kColumns[] = {
    {"chip", [](Entry e) { return traces::csv_field(e.chip->name); }},
    {"met", [](Entry e) { return fmt::format("{}", e.deployment.cell.met); }},
    {"chips", [](Entry e) { return cell_if_met(e, e.deployment.chips()); }},
    {"extrapolated", [](Entry e) { return fmt::format("{}", e.band.has_value()); }},
    {"chips_low", [](Entry e) { return e.band ? cell_if_met(e, e.band->low) : ""; }},
    {"chips_high", [](Entry e) { return e.band ? cell(e.band->high) : ""; }},
    {"nodes", [](Entry e) { return cell_if_met(e, e.deployment.nodes()); }},
    {"cells", [](Entry e) { return fmt::format("{}", e.deployment.cells); }},
    {"replicas", [](Entry e) { return pools(e, replicas); }},
    {"parallelism", [](Entry e) { return pools(e, parallelism); }},
    {"megawatts", [](Entry e) { return cell(e.economics.megawatts); }},
    {"megawatts_peak", [](Entry e) { return cell(e.economics.megawatts_peak); }},
    {"usd_per_hour", [](Entry e) { return cell(e.economics.usd_per_hour); }},
    {"usd_per_task", [](Entry e) { return cell(e.economics.usd_per_task); }},
    {"usd_per_million_output_tokens", [](Entry e) { return cell(e.economics.usd_per_million_output_tokens); }},
    {"output_tokens_per_s_per_mw", [](Entry e) { return cell(e.economics.output_tokens_per_s_per_mw); }},
    {"seeds", [](Entry e) { return fmt::format("{}", e.deployment.cell.seeds); }},
    {"seeds_met", [](Entry e) { return fmt::format("{}", e.deployment.cell.seeds_met); }},
    {"attainment",
     [](Entry e) {
       const Sizing& sizing = e.deployment.cell;
       return sizing.met ? sim::to_text(sizing.figures["attainment"]) : "";
     }},
    {"limit", [](Entry e) { return e.deployment.cell.limit; }},
    {"on_front", [](Entry e) { return fmt::format("{}", e.on_front); }},
    {"why_not", [](Entry e) { return traces::csv_field(e.deployment.cell.why_not); }}};

/// `text` of each column.
template <typename Text>
std::string line(const Text& text) {
  std::string all;
  for (const Column& column : kColumns) all.append(all.empty() ? "" : ",").append(text(column));
  return all + '\n';
}

}  // namespace

std::string to_csv(const Demand& demand) {
  std::string text = line([](const Column& column) { return column.name; });
  for (const DemandEntry& entry : demand.entries)
    text += line([&](const Column& column) { return column.text(entry); });
  return text;
}

}  // namespace tokenyard::analysis
