#pragma once
/// What all line-based trace readers share: lines in, requests out in order of time, and what becomes of faulty rows.
///
/// A format derives from it and parses one line. The look-ahead holds rows sorted by (date, line); rows already in
/// order are appended in O(1), a late one moves the indices of those it overtakes.
///
///   class MyReader final : public RowReader { bool parse(std::string_view line, Row& row) override … };

#include <deque>

#include "sim/core/slab.hpp"
#include "traces/readers/fault_log.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/readers/row_fault.hpp"
#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

class RowReader : public agents::RequestSource {
 public:
  enum class Origin : std::uint8_t {
    kFile,      ///< dates count from the start of the trace, or are absolute if they begin after a year (Unix time)
    kFirstRow,  ///< dates are absolute; the first request arrives at 0
  };
  bool next(agents::RecordedRequest& request) final;
  std::vector<agents::LeftOut> left_out() const final { return log_.left_out(); }

 protected:
  struct Row {
    std::int64_t date_ns = 0;
    platforms::Tokens output_tokens = 1;
    std::vector<platforms::Extent> prompt;  ///< empty on entry
  };
  RowReader(const std::string& path, const TraceOptions& options, Origin origin);

  /// True if the file's first line that is not empty is a header; throws sim::InputError if it cannot be one.
  virtual bool header(std::string_view) { return false; }
  /// Fills `row`, or calls `refuse` and returns false.
  virtual bool parse(std::string_view line, Row& row) = 0;
  /// A row as it should be, for messages.
  virtual std::string expected() const = 0;

  /// The current row is left out: a fault in strict mode, counted otherwise. Returns false.
  bool refuse(RowFault reason, std::string found, std::string allowed);
  bool refuse_tokens(std::string_view column, std::string_view text);
  /// The current row is no JSON, for a reason that is told where the place in the line cannot be.
  bool refuse_json(std::string_view line, std::string_view reason);
  /// The current row is sound but not to be played: counted in both modes. Returns false.
  bool leave_out(RowFault reason) {
    log_.leave_out(name_of(reason));
    return false;
  }
  const TraceOptions& options() const { return options_; }
  const std::string& path() const { return file_.path(); }
  std::string place() const;

 private:
  /// Takes one line into the look-ahead; false when there is no more to take.
  bool take_row();
  void insert(std::uint32_t row);

  LineFile file_;
  TraceOptions options_;
  Origin origin_;
  sim::Slab<Row> rows_;
  std::deque<std::uint32_t> order_;  ///< of rows_, by date, then line
  std::int64_t origin_ns_ = 0, last_ns_ = 0;
  std::uint64_t taken_ = 0, given_ = 0;
  bool header_seen_ = false;
  FaultLog log_;
};

}  // namespace tokenyard::traces
