#pragma once
/// One request to a model: what is asked of a pool, and the record of what became of it.

#include <cstdint>
#include <span>

#include "platforms/kv/extent.hpp"
#include "platforms/serving/cause.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::platforms {

/// Pictures asked of a media pool, in place of tokens. No steps: it is not a media call.
struct MediaOrder {
  std::int64_t width = 0, height = 0, frames = 1;
  std::int64_t steps = 0;  ///< of denoising
};

enum class CallStatus : std::uint8_t { kCompleted, kFailed, kRejected, kUnfinished };
inline constexpr std::array<std::string_view, 4> kCallStatusNames = {"completed", "failed", "rejected", "unfinished"};

/// What a call did and when. `kNoTime` marks a stage it never reached.
struct CallRecord {
  static constexpr sim::Time kNoTime = sim::Time::never();

  std::uint64_t call = 0;  ///< numbered in the order of arrival, from 0
  // Whose work it is, in the numbers that the request gave.
  std::uint64_t task = 0;
  std::uint32_t agent = 0;
  std::uint32_t node = 0;     ///< the step of the agent's work
  std::uint32_t branch = 0;   ///< of the task, if several run side by side
  std::uint32_t pool = 0;     ///< where it was submitted
  std::uint32_t replica = 0;  ///< within the pool; of the decode pool where the two are apart
  sim::Time arrival;
  sim::Time scheduled = kNoTime;
  sim::Time first_token = kNoTime;
  sim::Time finish = kNoTime;  ///< last token; for a call that did not complete: when it ended
  Tokens prompt_tokens = 0;
  Tokens cached_tokens = 0;  ///< found in the prefix cache at first admission
  Tokens output_tokens = 0;  ///< asked for; once it has ended: made
  std::uint32_t preemptions = 0;
  std::int64_t media_steps = 0;  ///< of a media call, which has no tokens and no first token
  CallStatus status = CallStatus::kUnfinished;
  CauseTimes causes;  ///< sums to finish - arrival exactly
};

class CallListener {
 public:
  virtual ~CallListener() = default;
  /// `cookie` is the request's.
  virtual void on_call_end(const CallRecord& record, std::uint64_t cookie) = 0;
  /// Comes right before: what that will use may be fetched (sim/core/cache_line.hpp).
  virtual void before_call_end(std::uint64_t /*cookie*/) const {}
};

struct CallRequest {
  static constexpr std::uint32_t kNoNode = 0xffffffff, kNoPool = 0xffffffff;

  std::uint64_t task = 0;
  std::uint32_t agent = 0;
  std::uint32_t node = 0;
  /// Where its task goes once it has completed, to come back with the same context: a tool, a person. An engine sees
  /// as much in the tool call that ends an answer. kNoNode: it does not come back, as far as is known.
  std::uint32_t next_node = kNoNode;
  std::uint32_t branch = 0;
  std::uint32_t pool = 0;
  std::uint32_t part_pool = kNoPool, part_replica = 0;  ///< where a part of its prompt is held, if one is
  /// The first part of a prompt, whose rest a tool is yet to make. It is computed and then held for the call that goes
  /// on with it; it asks for one token, which nobody gets. Chips and queues have its work, observers see no call.
  bool part = false;
  sim::Time waited;                         ///< for the part of its prompt: it arrived so much earlier
  std::uint64_t entity = 0;                 ///< what the work is, whatever hardware it runs on: for its random draws
  sim::Time task_arrival;                   ///< when the task arrived
  sim::Time task_served;                    ///< how long its ended calls were served (CauseTimes::served), in all
  sim::Time path_served;                    ///< likewise, those on the longest path that led to this one
  sim::Time task_waited;                    ///< how long its ended calls waited in queues, in all
  sim::Time deadline = sim::Time::never();  ///< of the task
  sim::Time remaining;                      ///< of the task, as far as the fleet has learned (Scheduling)
  /// The prompt; must stay alive and unchanged until the call ends.
  std::span<const Extent> prompt;
  /// What its task may need once it has completed, by the shortest ways on from here; of a lifetime beyond the task's.
  std::span<const NextUse> next_uses;
  Tokens output_tokens = 1;  ///< of a media call 0
  /// Content of the output as it will stand in a later prompt right after this one; 0 if it will not (thinking first,
  /// or no later prompt). The content of the prompt's last extent means that the output goes on with it: see Extent.
  std::uint64_t output_content = 0;
  MediaOrder media;
  CallListener* listener = nullptr;
  std::uint64_t cookie = 0;
};

}  // namespace tokenyard::platforms
