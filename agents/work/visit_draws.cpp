#include "agents/work/visit_draws.hpp"

#include <algorithm>

#include "sim/core/rounded.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::agents {

using sim::scatter;
using sim::Stream;
using sim::Time;

namespace {

constexpr sim::StreamName kGuesses("tool-guesses");

std::int64_t scaled(std::int64_t value, double factor) {
  return factor == 1 ? value : sim::rounded(static_cast<double>(value) * factor);
}

}  // namespace

std::int64_t copies_of(const Walk& walk) {
  const Draw& parallel = walk.node().parallel;
  if (!parallel.given) return 1;
  Stream stream = walk.stream(parallel.stream);
  return std::clamp<std::int64_t>(parallel.of.sample_count(stream), 1, kMostParallel);
}

Tokens results_of(const Walk& walk, std::int64_t copies) {
  const Draw& result = walk.node().result_tokens;
  if (!result.given) return 0;
  Stream stream = walk.stream(result.stream);
  Tokens sum = 0;
  for (std::int64_t copy = 0; copy < copies; ++copy) sum += result.of.sample_count(stream);
  return sum;
}

FailedAttempts failed_attempts(const Walk& walk) {
  FailedAttempts failed;
  const auto& failure = walk.agent().call_failure;
  if (!failure) return failed;
  Stream stream = walk.stream(walk.node().failure);
  while (failed.number <= failure->max && stream.uniform() < failure->p) {
    failed.backoff += failure->backoff_s.sample_time(stream);
    ++failed.number;
  }
  failed.for_good = failed.number > failure->max;
  return failed;
}

bool foreseen(const Walk& walk, std::int64_t copy, double right) {
  Stream guess(walk.seed(), kGuesses, scatter(scatter(walk.entity() + walk.at()) + walk.visit()),
               static_cast<std::uint32_t>(copy));
  return guess.uniform() < right;
}

Answers::Answer Answers::next() {
  const Tokens visible = std::max<Tokens>(1, scaled(visible_.of.sample_tokens(visible_stream_), scale_));
  return {visible, thinking_.given ? scaled(thinking_.of.sample_count(thinking_stream_), scale_) : 0};
}

ToolRuns::ToolRuns(const Walk& walk, const WorkScale& scale)
    : node_(walk.node()),
      latencies_(walk.stream(node_.latency_s.stream)),
      results_(walk.stream(node_.result_tokens.stream)),
      errors_(walk.stream(node_.error_stream)),
      messages_(walk.stream(node_.error_tokens.stream)),
      scale_(node_.kind == NodeKind::kHuman ? scale.human_time : scale.tool_time) {}

ToolRuns::Run ToolRuns::next() {
  const Time takes = Time::nanoseconds(scaled(node_.latency_s.of.sample_time(latencies_).ns(), scale_));
  if (node_.error > 0 && errors_.uniform() < node_.error)
    return {takes, true, node_.error_tokens.of.sample_count(messages_)};
  return {takes, false, node_.result_tokens.given ? node_.result_tokens.of.sample_count(results_) : 0};
}

}  // namespace tokenyard::agents
