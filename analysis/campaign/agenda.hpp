#pragma once
/// What of a campaign is still to run, in which order; the one place that knows the repetition rule.
///
/// Repetitions go round the cells, so that every cell has its first soon. Whoever runs takes `next`, in any number at a
/// time, and reports each with `settle`; which runs come up in total depends on their results alone, never on the order
/// in which they end. A shard of a campaign with a fixed number of repetitions takes every Nth run; where results
/// decide, it takes every Nth cell. A cell with a failed run gets no further batches.
///
///   Agenda agenda(campaign, settled, shard);
///   while (!agenda.over()) {
///     if (const auto run = agenda.next()) …                // nothing: wait for runs under way
///   }

#include <deque>

#include "analysis/campaign/results.hpp"

namespace tokenyard::analysis {

class Agenda {
 public:
  Agenda(const Campaign& campaign, const SettledRuns& settled, const Shard& shard);

  std::optional<RunId> next();
  void settle(RunId run, const RunOutcome& result);
  /// Whether nothing is left to start or under way.
  bool over() const { return ready_.empty() && under_way_ == 0; }

  /// Runs known so far: settled before or by now, and still to come. The rule may add to the latter.
  std::size_t settled() const { return settled_; }
  std::size_t left() const { return ready_.size() + under_way_; }
  const std::deque<RunId>& ready() const { return ready_; }
  /// Cells that have had as many repetitions as there may be, and whose interval is still wider than was asked for.
  std::size_t wide() const { return wide_; }

 private:
  struct Cell {
    std::size_t target = 0;  ///< repetitions asked for
    std::size_t open = 0;    ///< of those, not settled
    bool failed = false;
    std::vector<std::optional<double>> values;  ///< where the rule looks at them
  };

  void ask(RunId run);
  void note(RunId run, bool done, std::optional<double> metric);
  /// Asks for the next batches of a cell whose runs are all settled, until one has a run to do.
  void extend(std::size_t cell);

  const Campaign& campaign_;
  const SettledRuns& before_;
  std::vector<Cell> cells_;
  std::deque<RunId> ready_;
  std::size_t under_way_ = 0, settled_ = 0, wide_ = 0;
};

/// Says of how many cells the interval stayed too wide, as a line; empty where `wide` is 0.
std::string wide_text(const Campaign& campaign, std::size_t wide);

}  // namespace tokenyard::analysis
