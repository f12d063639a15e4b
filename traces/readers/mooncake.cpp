/// The formats `mooncake` and `bailian`: JSON lines with block hashes (Mooncake, FAST'25; Alibaba's Qwen-Bailian
/// traces).
///
/// A line is parsed whole (simdjson's DOM), so that a fault behind the last key of interest is found, too.

#include "traces/readers/block_prompt.hpp"
#include "traces/readers/formats.hpp"
#include "traces/readers/json_row.hpp"
#include "traces/readers/row_reader.hpp"

namespace tokenyard::traces {
namespace {

using platforms::Tokens;

struct Layout {
  std::string_view format;
  Tokens block_tokens;
  std::int64_t date_unit_ns;
  bool last_id_optional;  ///< of a block that is not full
  std::string_view date_rule, expected;
};

constexpr Layout kMooncake = {
    "mooncake",
    512,
    1'000'000,
    false,
    "milliseconds from 0 to 9e12",
    R"({"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [one for every 512 tokens]})"};
constexpr Layout kBailian = {
    "bailian",
    16,
    1'000'000'000,
    true,
    "seconds from 0 to 9e9",
    R"({"timestamp": s, "input_length": n, "output_length": n, "hash_ids": [one for every 16 tokens]})"};

class HashedRequests final : public RowReader {
 public:
  HashedRequests(const std::string& path, const TraceOptions& options, const Layout& layout)
      : RowReader(path, options, Origin::kFile), layout_(layout) {
    if (!options.columns.empty()) {
      throw sim::InputError(
          {"", "--map", fmt::format("columns for {}", layout.format), "columns for a CSV format only"});
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
    if (error != simdjson::SUCCESS) return refuse_json(line, simdjson::error_message(error));
    if (root.get(object) != simdjson::SUCCESS) return refuse(RowFault::kMalformed, sim::shown_text(line), expected());
    if (!keys_.find(object)) return refuse(RowFault::kMalformed, keys_.twice(), "each key once");
    for (std::size_t key = 0; key < kKeys; ++key) {
      if (!keys_.has(key)) return refuse(RowFault::kMalformed, fmt::format("no \"{}\"", kNames[key]), expected());
    }
    if (!read_duration(keys_[kTimestamp], layout_.date_unit_ns, row.date_ns)) {
      return refuse(RowFault::kDate, fmt::format("timestamp = {}", simdjson::minify(keys_[kTimestamp])),
                    std::string(layout_.date_rule));
    }
    Tokens prompt_tokens = 0;
    for (const Key key : {kInput, kOutput}) {
      if (!read_token_count(keys_[key], key == kInput ? prompt_tokens : row.output_tokens)) {
        return refuse_tokens(kNames[key], simdjson::minify(keys_[key]));
      }
    }
    return read_blocks(prompt_tokens, row);
  }

  bool read_blocks(Tokens prompt_tokens, Row& row) {
    simdjson::dom::array ids;
    if (keys_[kIds].get(ids) != simdjson::SUCCESS) {
      return refuse(RowFault::kBlocks, "hash_ids is not an array", "an array of whole numbers");
    }
    // An extent a block, as recorded: ids of these traces say nothing about their neighbours.
    Tokens left = prompt_tokens;
    std::size_t count = 0;
    for (const simdjson::dom::element element : ids) {
      std::uint64_t id = 0;
      if (element.get(id) != simdjson::SUCCESS) {
        return refuse(RowFault::kBlocks, fmt::format("hash_ids/{} = {}", count, simdjson::minify(element)),
                      "a whole number from 0 to 2^64 - 1");
      }
      ++count;
      if (left > 0) row.prompt.push_back({content_of(id), std::min(left, layout_.block_tokens)});
      left -= layout_.block_tokens;
    }
    const Tokens blocks = (prompt_tokens + layout_.block_tokens - 1) / layout_.block_tokens;
    const bool last_missing = static_cast<Tokens>(count) == prompt_tokens / layout_.block_tokens;
    if (static_cast<Tokens>(count) != blocks && !(layout_.last_id_optional && last_missing)) {
      return refuse(RowFault::kBlocks, fmt::format("{} hash_ids for {} tokens", count, prompt_tokens),
                    fmt::format("{}: one for every {} tokens", blocks, layout_.block_tokens));
    }
    if (left > 0) row.prompt.push_back({0, left});
    return true;
  }

  std::string expected() const override { return std::string(layout_.expected); }

  const Layout& layout_;
  simdjson::dom::parser parser_;
  JsonRow<kKeys> keys_{kNames};
};

}  // namespace

std::unique_ptr<agents::RequestSource> make_mooncake_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<HashedRequests>(path, options, kMooncake);
}

std::unique_ptr<agents::RequestSource> make_bailian_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<HashedRequests>(path, options, kBailian);
}

}  // namespace tokenyard::traces
