#include "analysis/validate/vidur_tables.hpp"

#include <cmath>
#include <fmt/format.h>

#include "analysis/measured/measured_table.hpp"
#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Tokens;

constexpr double kLayers = 32;
constexpr double kTicksPerMillisecond = sim::FineTime::kTicksPerSecond / 1e3;
constexpr Tokens kContextStep = 64;  // granularity of the attention tables
constexpr Tokens kLongest = 4096;    // tokens, in every table
constexpr Tokens kMostCalls = 512;
constexpr const char* kLinear[] = {
    "attn_pre_proj",   "attn_post_proj",           "attn_rope", "mlp_up_proj", "mlp_down_proj", "mlp_act",
    "input_layernorm", "post_attention_layernorm", "add"};

std::size_t steps_up(Tokens tokens) { return static_cast<std::size_t>((tokens + kContextStep - 1) / kContextStep); }

/// Adds one table to `values`; `place` finds a row's index, beyond the end where it has none.
template <typename Place>
void add_table(const std::filesystem::path& folder, const std::string& name, std::vector<double>& values,
               const Place& place) {
  const MeasuredTable table(folder / (name + ".csv.xz"));
  std::vector<bool> seen(values.size());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::size_t index = place(table, row);
    if (index >= values.size()) continue;
    values[index] += table.number(row, "prediction");
    seen[index] = true;
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i])
      throw sim::InputError(
          {table.path().string(), "", fmt::format("no row for point {}", i), "every point of the grid"});
  }
}

}  // namespace

double VidurTables::Grid::at(std::size_t row, std::size_t column) const {
  const std::size_t index = row * columns + column;
  if (column >= columns || index >= values.size()) throw sim::InternalError("a step beyond Vidur's tables");
  return values[index];
}

VidurTables::VidurTables(const std::filesystem::path& folder) {
  const auto make = [](Grid& grid, std::size_t rows, std::size_t columns) {
    grid.columns = columns;
    grid.values.resize(rows * columns);
  };
  const auto whole = [](const MeasuredTable& table, std::size_t row, std::string_view column) {
    return static_cast<std::size_t>(std::llround(table.number(row, column)));
  };
  make(linear_, 1, kLongest);
  make(kv_save_, 1, kLongest);
  const auto by_tokens = [&](const MeasuredTable& table, std::size_t row) {
    return whole(table, row, "num_tokens") - 1;
  };
  for (const char* name : kLinear) add_table(folder, name, linear_.values, by_tokens);
  add_table(folder, "attn_kv_cache_save", kv_save_.values, by_tokens);
  make(decode_, kMostCalls, steps_up(kLongest) + 1);
  add_table(folder, "attn_decode", decode_.values, [&](const MeasuredTable& table, std::size_t row) {
    return (whole(table, row, "batch_size") - 1) * decode_.columns + whole(table, row, "kv_cache_size") / kContextStep;
  });
  make(prefill_, steps_up(kLongest) + 1, kLongest);
  add_table(folder, "attn_prefill", prefill_.values, [&](const MeasuredTable& table, std::size_t row) {
    const double chunk = std::sqrt(table.number(row, "prefill_chunk_size_squared"));
    return whole(table, row, "kv_cache_size") / kContextStep * prefill_.columns +
           static_cast<std::size_t>(std::llround(chunk)) - 1;
  });
}

double VidurTables::kv_save_s(Tokens tokens) const {
  return kLayers * 1e-3 * kv_save_.at(0, static_cast<std::size_t>(tokens - 1));
}

platforms::StepPiece VidurTables::piece(const platforms::DecodingCalls& decoding,
                                        std::span<const platforms::PrefillChunk> chunks,
                                        const platforms::OtherRanks& /*others*/) const {
  platforms::StepPiece piece;
  Tokens tokens = decoding.calls;
  std::size_t cached = 0;
  double squares = 0;
  for (const platforms::PrefillChunk& chunk : chunks) {
    tokens += chunk.tokens;
    cached += steps_up(chunk.before);
    squares += static_cast<double>(chunk.tokens) * static_cast<double>(chunk.tokens);
  }
  double ms = linear_.at(0, static_cast<std::size_t>((tokens + 7) / 8 * 8 - 1)) +
              kv_save_.at(0, static_cast<std::size_t>(tokens - 1));
  if (decoding.calls > 0) {
    const std::size_t step = steps_up(decoding.context / decoding.calls);
    ms += decode_.at(static_cast<std::size_t>(decoding.calls - 1), step);
    // The last sum whose mean, rounded down, is not above the table's point.
    piece.context_limit = (static_cast<Tokens>(step) * kContextStep + 1) * decoding.calls - 1;
  }
  if (!chunks.empty()) ms += prefill_.at(cached, static_cast<std::size_t>(std::nearbyint(std::sqrt(squares))) - 1);
  piece.base_ticks[platforms::Bound::kCompute] = std::llround(kLayers * ms * kTicksPerMillisecond);
  return piece;
}

}  // namespace tokenyard::analysis
