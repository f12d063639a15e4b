#include "platforms/kv/kv_retention.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {

using sim::Time;

Time KvRetention::hold_for(const Completed& call, Time now) {
  if (options_.policy == KvRetentionPolicy::kContinuumTtl) {
    Task& task = tasks_[call.task];
    ++task.calls;
    if (call.wait != kNoWait) task.content = call.content, task.wait = call.wait, task.since = now;
  }
  if (call.wait == kNoWait) return Time();
  switch (options_.policy) {
    case KvRetentionPolicy::kLru:
      return Time();
    case KvRetentionPolicy::kPreserve:
      return Time::never();
    case KvRetentionPolicy::kStaticTtl:
      return options_.ttl;
    case KvRetentionPolicy::kContinuumTtl:
      return continuum_ttl(call);
    case KvRetentionPolicy::kMinWaste: {
      if (options_.load_s_per_token > 0) return Time::seconds(reload_s(call.tokens));
      const auto tokens = static_cast<double>(call.tokens);
      return Time::seconds(recompute_s(call.tokens) * (tokens + static_cast<double>(call.others)) / tokens);
    }
  }
  return Time();
}

/// A larger t is worth its cost only where it catches one more of the waits seen: those are the candidates.
Time KvRetention::continuum_ttl(const Completed& call) const {
  const auto of_node = waits_.find(call.wait);
  const sim::RecentTimes* waits = &all_waits_;
  if (of_node != waits_.end() && of_node->second.size() >= options_.enough) waits = &of_node->second;
  if (waits->size() < options_.enough) return options_.ttl;
  const double saved_s = queued_.mean().seconds() * memoryfulness() + reload_s(call.tokens);
  Time best;
  double best_gain = 0;
  for (std::size_t i = 0; i < waits->size(); ++i) {
    const Time wait = waits->sorted()[i];
    const double caught = static_cast<double>(i + 1) / static_cast<double>(waits->size());
    const double gain = caught * saved_s - wait.seconds();
    if (gain > best_gain) best_gain = gain, best = wait;
  }
  return best;
}

void KvRetention::on_arrival(std::uint64_t task, std::span<const Extent> prompt, Time now) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end() || found->second.wait == kNoWait || !goes_on(prompt, found->second.content)) return;
  const Time waited = now - found->second.since;
  waits_[found->second.wait].add(waited);
  all_waits_.add(waited);
  found.value().wait = kNoWait;
}

void KvRetention::forget(std::uint64_t task) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return;
  const auto n = static_cast<double>(found->second.calls);
  tasks_.erase(found);
  turns_.count += n;
  turns_.k += n * (n + 1) / 2;
  turns_.left += n * (n - 1) / 2;
  turns_.k_k += n * (n + 1) * (2 * n + 1) / 6;
  turns_.left_left += n * (n - 1) * (2 * n - 1) / 6;
  turns_.k_left += (n - 1) * n * (n + 1) / 6;
}

double KvRetention::memoryfulness() const {
  const double k_k = turns_.count * turns_.k_k - turns_.k * turns_.k;
  const double left_left = turns_.count * turns_.left_left - turns_.left * turns_.left;
  if (k_k <= 0 || left_left <= 0) return 1;
  const double correlation = (turns_.count * turns_.k_left - turns_.k * turns_.left) / std::sqrt(k_k * left_left);
  return std::clamp(-correlation, 0.0, 1.0);
}

/// In steps full of it, each as long as the middle one: attention makes them grow evenly.
double KvRetention::recompute_s(Tokens tokens) const {
  const Tokens chunk = std::min(tokens, budget_);
  const PrefillChunk middle{chunk, (tokens - chunk) / 2, true};
  const auto ticks = static_cast<double>(cost_.piece({}, {&middle, 1}).ticks(0));
  return ticks / sim::FineTime::kTicksPerSecond * (static_cast<double>(tokens) / static_cast<double>(chunk));
}

double KvRetention::reload_s(Tokens tokens) const {
  return options_.load_s_per_token > 0 ? options_.load_s_per_token * static_cast<double>(tokens) : recompute_s(tokens);
}

}  // namespace tokenyard::platforms
