#pragma once
/// Tools that begin before the call that asks for them has ended.
///
/// - none: they begin when it ends.
/// - streaming: each as soon as its arguments are made (streaming dispatch in SUTRADHARA, arXiv 2601.12967): of n tools
///   asked for at once, each takes an n-th of the answer, so the first begins (n - 1) / n of the time of decoding
///   ahead, the last none.
/// - speculative: what the model will ask for is guessed when its call is admitted, and the tool begins then; a guess
///   is right with a probability, else the tool begins when the call ends (after Speculative Actions, arXiv 2510.04371;
///   the usual 55 % are assumed). Wrong guesses cost nothing here.
///
/// What a tool has run ahead is taken off its duration, where it has a capacity, too. Only tools directly behind a call
/// run ahead: people do not, nor does what follows another tool.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "platforms/serving/call.hpp"

namespace tokenyard::agents {

enum class ToolOverlap : std::uint8_t { kOff, kStreaming, kSpeculative };
inline constexpr std::array<std::string_view, 3> kToolOverlapNames = {"none", "streaming", "speculative"};

struct ToolOverlapOptions {
  ToolOverlap overlap = ToolOverlap::kOff;
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
    case ToolOverlap::kOff:
      return {};
    case ToolOverlap::kStreaming:
      return sim::Time::nanoseconds((call.end - call.first_token).ns() / count * (count - 1 - index));
    case ToolOverlap::kSpeculative:
      return guessed ? call.end - call.scheduled : sim::Time();
  }
  return {};
}

}  // namespace tokenyard::agents
