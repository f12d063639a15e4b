#include "analysis/calibrate/profile_reader.hpp"

#include <fmt/format.h>

#include "analysis/measured/measured_table.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {
namespace {

std::filesystem::path table_path(const std::filesystem::path& folder, const std::string& prefix, const char* table) {
  const std::filesystem::path plain = folder / fmt::format("{}_{}.csv", prefix, table);
  return std::filesystem::exists(plain) ? plain : std::filesystem::path(plain.string() + ".xz");
}

double count(const MeasuredTable& table, std::size_t row, const char* column, std::int64_t least = 1) {
  return static_cast<double>(table.whole(row, column, least));
}

/// A run has steps of every kind.
void need(bool rows, const MeasuredTable& table, const char* allowed) {
  if (!rows) throw sim::InputError({table.path().string(), "", "no rows of them", allowed});
}

}  // namespace

platforms::KernelProfile read_kernel_profile(const std::filesystem::path& folder, const std::string& prefix) {
  platforms::KernelProfile profile;
  const MeasuredTable dense(table_path(folder, prefix, "dense"));
  for (std::size_t row = 0; row < dense.rows(); ++row) {
    const std::string_view layer = dense.text(row, "layer");
    const double seconds = dense.positive(row, "time_us") * 1e-6;
    const bool once = layer == "embedding" || layer == "final_layernorm";
    (once ? profile.token_once : profile.layer)
        .add(count(dense, row, "tokens"), layer == "layernorm" ? 2 * seconds : seconds);
  }
  need(!profile.layer.empty(), dense, "rows of a layer's kernels (layer: qkv_proj, …)");
  need(!profile.token_once.empty(), dense, "rows of layer embedding or final_layernorm");
  const MeasuredTable sequences(table_path(folder, prefix, "per_sequence"));
  for (std::size_t row = 0; row < sequences.rows(); ++row) {
    profile.sequence_once.add(count(sequences, row, "sequences"), sequences.positive(row, "time_us") * 1e-6);
  }
  need(!profile.sequence_once.empty(), sequences, "rows of lm_head");
  const MeasuredTable attention(table_path(folder, prefix, "attention"));
  for (std::size_t row = 0; row < attention.rows(); ++row) {
    const double prompt = count(attention, row, "prefill_chunk", 0), calls = count(attention, row, "n_decode", 0);
    const double context = count(attention, row, "kv_decode", 0);
    const double seconds = attention.positive(row, "time_us") * 1e-6;
    if (prompt == 0) {
      profile.decode[calls].add(context, seconds);
    } else {
      profile.mixed[prompt][count(attention, row, "kv_prefill", 0)][calls].add(context, seconds);
    }
  }
  need(!profile.decode.empty(), attention, "rows of decoding alone, with prefill_chunk 0");
  need(!profile.mixed.empty(), attention, "rows of prompts, with prefill_chunk above 0");
  const std::filesystem::path experts = table_path(folder, prefix, "moe");
  if (std::filesystem::exists(experts)) {
    const MeasuredTable table(experts);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      profile.experts[count(table, row, "tokens")].add(count(table, row, "activated_experts"),
                                                       table.positive(row, "time_us") * 1e-6);
    }
  }
  return profile;
}

}  // namespace tokenyard::analysis
