/// Some thousand serving points of many engines and models: simulated TTFT and TPOT against what was measured, apart
/// for the half of each engine's points that its host times were fitted to and the half they were not.

#include <fmt/format.h>
#include <fstream>
#include <map>

#include "analysis/calibrate/host_fit.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/validate/measured_systems.hpp"

namespace tokenyard::analysis {

namespace {

using Hosts = std::map<std::string, platforms::EngineDefaults::Host>;  // by engine

/// Host times fitted to the first half of each engine's points.
Hosts fitted_hosts(const ServingTable& measured, std::string& note) {
  std::map<std::string, std::vector<ServingPoint>> halves;
  for (const ServingPoint& point : measured.points) {
    if (!point.second_half) halves[point.defaults->name].push_back(point);
  }
  Hosts hosts;
  for (const auto& [engine, points] : halves) {
    const platforms::EngineDefaults::Host h = hosts[engine] = fit_host(points);
    note += fmt::format(
        " Fitted {}: {:.3g} s a step, {:.3g} s a sequence, {:.3g} s with prompts, {:.3g} s a layer, {:.3g} s one "
        "with experts.",
        engine, h.step_s, h.sequence_s, h.prefill_step_s, h.layer_s, h.expert_layer_s);
  }
  return hosts;
}

/// Each point and its simulation, as a file of their own.
class PointList {
 public:
  explicit PointList(const std::filesystem::path& path) {
    if (path.empty()) return;
    file_.open(path);
    file_ << "system,engine,version,model,precision,tp,dp,ep,users,prompt_tokens,output_tokens,half,ttft_s,simulated_"
             "ttft_s,tpot_s,simulated_tpot_s\n";
  }
  void add(const ServingPoint& point, const ServedMeans& means) {
    if (!file_.is_open()) return;
    const platforms::Parallelism& p = point.spec.parallelism;
    file_ << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", point.system,
                         point.engine, point.version, point.model, point.precision, p.tp, p.dp, p.ep, point.load.users,
                         point.load.prompt_tokens, point.load.output_tokens, point.second_half ? 2 : 1, point.ttft_s,
                         means.ttft_s, point.tpot_s, means.tpot_s);
  }

 private:
  std::ofstream file_;
};

struct Errors {
  FitError tpot, ttft;
  void add(const ServedMeans& means, const ServingPoint& point) {
    tpot.add(means.tpot_s, point.tpot_s);
    ttft.add(means.ttft_s, point.ttft_s);
  }
};
using ErrorsByName = std::map<std::string, Errors>;

using Glance = ValidationRow::Glance;
void add_rows(const ErrorsByName& of, Glance (*glance)(const std::string& name, const FitError& error),
              ValidationTable& table) {
  for (const auto& [metric, member] : {std::pair{"TPOT", &Errors::tpot}, {"TTFT", &Errors::ttft}}) {
    for (const auto& [name, errors] : of) {
      const FitError& error = errors.*member;
      table.rows.push_back({fmt::format("{} {}", metric, name), fmt::format("{} rows", error.rows()),
                            fmt::format("x {:.3f}", error.bias()), error.summary(),
                            "kernels: tables; host times, 5 an engine, and the client's 3 ms: the first half",
                            glance(name, error)});
    }
  }
}

Glance glance_at_half(const std::string& name, const FitError&) {
  return name.ends_with("second half") ? Glance::kFigure : Glance::kNothing;
}
Glance glance_at_group(const std::string&, const FitError& error) {
  constexpr std::size_t kEnoughRows = 5;
  return error.rows() >= kEnoughRows && error.median() > kFarOffMedian ? Glance::kFarOff : Glance::kNothing;
}

}  // namespace

std::vector<ValidationTable> validate_serving_points(const std::filesystem::path& data,
                                                     const platforms::Catalog& catalog, bool fit,
                                                     const std::filesystem::path& rows) {
  const std::filesystem::path path = data / "aiconfigurator" / "silicon_sample_h100_h200.csv.xz";
  if (!std::filesystem::exists(path)) return {};
  const ServingTable measured = read_serving_table(path, catalog);
  ValidationTable table{
      "Serving points on H100 and H200",
      "A closed loop of as many users as the row's concurrency, served and loaded as the row's source describes.",
      {}};
  for (const auto& [reason, count] : measured.left_out)
    table.note += fmt::format(" Left out: {} rows, {}.", count, reason);
  Hosts hosts;
  if (fit) hosts = fitted_hosts(measured, table.note);
  PointList list(rows);
  ErrorsByName halves, groups;
  for (const ServingPoint& point : measured.points) {
    const auto fitted = hosts.find(point.defaults->name);
    const ServedMeans means = simulate_point(point, fitted == hosts.end() ? point.defaults->host : fitted->second);
    list.add(point, means);
    table.served.emplace_back(point.spec, point.defaults->name);
    table.served.back().tpot.add(means.tpot_s, point.tpot_s);
    table.served.back().ttft.add(means.ttft_s, point.ttft_s);
    const std::string half = point.second_half ? "second half" : "first half";
    const std::string kind = point.spec.model->moe ? "experts" : "dense";
    for (Errors* errors :
         {&groups[fmt::format("{} ({})", point.group(), half)], &halves["all, " + half], &halves[kind + ", " + half]})
      errors->add(means, point);
  }
  add_rows(halves, glance_at_half, table);
  add_rows(groups, glance_at_group, table);
  return {table};
}

}  // namespace tokenyard::analysis
