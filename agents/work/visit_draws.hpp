#pragma once
/// What a walk draws on a visit to a node: how many copies run at once, and of each how long it takes and what it
/// yields.
///
/// Every quantity has a stream of its own (Walk::stream), read copy by copy: nothing drawn depends on when a copy ends,
/// nor on the other quantities. Cost: O(1) a draw; nothing is allocated.
///
///   Answers answers(walk, *way, scale);
///   for (std::int64_t copy = 0; copy < copies_of(walk); ++copy) ask_for(answers.next());

#include "agents/work/walk.hpp"

namespace tokenyard::agents {

/// What-if: work made easier or harder without touching its draws.
struct WorkScale {
  double tool_time = 1, human_time = 1, output_tokens = 1;
};

/// How many of the node run at once.
std::int64_t copies_of(const Walk& walk);

/// What so many copies of a sub-agent or of a picture put into the context, together.
Tokens results_of(const Walk& walk, std::int64_t copies);

/// Attempts at a call that fail before they are served, and the back-off after them.
struct FailedAttempts {
  std::uint32_t number = 0;
  bool for_good = false;  ///< as many as the agent tries: the call is given up
  sim::Time backoff;
};
FailedAttempts failed_attempts(const Walk& walk);

/// Whether the call of the tool `copy` is foreseen, which has the probability `right` (tool_overlap.hpp).
bool foreseen(const Walk& walk, std::int64_t copy, double right);

/// The lengths of a model's answers to the copies of a call.
class Answers {
 public:
  /// `way`: the edge the walk goes on along, which may have lengths of its own.
  Answers(const Walk& walk, const Edge& way, const WorkScale& scale)
      : Answers(walk, way.output_tokens.given ? way.output_tokens : walk.node().output_tokens,
                way.thinking_tokens.given ? way.thinking_tokens : walk.node().thinking_tokens, scale) {}

  struct Answer {
    Tokens visible, thinking;
  };
  Answer next();

 private:
  Answers(const Walk& walk, const Draw& visible, const Draw& thinking, const WorkScale& scale)
      : visible_(visible),
        thinking_(thinking),
        visible_stream_(walk.stream(visible.stream)),
        thinking_stream_(walk.stream(thinking.stream)),
        scale_(scale.output_tokens) {}

  const Draw& visible_;
  const Draw& thinking_;
  sim::Stream visible_stream_, thinking_stream_;
  const double scale_;
};

/// What becomes of the copies of a tool, or of the people asked.
class ToolRuns {
 public:
  ToolRuns(const Walk& walk, const WorkScale& scale);

  struct Run {
    sim::Time takes;
    bool failed;
    Tokens result;  ///< what it says, or its error message
  };
  Run next();

 private:
  const Node& node_;
  sim::Stream latencies_, results_, errors_, messages_;
  const double scale_;
};

}  // namespace tokenyard::agents
