#include "analysis/campaign/run_once.hpp"

#include <chrono>
#include <fmt/format.h>
#include <new>

#include "analysis/result/value_at.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

using Outputs = std::vector<std::pair<std::string, std::optional<double>>>;

void collect(const std::string& key, const Json& value, Outputs& outputs) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) collect(key + '.' + name, member, outputs);
  } else if (value.is_number()) {
    outputs.emplace_back(key, value.get<double>());
  } else if (value.is_boolean()) {
    outputs.emplace_back(key, value.get<bool>() ? 1 : 0);
  } else if (value.is_null()) {
    outputs.emplace_back(key, std::nullopt);
  }
}

}  // namespace

Outputs select_outputs(const Json& summary, const std::vector<std::string>& keys) {
  Outputs outputs;
  for (const std::string& key : keys) {
    if (const Json* value = find_key(summary, key)) {
      collect(key, *value, outputs);
    } else {
      outputs.emplace_back(key, std::nullopt);
    }
  }
  return outputs;
}

std::string RunOutcome::to_text() const {
  Json values = Json::array();
  for (const auto& [key, value] : outputs) values.push_back({key, sim::or_null(value)});
  Json of_input = Json::array();
  for (const sim::Fault& fault : faults) of_input.push_back({fault.file, fault.place, fault.found, fault.allowed});
  return sim::to_text({{"failure", static_cast<int>(failure)},
                       {"message", message},
                       {"faults", of_input},
                       {"outputs", values},
                       {"wall_s", wall_s},
                       {"memory_mb", memory_mb}});
}

RunOutcome RunOutcome::from_text(const std::string& text) {
  const Json json = sim::parse_json(text).value();
  RunOutcome result;
  result.failure = static_cast<RunFailure>(json.at("failure").get<int>());
  result.message = json.at("message").get<std::string>();
  for (const Json& fault : json.at("faults")) {
    const auto part = [&](std::size_t i) { return fault.at(i).get<std::string>(); };
    result.faults.push_back({part(0), part(1), part(2), part(3)});
  }
  for (const Json& pair : json.at("outputs")) {
    result.outputs.emplace_back(pair.at(0).get<std::string>(),
                                pair.at(1).is_null() ? std::nullopt : std::optional(pair.at(1).get<double>()));
  }
  result.wall_s = json.at("wall_s").get<double>();
  result.memory_mb = json.at("memory_mb").get<double>();
  return result;
}

std::string run_name(const Campaign& campaign, RunId run) {
  std::string name = campaign.file().string();
  const Setting factors = campaign.factors(run.cell);
  name += factors.empty() ? ", its scenario" : ", cell";
  for (const auto& [pointer, value] : factors)
    name += fmt::format(" {}={}", campaign.column(pointer), sim::shown(value));
  return name;
}

Scenario read_run(const Campaign& campaign, const Catalogs& catalogs, RunId run, sim::Faults& faults) {
  Scenario scenario =
      Scenario::read(sim::JsonFile::from(campaign.scenario(run), run_name(campaign, run)), catalogs, true, faults);
  if (auto& trace = scenario.workload.trace) trace->path = (campaign.folder() / trace->path).string();
  return scenario;
}

RunOutcome run_once(const Campaign& campaign, const Catalogs& catalogs, RunId run, const MakeNetwork& make_network) {
  const auto begin = std::chrono::steady_clock::now();
  RunOutcome result;
  const auto fail = [&](RunFailure failure, const char* message) {
    result.failure = failure;
    result.message = message;
  };
  try {
    sim::Faults faults;
    const Scenario scenario = read_run(campaign, catalogs, run, faults);
    faults.throw_if_any();
    SimulateOptions options;
    if (!campaign.analytic_network()) options.make_network = make_network;
    result.outputs = select_outputs(simulate_workload(scenario, options), campaign.outputs());
  } catch (const sim::Infeasible& error) {
    fail(RunFailure::kInfeasible, error.what());
  } catch (const sim::InputError& error) {
    fail(RunFailure::kInput, error.what());
    result.faults = error.faults();
    for (sim::Fault& fault : result.faults) {
      if (fault.file.empty()) fault.file = campaign.file().string();
    }
  } catch (const std::bad_alloc&) {
    fail(RunFailure::kMemory, "out of memory");
  } catch (const std::exception& error) {
    fail(RunFailure::kCrash, error.what());
  }
  if (!result.done()) result.outputs.clear();
  result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace tokenyard::analysis
