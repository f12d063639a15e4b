#include "traces/readers/row_reader.hpp"

#include <fmt/format.h>

#include "sim/core/rounded.hpp"
#include "sim/input/text.hpp"
#include "traces/readers/json_fault.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {
namespace {

/// Dates that begin later count from an instant of their own, as Unix time does; a longer gap is a unit mistaken.
constexpr std::int64_t kDayNs = 86'400'000'000'000, kYearNs = 366 * kDayNs;

}  // namespace

RowReader::RowReader(const std::string& path, const TraceOptions& options, Origin origin)
    : file_(path), options_(options), origin_(origin), log_(options.skip_faulty, kRowFaultNames) {}

std::string RowReader::place() const { return fmt::format("line {}", file_.number()); }

bool RowReader::refuse(RowFault reason, std::string found, std::string allowed) {
  return log_.refuse({path(), place(), std::move(found), std::move(allowed)}, name_of(reason));
}

bool RowReader::refuse_tokens(std::string_view column, std::string_view text) {
  return refuse(RowFault::kTokens, fmt::format("{} = {}", column, sim::shown_text(text)),
                fmt::format("a whole number from 1 to {}", kMaxTokens));
}

bool RowReader::refuse_json(std::string_view line, std::string_view reason) {
  return log_.refuse(json_fault(path(), file_.number(), line, reason, expected()), name_of(RowFault::kMalformed));
}

void RowReader::insert(std::uint32_t row) {
  auto at = order_.end();
  while (at != order_.begin() && rows_[*(at - 1)].date_ns > rows_[row].date_ns) --at;
  order_.insert(at, row);
}

bool RowReader::take_row() {
  std::string_view line;
  do {
    if (options_.limit != 0 && taken_ >= options_.limit) return false;
    if (!file_.next(line)) return false;
  } while (line.empty());
  if (file_.too_long()) {
    refuse(RowFault::kTooLong, sim::shown_text(line), fmt::format("lines of at most {} bytes", LineFile::kMaxLine));
    return true;
  }
  if (!header_seen_) {
    header_seen_ = true;
    if (header(line)) return true;
  }
  const std::uint32_t at = rows_.take();
  Row& row = rows_[at];
  row.prompt.clear();
  const bool good =
      parse(line, row) &&
      (given_ == 0 || row.date_ns >= last_ns_ ||
       refuse(RowFault::kOrder,
              fmt::format("a date {:.9f} s before that of a row already played",
                          static_cast<double>(last_ns_ - row.date_ns) * 1e-9),
              fmt::format("rows at most {} rows out of order: sort the file by date", options_.reorder_rows)));
  if (good) {
    insert(at);
    ++taken_;
  } else {
    rows_.give_back(at);
  }
  return true;
}

bool RowReader::next(agents::RecordedRequest& request) {
  while (order_.size() <= options_.reorder_rows && take_row()) {
  }
  if (log_.any_fault()) {
    // The user hears of the other faults at once, too; no row is played any more.
    while (take_row()) {
      for (const std::uint32_t at : order_) rows_.give_back(at);
      order_.clear();
    }
    log_.throw_if_any();
  }
  if (order_.empty()) {
    if (given_ > 0) return false;
    std::string found = "no request";
    if (log_.total() > 0) found += fmt::format(": all {} rows are left out", log_.total());
    if (!log_.first_skipped().empty()) found += fmt::format(", the first at {}", log_.first_skipped());
    throw sim::InputError({path(), "", std::move(found), expected()});
  }
  const std::uint32_t at = order_.front();
  order_.pop_front();
  rows_.give_back(at);
  Row& row = rows_[at];
  if (given_ > 0 && row.date_ns - last_ns_ > kYearNs) {
    throw sim::InputError({path(), "",
                           fmt::format("{} days without a request, before the one of date {:.9f} s",
                                       (row.date_ns - last_ns_) / kDayNs, static_cast<double>(row.date_ns) * 1e-9),
                           "requests less than a year apart: are all dates in one unit?"});
  }
  if (given_ == 0 && (origin_ == Origin::kFirstRow || row.date_ns > kYearNs)) origin_ns_ = row.date_ns;
  last_ns_ = row.date_ns;
  ++given_;
  std::int64_t arrival_ns = row.date_ns - origin_ns_;
  if (options_.speed != 1) {
    const double scaled = static_cast<double>(arrival_ns) / options_.speed;
    if (scaled >= 9e18)
      throw sim::InputError(
          {"", "--speed", fmt::format("{}", options_.speed), "a speed at which the trace lasts less than 285 years"});
    arrival_ns = sim::rounded(scaled);
  }
  request.arrival = sim::Time::nanoseconds(arrival_ns);
  request.output_tokens = row.output_tokens;
  request.prompt.swap(row.prompt);
  return true;
}

}  // namespace tokenyard::traces
