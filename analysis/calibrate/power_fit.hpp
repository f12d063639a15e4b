#pragma once
/// A chip's power in steps, fitted to measured watts of serving.
///
/// What a chip draws while kernels run, and what operations, bytes and the unpacking of weights add, are fitted; what
/// it draws idle and waiting is taken from its entry, as is unpacking where no point unpacks. The work of a point and the share of waiting are the simulated ones, its time is the
/// measured one, so that errors of step times do not end up in the watts. Least mean |log(modelled / measured)|, the
/// model capped at TDP as the chip is. Cost: a simulation of each point and some thousand evaluations, seconds.
///
///   PowerFit fit = fit_power(read_energy_table(path, catalog).points, chip);
///   fit.held_out.median();              // each model's points by a fit to the others

#include "analysis/calibrate/energy_table.hpp"
#include "analysis/measured/fit_error.hpp"

namespace tokenyard::analysis {

struct PowerFit {
  platforms::Chip::Power power;
  FitError fitted;
  FitError held_out;                                      ///< leaving one model out
  std::map<std::string, platforms::Chip::Power> without;  ///< model → fitted to the others
};

/// `points` are not empty and are of `chip`, which has TDP, and peaks for what they use.
PowerFit fit_power(const std::vector<EnergyPoint>& points, const platforms::Chip& chip);

}  // namespace tokenyard::analysis
