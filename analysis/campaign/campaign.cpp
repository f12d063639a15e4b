#include "analysis/campaign/campaign.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "analysis/campaign/summary_key.hpp"
#include "analysis/run/digest.hpp"
#include "analysis/scenario/seed.hpp"
#include "sim/input/file_name.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Faults;
using sim::Json;
using sim::JsonFile;
using sim::ObjectReader;

namespace {

constexpr const char* kResultVersion = "tokenyard.summary/1";

const std::vector<std::string>& default_outputs() {
  static const std::vector<std::string> kOutputs = {"counts.tasks",
                                                    "counts.tasks_completed",
                                                    "counts.calls",
                                                    "counts.calls_completed",
                                                    "counts.calls_rejected",
                                                    "counts.output_tokens",
                                                    "latency.ttft_s",
                                                    "latency.tpot_s",
                                                    "latency.e2e_s",
                                                    "latency.task_s",
                                                    "throughput",
                                                    "slo",
                                                    "energy",
                                                    "cost"};
  return kOutputs;
}

/// The same text for equal values, whatever the order of keys.
std::string canonical(const Json& value) { return sim::to_text(Json(nlohmann::json(value))); }

/// The trace that a scenario plays, if it names one.
std::optional<std::string> trace_of(const Json& scenario) {
  static const Json::json_pointer kPath("/workload/trace/path");
  if (!scenario.contains(kPath) || !scenario.at(kPath).is_string()) return {};
  return scenario.at(kPath).get<std::string>();
}

/// The pointers that vary, in the order of the file.
std::vector<std::string> varied(const std::vector<FactorBlock>& blocks) {
  std::vector<std::string> pointers;
  std::set<std::string> known;
  for (const FactorBlock& block : blocks) {
    for (const Setting& setting : block.settings) {
      for (const auto& [pointer, value] : setting) {
        if (known.insert(pointer).second) pointers.push_back(pointer);
      }
    }
  }
  return pointers;
}

void report_unset(const UnsetFactor& unset, const std::vector<FactorBlock>& blocks, ObjectReader& reader) {
  for (const FactorBlock& block : blocks) {
    if (const auto place = block.place_of(unset.pointer))
      reader.faults().add(reader.file(), *place, unset.fault.found, unset.fault.allowed);
  }
}

/// Tells cells apart by all that their simulations follow from, the seed of a repetition aside.
class CellDigest {
 public:
  /// `catalogs`: digests of the user's own; `folder`: what the paths of traces start from.
  CellDigest(std::string catalogs, std::filesystem::path folder, bool analytic_network)
      : catalogs_(std::move(catalogs)), folder_(std::move(folder)), analytic_network_(analytic_network) {}

  std::string of(const Json& scenario) {
    Sha256 hash;
    hash.add(kResultVersion);
    hash.add(analytic_network_ ? "\nanalytic\n" : "\nsimgrid\n");
    hash.add(catalogs_);
    if (const auto trace = trace_of(scenario)) {
      const auto [known, fresh] = traces_.try_emplace(*trace);
      if (fresh) known->second = digest_of(folder_ / *trace);
      hash.add(known->second + '\n');
    }
    hash.add(canonical(scenario));
    return hash.hex();
  }
  /// The digest of each trace that was met, by its path.
  const std::map<std::string, std::string>& traces() const { return traces_; }

 private:
  const std::string catalogs_;
  const std::filesystem::path folder_;
  const bool analytic_network_;
  std::map<std::string, std::string> traces_;
};

}  // namespace

Campaign Campaign::read(const std::filesystem::path& path, const std::vector<std::filesystem::path>& catalogs,
                        Faults& faults) {
  Campaign campaign;
  Faults own;  // reading goes on only where this file has none, whatever else is wrong
  campaign.read_file(path, catalogs, own);
  faults.add(own.list());
  return campaign;
}

