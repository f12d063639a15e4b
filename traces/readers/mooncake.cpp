/// The format `mooncake`: JSON lines with block hashes (Mooncake, FAST'25).
///
/// A line is parsed whole (simdjson's DOM), so that a fault behind the last key of interest is found, too.

#include <cmath>
#include <fmt/format.h>
#include <simdjson.h>

#include "traces/readers/fields.hpp"
#include "traces/readers/formats.hpp"
#include "traces/readers/row_reader.hpp"

namespace tokenyard::traces {
namespace {

using platforms::Tokens;

constexpr Tokens kBlockTokens = 512;
static_assert(LineFile::kPadding >= simdjson::SIMDJSON_PADDING);

/// A content of its own for every id, never 0 (which would mean "not shared"): SplitMix64's finalizer is a bijection,
/// and of all ids only one would become 0.
std::uint64_t content(std::uint64_t id) {
  std::uint64_t z = id + 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  z ^= z >> 31;
  return z != 0 ? z : 0x9E3779B97F4A7C15U;
}

class MooncakeReader final : public RowReader {
 public:
  MooncakeReader(const std::string& path, const TraceOptions& options) : RowReader(path, options, Origin::kFile) {
    if (!options.columns.empty()) {
      throw sim::InputError({"", "--map", "columns for mooncake", "columns for a CSV format only"});
    }
  }

 private:
  enum Key : std::size_t { kTimestamp, kInput, kOutput, kIds, kKeys };
  static constexpr std::array<std::string_view, kKeys> kNames = {"timestamp", "input_length", "output_length",
                                                                 "hash_ids"};

  bool parse(std::string_view line, Row& row) override {
    simdjson::dom::element root;
    const auto error = parser_.parse(line.data(), line.size(), false).get(root);
    simdjson::dom::object object;
    if (error != simdjson::SUCCESS) {
      return refuse(RowFault::kMalformed, fmt::format("{} in {}", simdjson::error_message(error), shown_text(line)),
                    expected());
    }
    if (root.get(object) != simdjson::SUCCESS) return refuse(RowFault::kMalformed, shown_text(line), expected());
    std::array<simdjson::dom::element, kKeys> value;
    std::array<bool, kKeys> seen{};
    for (const auto field : object) {
      for (std::size_t key = 0; key < kKeys; ++key) {
        if (field.key != kNames[key]) continue;
        if (seen[key]) return refuse(RowFault::kMalformed, fmt::format("\"{}\" twice", kNames[key]), "each key once");
        seen[key] = true;
        value[key] = field.value;
      }
    }
    for (std::size_t key = 0; key < kKeys; ++key) {
      if (!seen[key]) return refuse(RowFault::kMalformed, fmt::format("no \"{}\"", kNames[key]), expected());
    }
    if (!read_date(value[kTimestamp], row.date_ns)) {
      return refuse(RowFault::kDate, fmt::format("timestamp = {}", simdjson::minify(value[kTimestamp])),
                    "milliseconds from 0 to 9e12");
    }
    Tokens prompt_tokens = 0;
    for (const Key key : {kInput, kOutput}) {
      double number = 0;
      if (value[key].get(number) != simdjson::SUCCESS ||
          !read_tokens(number, key == kInput ? prompt_tokens : row.output_tokens)) {
        return refuse_tokens(kNames[key], simdjson::minify(value[key]));
      }
    }
    return read_blocks(value[kIds], prompt_tokens, row);
  }

  static bool read_date(simdjson::dom::element value, std::int64_t& ns) {
    std::int64_t whole_ms = 0;
    if (value.get(whole_ms) == simdjson::SUCCESS) {
      ns = whole_ms * 1'000'000;
      return whole_ms >= 0 && whole_ms < 9'000'000'000'000;
    }
    double ms = 0;
    if (value.get(ms) != simdjson::SUCCESS || !(ms >= 0 && ms < 9e12)) return false;
    ns = std::llround(ms * 1e6);
    return true;
  }

  bool read_blocks(simdjson::dom::element value, Tokens prompt_tokens, Row& row) {
    simdjson::dom::array ids;
    if (value.get(ids) != simdjson::SUCCESS) {
      return refuse(RowFault::kBlocks, "hash_ids is not an array", "an array of whole numbers");
    }
    Tokens left = prompt_tokens;
    std::size_t count = 0;
    for (const simdjson::dom::element element : ids) {
      std::uint64_t id = 0;
      if (element.get(id) != simdjson::SUCCESS) {
        return refuse(RowFault::kBlocks, fmt::format("hash_ids/{} = {}", count, simdjson::minify(element)),
                      "a whole number from 0 to 2^64 - 1");
      }
      ++count;
      if (left > 0) row.prompt.push_back({content(id), std::min(left, kBlockTokens)});
      left -= kBlockTokens;
    }
    const Tokens blocks = (prompt_tokens + kBlockTokens - 1) / kBlockTokens;
    if (static_cast<Tokens>(count) != blocks) {
      return refuse(RowFault::kBlocks, fmt::format("{} hash_ids for {} tokens", count, prompt_tokens),
                    fmt::format("{}: one for every {} tokens", blocks, kBlockTokens));
    }
    return true;
  }

  std::string expected() const override {
    return R"({"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [one for every 512 tokens]})";
  }

  simdjson::dom::parser parser_;
};

}  // namespace

std::unique_ptr<TraceReader> make_mooncake_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<MooncakeReader>(path, options);
}

}  // namespace tokenyard::traces
