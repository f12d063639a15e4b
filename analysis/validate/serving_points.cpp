/// Some thousand serving points of many engines and models: simulated TTFT and TPOT against what was measured, apart
/// for the half of each engine's points that its host times were fitted to and the half they were not.

#include <fmt/format.h>
#include <fstream>
#include <map>

#include "analysis/calibrate/host_fit.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/validate/measured_systems.hpp"

namespace tokenyard::analysis {

std::vector<ValidationTable> validate_serving_points(const std::filesystem::path& data,
                                                     const platforms::Catalog& catalog, bool fit,
                                                     const std::filesystem::path& rows) {
  const std::filesystem::path path = data / "aiconfigurator" / "silicon_sample_h100_h200.csv.xz";
  if (!std::filesystem::exists(path)) return {};
  const ServingTable measured = read_serving_table(path, catalog);
  std::map<std::string, platforms::EngineDefaults::Host> hosts;
  std::map<std::string, std::vector<ServingPoint>> halves;
  for (const ServingPoint& point : measured.points) {
    hosts[point.defaults->name] = point.defaults->host;
    if (!point.second_half) halves[point.defaults->name].push_back(point);
  }
  ValidationTable table{
      "Serving points on H100 and H200",
      "A closed loop of as many users as the row's concurrency, served and loaded as the row's source describes.",
      {}};
  for (const auto& [reason, count] : measured.left_out)
    table.note += fmt::format(" Left out: {} rows, {}.", count, reason);
  if (fit) {
    for (const auto& [engine, points] : halves) {
      hosts[engine] = fit_host(points);
      const auto& h = hosts[engine];
      table.note += fmt::format(
          " Fitted {}: {:.3g} s a step, {:.3g} s a sequence, {:.3g} s with prompts, {:.3g} s a layer, {:.3g} s one "
          "with experts.",
          engine, h.step_s, h.sequence_s, h.prefill_step_s, h.layer_s, h.expert_layer_s);
    }
  }
  struct Errors {
    FitError tpot, ttft;
  };
  std::map<std::string, Errors> groups, halves_of;
  std::ofstream list;
  if (!rows.empty()) {
    list.open(rows);
    list << "system,engine,version,model,precision,tp,dp,ep,users,prompt_tokens,output_tokens,half,ttft_s,simulated_"
            "ttft_s,tpot_s,simulated_tpot_s\n";
  }
  for (const ServingPoint& point : measured.points) {
    const ServedMeans means = simulate(point, hosts[point.defaults->name]);
    if (list.is_open()) {
      const platforms::Parallelism& p = point.spec.parallelism;
      list << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", point.system,
                          point.engine, point.version, point.model, point.precision, p.tp, p.dp, p.ep, point.load.users,
                          point.load.prompt_tokens, point.load.output_tokens, point.second_half ? 2 : 1, point.ttft_s,
                          means.ttft_s, point.tpot_s, means.tpot_s);
    }
    table.served.emplace_back(point.spec, point.defaults->name);
    table.served.back().tpot.add(means.tpot_s, point.tpot_s);
    table.served.back().ttft.add(means.ttft_s, point.ttft_s);
    const std::string half = point.second_half ? "second half" : "first half";
    const std::string kind = point.spec.model->moe ? "experts" : "dense";
    for (Errors* errors :
         {&groups[fmt::format("{} ({})", point.group(), point.second_half ? "second half" : "first half")],
          &halves_of["all, " + half], &halves_of[kind + ", " + half]}) {
      errors->tpot.add(means.tpot_s, point.tpot_s);
      errors->ttft.add(means.ttft_s, point.ttft_s);
    }
  }
  const auto add = [&](const std::map<std::string, Errors>& of, const auto& glance) {
    for (const auto& [metric, member] : {std::pair{"TPOT", &Errors::tpot}, {"TTFT", &Errors::ttft}}) {
      for (const auto& [name, errors] : of) {
        const FitError& error = errors.*member;
        table.rows.push_back({fmt::format("{} {}", metric, name), fmt::format("{} rows", error.rows()),
                              fmt::format("x {:.3f}", error.bias()), error.summary(),
                              "kernels: tables; host times, 5 an engine, and the client's 3 ms: the first half",
                              glance(name, error)});
      }
    }
  };
  constexpr std::size_t kEnoughRows = 5;
  using Glance = ValidationRow::Glance;
  add(halves_of, [](const std::string& name, const FitError&) {
    return name.ends_with("second half") ? Glance::kFigure : Glance::kNothing;
  });
  add(groups, [](const std::string&, const FitError& error) {
    return error.rows() >= kEnoughRows && error.median() > kFarOffMedian ? Glance::kFarOff : Glance::kNothing;
  });
  return {table};
}

}  // namespace tokenyard::analysis
