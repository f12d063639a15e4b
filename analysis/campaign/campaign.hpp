#pragma once
/// A campaign: one scenario, factors that vary it, repetitions. The file (schema tokenyard.campaign/1):
///
///   {
///     "name": "replicas-and-rate",
///     "scenario": "requests.json",                       // or the scenario itself: { … }
///     "set": {"/run/duration_s": 600},                   // changed in every run
///     "seed": 1,                                         // draws the random factors
///     "factors": [{"grid": {                             // factors.hpp
///       "/pools/0/replicas": [1, 2, 4],
///       "/workload/requests/rate_per_s": [1, 2]
///     }}],
///     "names": {"replicas": "/pools/0/replicas"},        // for conditions and the columns of tables
///     "include": ["replicas < 4"], "exclude": [],        // condition.hpp; every `include`, no `exclude`
///     "repetitions": 5,                                  // or until an interval is narrow: repetitions.hpp
///     "common_random_numbers": true,
///     "outputs": ["latency.ttft_s", "slo.attainment"],   // of the summary; an object means every number in it
///     "limits": {"time_s": 600, "memory_mb": 4096},      // for one run
///     "network": "simgrid"                               // or "analytic", as tokenyard-mpi needs where bytes move
///   }
///
/// All but `scenario` have defaults. A *cell* is one combination of factors that the conditions let pass; cells whose
/// scenarios are equal are one. Repetition r of a cell runs under its scenario's seed + r, in every cell the same
/// (common random numbers: the cells see the same work and are compared in pairs), or else under a seed of the cell's
/// own.
///
/// A run's *key* names it by content: the resolved scenario, its seed, the trace it plays, the user's own catalogues,
/// the network, and the version of the summary. What is done is found again by key, whatever else changed in the file.
///
///   Campaign campaign = Campaign::read("campaign.json", {}, faults);
///   for (std::size_t cell = 0; cell < campaign.cells(); ++cell) campaign.key({cell, 0});

#include <compare>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analysis/campaign/condition.hpp"
#include "analysis/campaign/factors.hpp"
#include "analysis/campaign/repetitions.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// One simulation of a campaign.
struct RunId {
  std::size_t cell = 0;
  std::size_t repetition = 0;
  auto operator<=>(const RunId&) const = default;
};

struct RunLimits {
  double time_s = 3600;             ///< wall-clock
  std::optional<double> memory_mb;  ///< of the simulation's own data
};

class Campaign {
 public:
  /// Faults are collected; the result is only of use if none were. `catalogs` are the user's own folders (--catalog).
  static Campaign read(const std::filesystem::path& file, const std::vector<std::filesystem::path>& catalogs,
                       sim::Faults& faults);

  const std::string& name() const { return name_; }
  std::size_t cells() const { return cells_.size(); }
  /// Cells left out because an earlier one has the same scenario.
  std::size_t duplicates() const { return duplicates_; }
  Setting factors(std::size_t cell) const { return combination(blocks_, cells_[cell].combination); }
  /// The pointers that vary, in the order of the file.
  const std::vector<std::string>& pointers() const { return pointers_; }
  /// A pointer's name, or itself.
  std::string column(const std::string& pointer) const;

  const Repetitions& repetitions() const { return repetitions_; }
  const std::vector<std::string>& outputs() const { return outputs_; }
  const RunLimits& limits() const { return limits_; }
  bool analytic_network() const { return analytic_network_; }

  std::uint64_t seed(RunId run) const;
  /// 32 hexadecimal digits.
  std::string key(RunId run) const;
  /// The resolved scenario, its seed included.
  sim::Json scenario(RunId run) const;
  /// As it was given.
  const std::filesystem::path& file() const { return file_; }
  /// What relative paths in the scenario start from.
  const std::filesystem::path& folder() const { return folder_; }
  /// Everything the file means, what it reads included, as one JSON text: campaigns with equal definitions are the
  /// same.
  const std::string& definition() const { return definition_; }

 private:
  struct Cell {
    std::uint64_t combination = 0;
    std::uint64_t seed = 1;  ///< the scenario's own
    std::string digest;
  };

  void read_file(const std::filesystem::path& file, const std::vector<std::filesystem::path>& catalogs,
                 sim::Faults& faults);
  void read_scenario(sim::ObjectReader& reader, const std::filesystem::path& file, sim::Faults& faults);
  void read_conditions(sim::ObjectReader& reader);
  void read_controls(sim::ObjectReader& reader);
  /// A place in the file, and the pointer that stands there, into the scenario.
  using Reference = std::pair<std::string, std::string>;
  std::set<Reference> references(const sim::ObjectReader& reader) const;
  /// Makes the cells; returns the sha256 of each trace that they play, by its path.
  std::map<std::string, std::string> expand(sim::ObjectReader& reader, const std::string& catalogs);
  /// Faults for references that lead nowhere in any cell.
  void report_unseen(const std::set<Reference>& unseen, sim::ObjectReader& reader) const;
  sim::Json document(std::uint64_t combination) const;

  std::string name_, definition_;
  std::filesystem::path file_, folder_;
  sim::JsonFile base_;
  std::vector<FactorBlock> blocks_;
  std::vector<std::string> pointers_;
  std::map<std::string, std::string> names_;  ///< name to pointer
  std::vector<Condition> include_, exclude_;
  Repetitions repetitions_;
  bool common_random_numbers_ = true;
  std::vector<std::string> outputs_;
  RunLimits limits_;
  bool analytic_network_ = false;
  std::vector<Cell> cells_;
  std::size_t duplicates_ = 0;
};

}  // namespace tokenyard::analysis
