#include "traces/readers/trace_reader.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "sim/input/faults.hpp"

namespace tokenyard::traces {
namespace {

using agents::RecordedRequest;
using platforms::Tokens;
using sim::Faults;
using sim::Time;

constexpr std::size_t kMaxFaults = 20;
constexpr Tokens kMooncakeBlock = 512;
constexpr double kMaxTokens = 1e9;

/// Lines of a file, faults at a line, speed and limit; a format parses one line.
class LineReader : public agents::RequestSource {
 public:
  LineReader(std::string path, const TraceOptions& options) : path_(std::move(path)), options_(options), in_(path_, std::ios::binary) {
    if (!in_) throw sim::InputError({path_, "", "no readable file", "the path of a trace"});
  }

  bool next(RecordedRequest& request) final {
    while ((options_.limit == 0 || taken_ < options_.limit) && std::getline(in_, text_)) {
      ++line_;
      if (!text_.empty() && text_.back() == '\r') text_.pop_back();
      if (text_.empty() || (line_ == 1 && header(text_))) continue;
      request.prompt.clear();
      double arrival_s = 0;
      const std::size_t before = faults_.size();
      if (!parse(text_, request, arrival_s)) {
        if (faults_.size() == before) fault(shortened(), expected());
      } else {
        request.arrival = Time::seconds(arrival_s / options_.speed);
        if (request.arrival < previous_) fault(fmt::format("a date {} s before that of the row above", (previous_ - request.arrival).seconds()), "rows in order of time");
      }
      if (faults_.size() >= kMaxFaults) faults_.throw_if_any();
      if (faults_.size() > before) continue;
      previous_ = request.arrival;
      ++taken_;
      if (faults_.empty()) return true;
    }
    if (in_.bad()) fault("a read error", "a readable file");
    faults_.throw_if_any();
    if (taken_ == 0) throw sim::InputError({path_, "", "no request", expected()});
    return false;
  }

 protected:
  virtual bool header(const std::string&) { return false; }
  virtual bool parse(std::string_view line, RecordedRequest& request, double& arrival_s) = 0;
  virtual std::string expected() const = 0;

  void fault(std::string found, std::string allowed) { faults_.add(path_, fmt::format("line {}", line_), std::move(found), std::move(allowed)); }
  bool tokens(double value, Tokens& out, std::string_view what) {
    if (!(value >= 1 && value <= kMaxTokens) || value != std::floor(value)) {
      fault(fmt::format("{} = {}", what, value), "a whole number of at least 1");
      return false;
    }
    out = static_cast<Tokens>(value);
    return true;
  }
  std::string shortened() const { return '"' + text_.substr(0, 80) + (text_.size() > 80 ? "…\"" : "\""); }

  const std::string path_;

 private:
  TraceOptions options_;
  std::ifstream in_;
  std::string text_;
  std::size_t line_ = 0;
  std::uint64_t taken_ = 0;
  Time previous_;
  Faults faults_;
};

bool number(std::string_view text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(out);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t comma = std::min(line.find(',', start), line.size());
    fields.push_back(line.substr(start, comma - start));
    start = comma + 1;
  }
  return fields;
}

/// Seconds since 1970 of "2023-11-16 18:15:46.6805900", a trailing "+00:00" or "Z" allowed.
bool timestamp(std::string_view text, double& seconds, double& fraction) {
  int field[6] = {};
  static constexpr std::size_t kStart[] = {0, 5, 8, 11, 14, 17}, kLength[] = {4, 2, 2, 2, 2, 2};
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') return false;
  for (int i = 0; i < 6; ++i) {
    const char* begin = text.data() + kStart[i];
    const auto [end, error] = std::from_chars(begin, begin + kLength[i], field[i]);
    if (error != std::errc() || end != begin + kLength[i]) return false;
  }
  std::string_view rest = text.substr(19);
  fraction = 0;
  if (!rest.empty() && rest[0] == '.') {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (!number("0" + std::string(rest.substr(0, digits)), fraction)) return false;
    rest.remove_prefix(digits);
  }
  if (!rest.empty() && rest != "Z" && rest != "+00:00") return false;
  if (field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 || field[3] > 23 || field[4] > 59 || field[5] > 60) return false;
  // Days from the civil calendar (Hinnant, "chrono-compatible low-level date algorithms").
  const int year = field[0] - (field[1] <= 2 ? 1 : 0);
  const int era = year / 400, of_era = year - era * 400;
  const int day_of_year = (153 * (field[1] + (field[1] > 2 ? -3 : 9)) + 2) / 5 + field[2] - 1;
  const double days = era * 146097.0 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
  seconds = days * 86400 + field[3] * 3600 + field[4] * 60 + field[5];
  return true;
}

class AzureReader final : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  bool header(const std::string& line) override { return line.starts_with("TIMESTAMP"); }
  bool parse(std::string_view line, RecordedRequest& request, double& arrival_s) override {
    const std::vector<std::string_view> fields = split(line);
    double seconds = 0, fraction = 0, prompt = 0, output = 0;
    if (fields.size() != 3 || !timestamp(fields[0], seconds, fraction) || !number(fields[1], prompt) || !number(fields[2], output)) return false;
    if (!started_) origin_s_ = seconds, origin_fraction_ = fraction, started_ = true;
    arrival_s = (seconds - origin_s_) + (fraction - origin_fraction_);
    Tokens prompt_tokens = 0;
    if (!tokens(prompt, prompt_tokens, "ContextTokens") || !tokens(output, request.output_tokens, "GeneratedTokens")) return false;
    request.prompt.push_back({0, prompt_tokens});
    return true;
  }
  std::string expected() const override { return "TIMESTAMP,ContextTokens,GeneratedTokens, as in 2023-11-16 18:15:46.6805900,374,44"; }
  double origin_s_ = 0, origin_fraction_ = 0;
  bool started_ = false;
};