void Campaign::read_file(const std::filesystem::path& path, const std::vector<std::filesystem::path>& catalogs,
                         Faults& faults) {
  const JsonFile file = JsonFile::load(path, faults);
  if (!faults.empty()) return;
  ObjectReader reader = file.root(faults);
  reader.choice("schema", {"tokenyard.campaign/1"}, "tokenyard.campaign/1");
  reader.raw("description");
  name_ = reader.string("name", path.stem().string());
  if (!sim::names_a_file(name_)) reader.fault("name", sim::shown(Json(name_)), "a name that may be a folder's");
  read_scenario(reader, path, faults);
  const auto seed = static_cast<std::uint64_t>(
      reader.integer("seed", {.fallback = 1, .minimum = 0, .maximum = static_cast<double>(kLargestSeed)}));
  blocks_ = read_factors(reader, "factors", seed);
  read_conditions(reader);
  read_controls(reader);
  reader.finish();
  if (!faults.empty()) return;
  std::string digests;
  for (const auto& folder : catalogs) digests += digest_of(folder) + '\n';
  const std::map<std::string, std::string> traces = expand(reader, digests);
  Json definition = file.value();
  definition["scenario"] = base_.value();
  if (!catalogs.empty()) definition["sha256"]["catalogs"] = digests;
  if (!traces.empty()) definition["sha256"]["traces"] = traces;
  definition_ = canonical(definition);
}

void Campaign::read_scenario(ObjectReader& reader, const std::filesystem::path& file, Faults& faults) {
  file_ = file;
  folder_ = file.parent_path();
  const Json* scenario = reader.raw("scenario");
  if (scenario == nullptr) {
    reader.fault("scenario", "nothing", "a scenario: the path of its file, or the scenario itself");
  } else if (scenario->is_string()) {
    const std::filesystem::path path = folder_ / scenario->get<std::string>();
    base_ = JsonFile::load(path, faults);
    folder_ = path.parent_path();
    if (!base_.value().is_object())
      reader.fault("scenario", path.string() + ", which is no object", "a scenario's file");
  } else if (scenario->is_object()) {
    base_ = JsonFile::from(*scenario, file.string() + "/scenario");
  } else {
    reader.fault("scenario", sim::shown(*scenario), "the path of a scenario, or the scenario itself");
  }
  reader.object("set", [&](ObjectReader& set) {
    for (const auto& [pointer, value] : set.value().items()) {
      set.raw(pointer);
      if (const auto fault = set_at(base_.value(), pointer, value)) report(*fault, pointer, set);
    }
  });
}

void Campaign::read_conditions(ObjectReader& reader) {
  reader.object("names", [&](ObjectReader& names) {
    for (const auto& [name, value] : names.value().items()) {
      const std::string pointer = names.string(name);
      const bool word = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                        std::all_of(name.begin(), name.end(), [](char c) {
                          return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
                        });
      static const std::set<std::string> kColumns = {"cell",   "repetition", "seed", "status",    "message", "key",
                                                     "output", "runs",       "mean", "deviation", "low_95",  "high_95"};
      if (!word) names.fault(name, "\"" + name + "\"", "a name of letters, digits and _");
      if (kColumns.contains(name))
        names.fault(name, "\"" + name + "\"", "a name that no other column of the tables has");
      if (const auto fault = fault_of_pointer(pointer)) {
        names.fault(name, fault->found, fault->allowed);
      } else {
        names_[name] = pointer;
      }
    }
  });
  for (const auto& [key, list] : {std::pair{"include", &include_}, {"exclude", &exclude_}}) {
    std::size_t i = 0;
    for (const std::string& text : reader.strings(key)) {
      list->push_back(Condition::parse(text, names_, reader.file(), fmt::format("{}/{}", reader.pointer_to(key), i++),
                                       reader.faults()));
    }
  }
}

void Campaign::read_controls(ObjectReader& reader) {
  repetitions_ = Repetitions::read(reader, "repetitions");
  common_random_numbers_ = reader.boolean("common_random_numbers", true);
  outputs_ = reader.strings("outputs");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    check_summary_key(outputs_[i], SummaryKey::kNumbers, reader.file(),
                      fmt::format("{}/{}", reader.pointer_to("outputs"), i), reader.faults());
  }
  if (outputs_.empty()) outputs_ = default_outputs();
  if (!repetitions_.fixed()) {
    const std::string& metric = repetitions_.metric;
    const bool kept = std::any_of(outputs_.begin(), outputs_.end(),
                                  [&](const std::string& o) { return metric == o || metric.starts_with(o + '.'); });
    if (!kept) outputs_.push_back(metric);
  }
  reader.object("limits", [&](ObjectReader& limits) {
    limits_.time_s =
        limits.number("time_s", {.fallback = limits_.time_s, .minimum = 0, .maximum = 1e7, .exclusive = true});
    limits_.memory_mb = limits.optional_number("memory_mb", {.minimum = 1, .maximum = 1e9});
  });
  analytic_network_ = reader.choice("network", {"simgrid", "analytic"}, "simgrid") == "analytic";
}

