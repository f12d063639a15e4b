#include "analysis/calibrate/entry_writer.hpp"

#include <cmath>
#include <fmt/format.h>

#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {

using sim::Json;

Json expert_entry(const platforms::ExpertKernels& kernels, const std::string& source) {
  Json entry = kernels.to_json();
  for (Json& value : entry["value"]) value = in_digits(value, 3);
  if (entry.contains("residual")) {
    for (Json& value : entry["residual"]["value"]) value = in_digits(value, 3);
  }
  entry["source"] = source;
  return entry;
}

Json renamed_entry(Json chip, const CalibrateOptions& options) {
  if (options.name.empty() || options.name == options.base) return chip;
  chip["name"] = options.name;
  if (!chip.contains("base")) chip["base"] = options.base;
  return chip;
}

void EntryWriter::describe(const char* what, const FitError& fitted, const FitError& held_out) {
  refuse_bad_fit(options_, what, fitted, "the chip, the number format, the units of the table's times");
  if (held_out.rows() == 0) {
    report(fmt::format("{}: {} on what was fitted; too few rows to hold some out", what, fitted.summary()));
    source_ = fmt::format("tokenyard calibrate: {}, {}; {} on what was fitted, nothing held out", what,
                          options_.stack_name(), fitted.summary());
    return;
  }
  report(fmt::format("{}: {} on what was fitted, {} on what was held out", what, fitted.summary(), held_out.summary()));
  source_ = fmt::format("tokenyard calibrate: {}, {}; {} on held-out shapes", what, options_.stack_name(),
                        held_out.summary());
}

void refuse_bad_fit(const CalibrateOptions& options, const std::string& what, const FitError& fitted,
                    const std::string& look_at) {
  constexpr double kNoFit = 0.5;
  if (!(fitted.median() > kNoFit)) return;
  throw sim::InputError(
      {options.table.string(), "",
       fmt::format("{} that the fit misses by {:.0f} % (median)", what, 100 * fitted.median()),
       fmt::format("a table that it misses by no more than {:.0f} %; look at {}", 100 * kNoFit, look_at)});
}

void EntryWriter::put(Json& at, const char* key, double value) {
  at[key] = {{"value", in_digits(value, 3)}, {"source", source_}};  // without a date: the table does not tell it
}

void EntryWriter::put_whole(Json& at, const char* key, double value) {
  at[key] = {{"value", std::llround(value)}, {"source", source_}};
}

void EntryWriter::put_residual(const char* key, const platforms::ResidualAxes& axes,
                               const platforms::KernelResidual& residual) {
  Json& at = efficiency()[key][options_.precision];
  at = {{"source", source_}};
  residual.write(at, axes);
  for (Json& factor : at["value"]) factor = in_digits(factor, 3);
}

}  // namespace tokenyard::analysis
