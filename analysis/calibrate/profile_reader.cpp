#include "analysis/calibrate/profile_reader.hpp"

#include <fmt/format.h>

#include "analysis/measured/measured_table.hpp"

namespace tokenyard::analysis {
namespace {

std::filesystem::path table_path(const std::filesystem::path& folder, const std::string& prefix, const char* table) {
  const std::filesystem::path plain = folder / fmt::format("{}_{}.csv", prefix, table);
  return std::filesystem::exists(plain) ? plain : std::filesystem::path(plain.string() + ".xz");
}

}  // namespace

platforms::KernelProfile read_kernel_profile(const std::filesystem::path& folder, const std::string& prefix) {
  platforms::KernelProfile profile;
  const MeasuredTable dense(table_path(folder, prefix, "dense"));
  for (std::size_t row = 0; row < dense.rows(); ++row) {
    const std::string_view layer = dense.text(row, "layer");
    const double seconds = dense.number(row, "time_us") * 1e-6;
    const bool once = layer == "embedding" || layer == "final_layernorm";
    (once ? profile.token_once : profile.layer)
        .add(dense.number(row, "tokens"), layer == "layernorm" ? 2 * seconds : seconds);
  }
  const MeasuredTable sequences(table_path(folder, prefix, "per_sequence"));
  for (std::size_t row = 0; row < sequences.rows(); ++row) {
    profile.sequence_once.add(sequences.number(row, "sequences"), sequences.number(row, "time_us") * 1e-6);
  }
  const MeasuredTable attention(table_path(folder, prefix, "attention"));
  for (std::size_t row = 0; row < attention.rows(); ++row) {
    const double prompt = attention.number(row, "prefill_chunk"), calls = attention.number(row, "n_decode");
    const double context = attention.number(row, "kv_decode"), seconds = attention.number(row, "time_us") * 1e-6;
    if (prompt == 0) {
      profile.decode[calls].add(context, seconds);
    } else {
      profile.mixed[prompt][attention.number(row, "kv_prefill")][calls].add(context, seconds);
    }
  }
  const std::filesystem::path experts = table_path(folder, prefix, "moe");
  if (std::filesystem::exists(experts)) {
    const MeasuredTable table(experts);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      profile.experts[table.number(row, "tokens")].add(table.number(row, "activated_experts"),
                                                       table.number(row, "time_us") * 1e-6);
    }
  }
  return profile;
}

}  // namespace tokenyard::analysis