std::set<Campaign::Reference> Campaign::references(const ObjectReader& reader) const {
  std::set<Reference> all;
  for (const auto& [name, pointer] : names_) all.emplace(sim::pointer_to(reader.pointer_to("names"), name), pointer);
  for (const auto* list : {&include_, &exclude_}) {
    for (const Condition& condition : *list) {
      for (const std::string& pointer : condition.pointers()) all.emplace(condition.place(), pointer);
    }
  }
  return all;
}

std::map<std::string, std::string> Campaign::expand(ObjectReader& reader, const std::string& catalogs) {
  pointers_ = varied(blocks_);
  std::set<Reference> unseen = references(reader);
  std::unordered_set<std::string> known;
  CellDigest digest(catalogs, folder_, analytic_network_);
  const std::uint64_t all = combinations(blocks_);
  for (std::uint64_t i = 0; i < all; ++i) {
    Json scenario = base_.value();
    if (const auto unset = set_values(combination(blocks_, i), scenario)) {
      report_unset(*unset, blocks_, reader);
      return {};
    }
    std::erase_if(unseen, [&](const Reference& of) { return find_at(scenario, of.second) != nullptr; });
    const std::size_t before = reader.faults().size();
    const auto holds = [&](const Condition& condition) { return condition.holds(scenario, reader.faults()); };
    const bool passes =
        std::all_of(include_.begin(), include_.end(), holds) && std::none_of(exclude_.begin(), exclude_.end(), holds);
    if (reader.faults().size() > before) return {};  // of one cell: the others would say the same
    if (!passes) continue;
    Cell cell{.combination = i};
    if (const auto seed = scenario.find("seed"); seed != scenario.end()) {
      if (!is_seed(*seed)) {
        reader.faults().add(reader.file(), "", "a scenario with the seed " + sim::shown(*seed), kSeedAllowed);
        return {};
      }
      cell.seed = seed->get<std::uint64_t>();
    }
    cell.digest = digest.of(scenario);
    if (known.insert(cell.digest).second) {
      cells_.push_back(std::move(cell));
    } else {
      ++duplicates_;
    }
  }
  report_unseen(unseen, reader);
  if (unseen.empty() && cells_.empty()) {
    reader.fault("factors", fmt::format("none of {} combinations passes the conditions", all),
                 "at least one that passes");
  }
  return digest.traces();
}

void Campaign::report_unseen(const std::set<Reference>& unseen, ObjectReader& reader) const {
  if (unseen.empty()) return;
  std::vector<std::string> places = pointers_;
  const Json leaves = base_.value().flatten();
  for (const auto& [pointer, value] : leaves.items()) places.push_back(pointer);
  for (const auto& [place, pointer] : unseen) {
    reader.faults().add(
        reader.file(), place, sim::shown(Json(pointer)),
        "the JSON pointer of what the scenario has or a factor sets" + sim::did_you_mean(pointer, places));
  }
}

Json Campaign::document(std::uint64_t index) const {
  Json scenario = base_.value();
  set_values(combination(blocks_, index), scenario);  // as it did when the cells were made
  return scenario;
}

std::string Campaign::column(const std::string& pointer) const {
  for (const auto& [name, named] : names_) {
    if (named == pointer) return name;
  }
  return pointer;
}

std::uint64_t Campaign::seed(RunId run) const {
  const Cell& cell = cells_[run.cell];
  if (common_random_numbers_) return (cell.seed + run.repetition) % kLargestSeed;
  return std::stoull(sha256(fmt::format("{}/{}", cell.digest, run.repetition)).substr(0, 13), nullptr, 16);
}

std::string Campaign::key(RunId run) const {
  return sha256(fmt::format("{}\n{}", cells_[run.cell].digest, seed(run))).substr(0, 32);
}

Json Campaign::scenario(RunId run) const {
  Json scenario = document(cells_[run.cell].combination);
  scenario["seed"] = seed(run);
  return scenario;
}

}  // namespace tokenyard::analysis
