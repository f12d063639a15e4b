/// The format `servegen`: client pools of ServeGen (arXiv 2505.09999), from which requests are drawn.
///
/// The path is a folder. A client is a pair of files:
/// - `chunk-N-trace.csv`, no header: begin of a window in seconds, mean rate (requests/s), coefficient of variation of
///   the gaps, `Gamma`, `Weibull` or nothing, its shape, its scale in seconds. A window without a pattern has
///   exponential gaps.
/// - `chunk-N-dataset.json`: begin of a window in seconds → {"input_tokens": "{45: 0.0097, …}", "output_tokens": …}.
///
/// What a client draws from them: servegen_client.hpp. Cost: O(log clients) a request; memory: the files.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <queue>
#include <simdjson.h>

#include "sim/input/csv.hpp"
#include "sim/input/json_reader.hpp"
#include "sim/input/numbers.hpp"
#include "sim/input/text.hpp"
#include "sim/random/portable_math.hpp"
#include "traces/readers/fault_log.hpp"
#include "traces/readers/formats.hpp"
#include "traces/readers/json_fault.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/readers/row_fault.hpp"
#include "traces/readers/servegen_client.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {
namespace {

namespace fs = std::filesystem;
using platforms::Tokens;
using Window = ServeGenClient::Window;
using Lengths = ServeGenClient::Lengths;

constexpr double kRoundedSum = 0.02;  ///< by which probabilities that were written with few digits may miss 1
constexpr std::string_view kExpected = "a folder of chunk-N-trace.csv and chunk-N-dataset.json";

class ServeGenReader final : public agents::RequestSource {
 public:
  ServeGenReader(const std::string& path, const TraceOptions& options)
      : options_(options), log_(options.skip_faulty, kRowFaultNames) {
    if (!options.columns.empty()) {
      throw sim::InputError({"", "--map", "columns for servegen", "columns for a CSV format only"});
    }
    std::error_code error;
    std::vector<std::pair<std::uint64_t, std::string>> chunks;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      constexpr std::string_view kBegin = "chunk-", kEnd = "-trace.csv";
      if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) continue;
      std::uint64_t number = 0;
      const char* stop = name.data() + name.size() - kEnd.size();
      const auto [at, parsed] = std::from_chars(name.data() + kBegin.size(), stop, number);
      if (parsed == std::errc() && at == stop) chunks.emplace_back(number, it->path().string());
    }
    if (error) throw sim::InputError({path, "", error.message(), std::string(kExpected)});
    std::sort(chunks.begin(), chunks.end());
    for (const auto& [number, trace] : chunks) read_client(number, trace);
    log_.throw_if_any();
    if (!missing_.empty()) throw sim::InputError(missing_);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (!clients_[i].over()) due_.push({clients_[i].next_s(), i});
    }
    if (due_.empty()) throw sim::InputError({path, "", "no request", std::string(kExpected)});
  }

  bool next(agents::RecordedRequest& request) override {
    if (due_.empty() || (options_.limit != 0 && given_ >= options_.limit)) return false;
    const auto [date_s, index] = due_.top();
    due_.pop();
    const double arrival_s = date_s / options_.speed;
    if (!(arrival_s < 9e9)) {
      throw sim::InputError(
          {"", "--speed", fmt::format("{}", options_.speed), "a speed at which the trace lasts less than 285 years"});
    }
    request.arrival = sim::Time::seconds(arrival_s);
    clients_[index].take(request);
    if (!clients_[index].over()) due_.push({clients_[index].next_s(), index});
    ++given_;
    return true;
  }
  std::vector<agents::LeftOut> left_out() const override { return log_.left_out(); }

 private:
  bool refuse(RowFault reason, sim::Fault fault) { return log_.refuse(std::move(fault), name_of(reason)); }

  /// A client with a faulty file is left out as a whole; a file that is not there is a fault in any case.
  void read_client(std::uint64_t number, const std::string& trace) {
    std::vector<Window> windows;
    std::vector<Lengths> lengths;
    const std::string dataset = trace.substr(0, trace.size() - std::string_view("trace.csv").size()) + "dataset.json";
    if (!read_windows(trace, windows)) return;
    const bool idle = std::none_of(windows.begin(), windows.end(), [](const Window& w) { return w.rate_per_s > 0; });
    if (idle || !read_lengths(dataset, lengths)) return;
    clients_.emplace_back(options_.seed, number, std::move(windows), std::move(lengths));
  }

  bool read_windows(const std::string& file, std::vector<Window>& windows) {
    LineFile lines(file);
    std::vector<std::string_view> fields;
    for (std::string_view line; lines.next(line);) {
      if (line.empty()) continue;
      Window window;
      double cv = 0, shape = 0, scale = 0;
      const auto number = [&](std::size_t field, double& value) {
        return sim::read_number(fields[field], value) && value >= 0 && value < 9e9;
      };
      const auto refuse_line = [&](std::string allowed) {
        return refuse(RowFault::kMalformed,
                      {file, fmt::format("line {}", lines.number()), sim::shown_text(line), std::move(allowed)});
      };
      if (!sim::split_csv(line, fields) || fields.size() != 6 || !number(0, window.begin_s) ||
          !number(1, window.rate_per_s) || !number(2, cv) || !number(4, shape) || !number(5, scale)) {
        return refuse_line("window start in s, rate, CV, Gamma or Weibull or nothing, shape, scale");
      }
      if (!windows.empty() && window.begin_s <= windows.back().begin_s) return refuse_line("windows in order of time");
      const std::string_view pattern = fields[3];
      if (pattern == "Gamma" && shape >= sim::Distribution::kLeastGammaShape) {
        window.gap = sim::Distribution::gamma(shape, 1 / shape);
      } else if (pattern == "Weibull" && shape >= 0.05) {
        window.weibull_shape = shape;
        window.gap_scale = sim::portable_exp(-sim::log_gamma(1 + 1 / shape));
      } else if (pattern.empty()) {
        window.gap = sim::Distribution::gamma(1, 1);
      } else {
        return refuse_line(
            fmt::format("Gamma with a shape of at least {}, Weibull with one of at least 0.05, or no pattern",
                        sim::Distribution::kLeastGammaShape));
      }
      windows.push_back(window);
    }
    if (windows.empty()) return refuse(RowFault::kMalformed, {file, "", "no window", std::string(kExpected)});
    return true;
  }

  bool read_lengths(const std::string& file, std::vector<Lengths>& lengths) {
    simdjson::dom::element root;
    simdjson::dom::object object;
    if (std::error_code error; !fs::exists(file, error)) {
      sim::Fault missing{file, "", "no such file", "the token counts of the client whose chunk-N-trace.csv is there"};
      if (!options_.skip_faulty) return refuse(RowFault::kMalformed, std::move(missing));
      missing_.push_back(std::move(missing));
      return false;
    }
    sim::Faults unread;
    const std::optional<std::string> json = sim::read_text_file(file, unread);
    if (!json) return refuse(RowFault::kMalformed, unread.list()[0]);
    if (const auto error = parser_.parse(*json).get(root); error != simdjson::SUCCESS) {
      return refuse(RowFault::kMalformed, json_fault(file, 1, *json, simdjson::error_message(error),
                                                     "the token counts of the client's requests"));
    }
    constexpr const char* kAllowed = R"({"0": {"input_tokens": "{45: 0.01, …}", "output_tokens": "{…}"}, …})";
    if (root.get(object) != simdjson::SUCCESS) return refuse(RowFault::kMalformed, {file, "", "no object", kAllowed});
    for (const auto [key, value] : object) {
      Lengths window;
      if (!sim::read_number(key, window.begin_s) || window.begin_s < 0) {
        return refuse(RowFault::kMalformed,
                      {file, fmt::format("/{}", key), sim::shown_text(key), "a window's start in seconds"});
      }
      for (const auto& [name, table] : {std::pair{"input_tokens", &window.prompt}, {"output_tokens", &window.output}}) {
        std::string_view text;
        if (value[name].get(text) != simdjson::SUCCESS || !read_table(text, *table)) {
          return refuse(RowFault::kTokens,
                        {file, fmt::format("/{}/{}", key, name), sim::shown_text(text),
                         fmt::format("counts up to {} with probabilities that sum to 1, as in {{45: 0.4, 46: 0.6}}",
                                     kMaxTokens)});
        }
      }
      if (!window.prompt.tokens.empty() && !window.output.tokens.empty()) lengths.push_back(std::move(window));
    }
    std::sort(lengths.begin(), lengths.end(), [](const Lengths& a, const Lengths& b) { return a.begin_s < b.begin_s; });
    if (lengths.empty()) return refuse(RowFault::kTokens, {file, "", "no token counts", kAllowed});
    return true;
  }

  /// "{45: 0.0097, 46: 0.0117}"; counts of 0 are taken as 1, the least a request can have.
  static bool read_table(std::string_view text, ServeGenClient::TokenTable& table) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return false;
    double total = 0;
    for (const std::string_view item : sim::comma_separated(text.substr(1, text.size() - 2))) {
      const std::size_t colon = item.find(':');
      if (colon == std::string_view::npos) return false;
      double tokens = 0, p = 0;
      if (!sim::read_number(sim::trimmed(item.substr(0, colon)), tokens) ||
          !sim::read_number(sim::trimmed(item.substr(colon + 1)), p) || tokens < 0 || !(p >= 0 && p <= 1.001)) {
        return false;
      }
      Tokens whole = 0;
      if (!read_tokens(std::max(1.0, tokens), whole)) return false;
      total += p;
      table.cumulative.push_back(total);
      table.tokens.push_back(whole);
    }
    return table.tokens.empty() || std::abs(total - 1) <= kRoundedSum;
  }

  struct Due {
    double date_s;
    std::size_t client;
    bool operator<(const Due& other) const {
      return date_s > other.date_s || (date_s == other.date_s && client > other.client);
    }
  };

  TraceOptions options_;
  simdjson::dom::parser parser_;
  std::vector<ServeGenClient> clients_;
  std::priority_queue<Due> due_;
  std::uint64_t given_ = 0;
  FaultLog log_;
  std::vector<sim::Fault> missing_;  ///< files, where faulty clients are left out: it is no row that is wrong
};

}  // namespace

std::unique_ptr<agents::RequestSource> make_servegen_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<ServeGenReader>(path, options);
}

}  // namespace tokenyard::traces
