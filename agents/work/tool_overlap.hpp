#pragma once
/// Tools that begin before the call that asks for them has ended, and calls that begin before their tools have.
///
/// - none: tools begin when their call ends, and the next call when they have ended.
/// - streaming: each as soon as its arguments are made (streaming dispatch in SUTRADHARA, arXiv 2601.12967): of n tools
///   asked for at once, each takes an n-th of the answer, so the first begins (n - 1) / n of the time of decoding
///   ahead, the last none.
/// - speculative: what the model will ask for is guessed when its call is admitted, and the tool begins then; a guess
///   is right with a probability, else the tool begins when the call ends (after Speculative Actions, arXiv 2510.04371;
///   the usual 55 % are assumed). Wrong guesses cost nothing here.
/// - prompt-split: while a tool runs, what does not depend on it of the next prompt is computed: the shared prefix
///   and the context so far (prompt splitting in SUTRADHARA). This part queues as a call does, when the tool begins,
///   unless it is cached; its KV is then held until the rest has come, which goes ahead of the calls that wait. A tool
///   that ends before its part does waits for it. Only where the one way on from a tool, errors aside, leads to a model
///   that reads a context which it does not sum up.
/// - streaming+prompt-split: both.
///
/// What a tool has run ahead is taken off its duration, where it has a capacity, too. Only tools directly behind a call
/// run ahead: people do not, nor does what follows another tool.

#include <array>
#include <cstdint>
#include <string_view>

#include "platforms/serving/call.hpp"

namespace tokenyard::agents {

enum class ToolOverlap : std::uint8_t { kNoOverlap, kStreaming, kSpeculative, kPromptSplit, kStreamingPromptSplit };
inline constexpr std::array<std::string_view, 5> kToolOverlapNames = {"none", "streaming", "speculative",
                                                                      "prompt-split", "streaming+prompt-split"};
constexpr bool splits_prompts(ToolOverlap overlap) {
  return overlap == ToolOverlap::kPromptSplit || overlap == ToolOverlap::kStreamingPromptSplit;
}

struct ToolOverlapOptions {
  ToolOverlap overlap = ToolOverlap::kNoOverlap;
  double right = 0.55;  ///< the share of guesses that are
};

/// The dates of a call that a tool may run beside.
struct AskingCall {
  sim::Time scheduled, first_token, end;
};

/// How long before the end of its call the tool `index` of `count` begins; `guessed`: its call was foreseen.
inline sim::Time head_start(ToolOverlap overlap, const AskingCall& call, std::int64_t index, std::int64_t count,
                            bool guessed) {
  switch (overlap) {
    case ToolOverlap::kNoOverlap:
    case ToolOverlap::kPromptSplit:
      return {};
    case ToolOverlap::kStreaming:
    case ToolOverlap::kStreamingPromptSplit:
      return sim::Time::nanoseconds((call.end - call.first_token).ns() / count * (count - 1 - index));
    case ToolOverlap::kSpeculative:
      return guessed ? call.end - call.scheduled : sim::Time();
  }
  return {};
}

}  // namespace tokenyard::agents
