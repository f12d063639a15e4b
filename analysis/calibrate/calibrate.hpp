#pragma once
/// Brings measurements of a chip into its catalogue entry: `tokenyard calibrate`.
///
/// A profile in the format of LLMServingSim has every kernel of one model: it is taken as it is, and replaces the
/// kernel models for that model and tensor parallelism.
///
/// A table in the format of aiconfigurator says by its columns what it holds: dense products (gemm_dtype, m, n, k),
/// layers of experts (moe_dtype), decode attention (step), prefill attention (isl), layers of MLA (gemm_type, step),
/// all-reduces (message_size) or copies to and from the host (segment_bytes). The entry that comes out is the base
/// chip's with the fitted figures in it, each with its source, the software stack and the error on what was held out.
///
///   CalibratedEntry result = calibrate({.table = "my_gemm.csv", .base = "h100-sxm"}, catalog);
///   // result.entry goes into DIR/chips/NAME.json, and DIR to --catalog

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct CalibrateOptions {
  std::filesystem::path table;
  std::string base;   ///< chip of the catalogue: peaks, bandwidth, and every figure that the table does not give
  std::string name;   ///< of the new entry; empty: the base's
  std::string stack;  ///< software the table was measured with; empty: the file's name
  std::string precision = "bf16";
  std::string model;            ///< of a profile or a serving benchmark
  std::int64_t tp = 1;          ///< of the same
  std::string engine = "vllm";  ///< of a serving benchmark
  bool lower = false;           ///< of all-reduces: keep the entry's times where they are lower

  /// What sources call it.
  std::string stack_name() const { return stack.empty() ? table.filename().string() : stack; }
};

struct CalibratedEntry {
  sim::Json entry;
  std::string what;  ///< "dense products: 5.1 / 3.2 / 14.0 % … on held-out shapes"
  platforms::CatalogKind kind = platforms::CatalogKind::kChip;
};

/// Throws sim::InputError for an unknown chip, a table of another kind and one without rows of the precision.
/// `options.table` may be a folder of such tables, as measure_gpu.py writes it: then all of them, in every precision
/// that they have; 16 bits first, since other formats keep what those say of all.
CalibratedEntry calibrate(const CalibrateOptions& options, const platforms::Catalog& catalog);
/// Watts of serving (energy_table.hpp): what a chip draws while kernels run, per operation and per byte.
CalibratedEntry calibrate_power(const CalibrateOptions& options, const platforms::Catalog& catalog);
/// `options.table`: folder and prefix of the profile's files (profile_reader.hpp).
CalibratedEntry take_profile(const CalibrateOptions& options, const platforms::Catalog& catalog);

}  // namespace tokenyard::analysis
