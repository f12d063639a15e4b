/// The formats `azure`, `burstgpt` and `requests`: CSV with a date and two token counts a row.
///
/// Seconds count from the start of the trace or, if they begin after a year, from the first row's: Unix time is read.
/// The header names the columns, in any order and among others. A file without a header is read if its first row has
/// exactly the three fields in the format's order and no column was renamed.

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/csv.hpp"
#include "sim/input/numbers.hpp"
#include "sim/input/text.hpp"
#include "traces/readers/formats.hpp"
#include "traces/readers/row_reader.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {
namespace {

struct Layout {
  std::array<std::string_view, 3> columns;  ///< date, prompt tokens, output tokens
  bool (*read_date)(std::string_view text, std::int64_t& ns);
  std::string_view date, example;
  bool no_output_failed = false;  ///< a row without output tokens is a call that failed when recorded, not a fault
};

constexpr Layout kAzure = {{"TIMESTAMP", "ContextTokens", "GeneratedTokens"},
                           sim::read_date,
                           "a date of 1970 to 2199, as in 2023-11-16 18:15:46.6805900",
                           "2023-11-16 18:15:46.6805900,374,44"};
constexpr Layout kBurstGpt = {{"Timestamp", "Request tokens", "Response tokens"},
                              sim::read_seconds,
                              "seconds from 0 to 9e9, as in 5 or 45.0",
                              "5,472,18",
                              true};
constexpr Layout kRequests = {{"arrival_s", "prompt_tokens", "output_tokens"},
                              sim::read_seconds,
                              "seconds from 0 to 9e9, as in 12.25 (dates: --format azure)",
                              "12.25,374,44"};

class CsvRequests final : public RowReader {
 public:
  CsvRequests(const std::string& path, const TraceOptions& options, const Layout& layout, Origin origin)
      : RowReader(path, options, origin), layout_(layout) {
    sim::Faults faults;
    const std::vector<std::string> known(layout.columns.begin(), layout.columns.end());
    for (std::size_t i = 0; i < 3; ++i) names_[i] = known[i];
    std::array<bool, 3> renamed{};
    for (const auto& [column, name] : options.columns) {
      const auto i = static_cast<std::size_t>(std::find(known.begin(), known.end(), column) - known.begin());
      if (i == known.size()) {
        faults.add("", "--map", fmt::format("\"{}\"", column),
                   fmt::format("one of {}{}", fmt::join(known, ", "), sim::did_you_mean(column, known)));
      } else if (renamed[i]) {
        faults.add("", "--map", fmt::format("\"{}\" twice", column), "each column once");
      } else {
        renamed[i] = true;
        names_[i] = name;
      }
    }
    faults.throw_if_any();
  }

 private:
  bool header(std::string_view line) override {
    const bool split = sim::split_csv(line, fields_);
    std::int64_t ignored = 0;
    if (split && options().columns.empty() && fields_.size() == 3 && layout_.read_date(fields_[0], ignored))
      return false;
    sim::Faults faults;
    const std::vector<std::string> found(fields_.begin(), fields_.end());
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto at = std::find(found.begin(), found.end(), names_[i]);
      column_[i] = static_cast<std::size_t>(at - found.begin());
      if (!split || at == found.end()) {
        missing.push_back(names_[i]);
      } else if (std::find(at + 1, found.end(), names_[i]) != found.end()) {
        faults.add(path(), place(), fmt::format("two columns \"{}\"", names_[i]), "each column once");
      }
    }
    if (!missing.empty()) {
      faults.add(path(), place(),
                 fmt::format("no column \"{}\" in {}", fmt::join(missing, "\", \""), sim::shown_text(line)),
                 fmt::format("a header with {}{}", fmt::join(names_, ","), sim::did_you_mean(missing[0], found)));
    }
    faults.throw_if_any();
    columns_ = found.size();
    return true;
  }

  bool parse(std::string_view line, Row& row) override {
    if (!sim::split_csv(line, fields_)) return refuse(RowFault::kMalformed, sim::shown_text(line), "closed quotes");
    if (fields_.size() != columns_) {
      return refuse(RowFault::kMalformed, fmt::format("{} fields in {}", fields_.size(), sim::shown_text(line)),
                    fmt::format("{} fields: {}", columns_, columns_ == 3 ? expected() : "as many as the header has"));
    }
    const std::string_view date = fields_[column_[0]], prompt = fields_[column_[1]], output = fields_[column_[2]];
    if (!layout_.read_date(date, row.date_ns)) {
      return refuse(RowFault::kDate, fmt::format("{} = {}", names_[0], sim::shown_text(date)),
                    std::string(layout_.date));
    }
    platforms::Tokens prompt_tokens = 0;
    if (!read_tokens(prompt, prompt_tokens)) return refuse_tokens(names_[1], prompt);
    if (layout_.no_output_failed && output == "0") return leave_out(RowFault::kFailed);
    if (!read_tokens(output, row.output_tokens)) return refuse_tokens(names_[2], output);
    row.prompt.push_back({0, prompt_tokens});
    return true;
  }

  std::string expected() const override { return fmt::format("{}, as in {}", fmt::join(names_, ","), layout_.example); }

  const Layout& layout_;
  std::array<std::string, 3> names_;
  std::array<std::size_t, 3> column_ = {0, 1, 2};
  std::size_t columns_ = 3;
  std::vector<std::string_view> fields_;
};

}  // namespace

std::unique_ptr<agents::RequestSource> make_azure_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<CsvRequests>(path, options, kAzure, CsvRequests::Origin::kFirstRow);
}

std::unique_ptr<agents::RequestSource> make_burstgpt_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<CsvRequests>(path, options, kBurstGpt, CsvRequests::Origin::kFile);
}

std::unique_ptr<agents::RequestSource> make_requests_reader(const std::string& path, const TraceOptions& options) {
  return std::make_unique<CsvRequests>(path, options, kRequests, CsvRequests::Origin::kFile);
}

}  // namespace tokenyard::traces
