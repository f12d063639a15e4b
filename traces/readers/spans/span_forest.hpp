#pragma once
/// What spans are, and how they lie within each other: rules 1 to 4 of span_import.hpp.
///
/// Invariants: spans stand in order of beginning, those around others first, each once; a container is of the same
/// trace and no plumbing; no span is within itself. What is left out is counted in the log.
///
///   const SpanForest forest(spans, file, log);
///   for (const std::vector<std::uint32_t>& roots : forest.tasks()) build(roots);

#include <string>
#include <unordered_map>
#include <vector>

#include "platforms/spec/tokens.hpp"
#include "traces/readers/fault_log.hpp"
#include "traces/readers/spans/span.hpp"

namespace tokenyard::traces {

class SpanForest {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  enum class What : std::uint8_t { kPlumbing, kCall, kTool, kAgent, kHuman, kWait };
  struct Node {
    What what = What::kPlumbing;
    std::uint32_t container = kNone;                         ///< the agent, tool or model span that it is in
    bool outer = false;                                      ///< a model span around another
    platforms::Tokens input = -1, output = -1, cached = -1;  ///< of a call; -1: not said
    std::vector<std::uint32_t> children;                     ///< by container, in order of beginning
    bool holds_calls = false;
  };

  /// `file` is for messages.
  SpanForest(std::vector<Span> spans, const std::string& file, FaultLog& log);

  std::uint32_t size() const { return static_cast<std::uint32_t>(spans_.size()); }
  const Span& span(std::uint32_t s) const { return spans_[s]; }
  const Node& node(std::uint32_t s) const { return nodes_[s]; }
  sim::Time begin(std::uint32_t s) const { return sim::Time::nanoseconds(spans_[s].begin_ns); }
  sim::Time end(std::uint32_t s) const { return sim::Time::nanoseconds(spans_[s].end_ns); }
  sim::Time length(std::uint32_t s) const { return end(s) - begin(s); }
  /// kNone if there is none.
  std::uint32_t find(const std::string& trace_and_id) const;

  /// The roots of each task, whose traces are those of one conversation or one alone; tasks by beginning.
  std::vector<std::vector<std::uint32_t>> tasks() const;

 private:
  void drop_faulty(const std::string& file, FaultLog& log);
  void sort(FaultLog& log);
  void link_graphs();
  void classify(FaultLog& log);
  void find_parents();
  void cut_deep(const std::string& file, FaultLog& log);
  void find_calls(FaultLog& log);
  std::uint32_t parent_of(std::uint32_t s) const;

  std::vector<Span> spans_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::uint32_t> index_;  ///< by trace and id
};

}  // namespace tokenyard::traces