class RequestsReader final : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  bool header(const std::string& line) override { return line == "arrival_s,prompt_tokens,output_tokens"; }
  bool parse(std::string_view line, RecordedRequest& request, double& arrival_s) override {
    const std::vector<std::string_view> fields = split(line);
    double prompt = 0, output = 0;
    if (fields.size() != 3 || !number(fields[0], arrival_s) || !number(fields[1], prompt) || !number(fields[2], output) || arrival_s < 0) return false;
    Tokens prompt_tokens = 0;
    if (!tokens(prompt, prompt_tokens, "prompt_tokens") || !tokens(output, request.output_tokens, "output_tokens")) return false;
    request.prompt.push_back({0, prompt_tokens});
    return true;
  }
  std::string expected() const override { return "arrival_s,prompt_tokens,output_tokens, as in 0.25,374,44"; }
};

class MooncakeReader final : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  bool parse(std::string_view line, RecordedRequest& request, double& arrival_s) override {
    const simdjson::padded_string padded(line);
    simdjson::dom::element row;
    if (parser_.parse(padded).get(row) != simdjson::SUCCESS) return false;
    double timestamp_ms = 0, input = 0, output = 0;
    simdjson::dom::array ids;
    if (row["timestamp"].get(timestamp_ms) != simdjson::SUCCESS || row["input_length"].get(input) != simdjson::SUCCESS ||
        row["output_length"].get(output) != simdjson::SUCCESS || row["hash_ids"].get(ids) != simdjson::SUCCESS || timestamp_ms < 0) {
      return false;
    }
    Tokens prompt_tokens = 0;
    if (!tokens(input, prompt_tokens, "input_length") || !tokens(output, request.output_tokens, "output_length")) return false;
    arrival_s = timestamp_ms / 1000;
    const Tokens blocks = (prompt_tokens + kMooncakeBlock - 1) / kMooncakeBlock;
    if (static_cast<Tokens>(ids.size()) != blocks) {
      fault(fmt::format("{} hash_ids for {} tokens", ids.size(), prompt_tokens), fmt::format("{}: one for every {} tokens", blocks, kMooncakeBlock));
      return false;
    }
    Tokens left = prompt_tokens;
    for (const simdjson::dom::element id : ids) {
      std::uint64_t value = 0;
      if (id.get(value) != simdjson::SUCCESS) return false;
      request.prompt.push_back({value + 1, std::min(left, kMooncakeBlock)});
      left -= kMooncakeBlock;
    }
    return true;
  }
  std::string expected() const override { return R"({"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [one per 512 tokens]})"; }
  simdjson::dom::parser parser_;
};

}  // namespace

const std::vector<TraceFormat>& trace_formats() {
  static const std::vector<TraceFormat> kFormats = {
      {"azure", "Azure LLM inference traces (CSV: TIMESTAMP,ContextTokens,GeneratedTokens)"},
      {"mooncake", "Mooncake (JSON lines with hash_ids of 512 tokens)"},
      {"requests", "CSV: arrival_s,prompt_tokens,output_tokens"}};
  return kFormats;
}

std::unique_ptr<agents::RequestSource> open_trace(const std::string& path, const std::string& format, const TraceOptions& options) {
  if (format == "azure") return std::make_unique<AzureReader>(path, options);
  if (format == "mooncake") return std::make_unique<MooncakeReader>(path, options);
  if (format == "requests") return std::make_unique<RequestsReader>(path, options);
  std::vector<std::string> names;
  for (const TraceFormat& known : trace_formats()) names.emplace_back(known.name);
  throw sim::InputError({"", "--format", '"' + format + '"', fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(format, names))});
}

}  // namespace tokenyard::traces
