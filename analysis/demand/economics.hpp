#pragma once
/// What a number of chips draws and costs, and what it costs per unit of work.
///
/// Rates are those of the sizing: work that ended per second, chips' mean power. What the catalogue does not know and
/// the user does not assume is absent, with everything that follows from it.
///   megawatts          = mean watts of the chips · PUE / 1e6; hosts are not in it
///   usd_per_hour       = chips · price per chip and hour (rental: power is in it)
///   usd_per_task       = usd_per_hour / (3600 · tasks per second), and so for output tokens
///   tokens per s and MW = output tokens per second / megawatts
/// Chips that are rented with their node but not used draw idle_w.
///
/// Bought, for `years` at a capital rate r, the chips cost
///   usd_per_hour       = chips · price · (1 + server_share) · annuity / 8766 + megawatts · 1000 · USD per kWh
///   annuity            = r / (1 - (1 + r)^-years), a year
/// and a chip of one's own is worth its design beyond
///   break-even chips   = design · annuity / 8766 / ((usd_per_hour of the other kind - own) / chips)

#include <optional>
#include <string>

#include "analysis/demand/sizing.hpp"
#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// A number and whose it is.
struct Sourced {
  std::optional<double> value;
  std::string source;    ///< "catalogue", "the scenario", "assumed by the user"; empty: unknown
  bool assumed = false;  ///< by the user, or marked so in the catalogue
};

/// A value with the ends of its band.
struct Banded {
  explicit Banded(double v) : value(v), low(v), high(v) {}
  Banded(double v, double l, double h) : value(v), low(l), high(h) {}
  double value, low, high;
};

struct Prices {
  Sourced usd_per_chip_hour;
  std::optional<Banded> usd_per_chip;  ///< to buy: the user's, or the middle of the catalogue's range
  Sourced watts_per_chip;              ///< what the user says; without a value, power is what the simulation measured
  bool power_assumed = false;          ///< the catalogue marks a power coefficient as assumed
};

/// The user's assumptions win over the scenario's own price, that over the catalogue.
Prices prices_of(const platforms::Chip& chip, const Scenario& scenario);

struct Economics {
  std::optional<double> megawatts, megawatts_peak;  ///< mean; and at TDP
  std::optional<double> usd_per_hour, usd_per_task, usd_per_million_output_tokens, output_tokens_per_s_per_mw,
      joules_per_output_token;
};

/// Of `cells` times the sizing; `rented` chips are paid for.
Economics economics_of(const Sizing& sizing, double cells, double rented, const platforms::Chip& chip,
                       const Prices& prices, double pue);

/// What the chips cost if they are bought. Bands: the price's, and the number of chips' where step times are uncertain.
struct Ownership {
  double chips = 0;
  std::optional<Banded> usd;           ///< up front, with servers
  std::optional<Banded> usd_per_hour;  ///< with energy, and without design
  std::optional<double> usd_per_million_output_tokens;
  // Of a chip of one's own:
  std::string against;  ///< the kind that is cheapest besides
  std::optional<double> design_usd;
  std::optional<double> design_usd_per_hour;  ///< of the design, if these are all the chips that are made
  /// Chips that must be made until the design is absorbed; `value` and `high` are infinite where that is never.
  std::optional<Banded> break_even_chips;
};

Ownership ownership_of(const DemandPlan::Own& own, const Prices& prices, const Banded& chips,
                       const Economics& economics, double usd_per_kwh);
void find_break_even(Ownership& ownership, const DemandPlan::Own& own, double design_usd,
                     const Banded& other_usd_per_hour);

/// How many chips there are to be had.
struct Supply {
  Banded chips;
  bool assumed = false;  ///< by the user; else those made so far, of all owners
};
std::optional<Supply> supply_of(const platforms::Chip& chip, const DemandPlan& plan, const platforms::Catalog& catalog);

}  // namespace tokenyard::analysis
