#pragma once
/// Writes fitted figures into a chip's entry: in three digits, each with the table and the error that it comes from.
///
///   EntryWriter writer(options, entry);
///   writer.describe("dense products", fit.fitted, fit.held_out);  // first: the source of what is put
///   writer.put(writer.efficiency(), "gemm_memory", fit.figures.memory);
///   CalibratedEntry result = std::move(writer).result();

#include <string>

#include "analysis/calibrate/calibrate.hpp"
#include "analysis/measured/fit_error.hpp"
#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::analysis {

/// As a chip's entry has it, in three digits.
sim::Json expert_entry(const platforms::ExpertKernels& kernels, const std::string& source);

/// The chip's entry under the name asked for; one of another name remembers whose it began as.
sim::Json renamed_entry(sim::Json chip, const CalibrateOptions& options);

/// Throws InputError where the fit misses what it was fitted to by more than half: then the table is of something else.
void refuse_bad_fit(const CalibrateOptions& options, const std::string& what, const FitError& fitted,
                    const std::string& look_at);

class EntryWriter {
 public:
  EntryWriter(const CalibrateOptions& options, sim::Json entry) : options_(options), result_{std::move(entry), ""} {}

  void describe(const char* what, const FitError& fitted, const FitError& held_out);
  /// For what is taken as measured, not fitted: the summary alone.
  void report(std::string what) { result_.what = std::move(what); }

  sim::Json& entry() { return result_.entry; }
  sim::Json& efficiency() { return result_.entry["efficiency"]; }
  const std::string& source() const { return source_; }

  void put(sim::Json& at, const char* key, double value);
  void put_whole(sim::Json& at, const char* key, double value);
  /// The figure of the precision asked for.
  void put_own(const char* key, double value) { put(efficiency()[key], options_.precision.c_str(), value); }
  /// The table of measured over modelled time, of the precision asked for.
  void put_residual(const char* key, const platforms::ResidualAxes& axes, const platforms::KernelResidual& residual);

  CalibratedEntry result() && { return std::move(result_); }

 private:
  const CalibrateOptions& options_;
  CalibratedEntry result_;
  std::string source_;
};

}  // namespace tokenyard::analysis
