#pragma once
/// Figures from nothing but a serving benchmark: mean TTFT and TPOT of one model at several concurrencies.
///
/// A CSV with the columns concurrency, prompt_tokens, output_tokens, ttft_s and tpot_s, and if need be requests (ten a
/// user): a closed loop of users that send requests of one length, the next when the last one ended, to a server with
/// the engine's defaults. Two kinds of figures can explain such points, and one benchmark cannot tell them apart:
/// - the engine's host times, where the chip's kernels are known (host_fit.hpp);
/// - how much of its peaks the chip reaches, where the engine is known: one factor for all that memory bounds and one
///   for all that arithmetic does.
/// Long contexts and large batches show the kernels, short ones the host; prompts of several lengths tell a step's time
/// from its layers'. What no point depends on stays as it was (layers of experts, for a dense model).
///
/// Cost: some hundred simulations of each point, seconds to minutes.

#include "analysis/calibrate/calibrate.hpp"

namespace tokenyard::analysis {

/// The entry of `options.engine` with the fitted host times: goes into DIR/engines/NAME.json.
CalibratedEntry calibrate_engine(const CalibrateOptions& options, const platforms::Catalog& catalog);
/// The entry of the chip with the fitted shares of its peaks: goes into DIR/chips/NAME.json.
CalibratedEntry calibrate_served_chip(const CalibrateOptions& options, const platforms::Catalog& catalog);

}  // namespace tokenyard::analysis
