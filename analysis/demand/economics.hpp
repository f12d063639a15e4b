#pragma once
/// What a number of chips draws and costs, and what it costs per unit of work.
///
/// Rates are those of the sizing: work that ended per second, chips' mean power. What the catalogue does not know and
/// the user does not assume is absent, with everything that follows from it.
///   megawatts          = mean watts of the chips · PUE / 1e6; hosts are not in it
///   usd_per_hour       = chips · price per chip and hour (rental: power is in it)
///   usd_per_task       = usd_per_hour / (3600 · tasks per second), and so for output tokens
///   tokens per s and MW = output tokens per second / megawatts

#include <optional>
#include <string>

#include "analysis/demand/sizing.hpp"

namespace tokenyard::analysis {

/// A number and whose it is.
struct Sourced {
  std::optional<double> value;
  std::string source;    ///< "catalogue", "the scenario", "assumed by the user"; empty: unknown
  bool assumed = false;  ///< by the user, or marked so in the catalogue
};

struct Prices {
  Sourced usd_per_chip_hour;
  Sourced watts_per_chip;      ///< what the user says; without a value, power is what the simulation measured
  bool power_assumed = false;  ///< the catalogue marks a power coefficient as assumed
};

/// The user's assumptions win over the scenario's own price, that over the catalogue.
Prices prices_of(const platforms::Chip& chip, const Scenario& scenario, const platforms::Catalog& catalog);

struct Economics {
  std::optional<double> megawatts, megawatts_peak;  ///< mean; and at TDP
  std::optional<double> usd_per_hour, usd_per_task, usd_per_million_output_tokens, output_tokens_per_s_per_mw,
      joules_per_output_token;
};

/// Of `cells` times the sizing.
Economics economics_of(const Sizing& sizing, double cells, const platforms::Chip& chip, const Prices& prices,
                       double pue);

}  // namespace tokenyard::analysis
