#pragma once
/// One replica, step by step and request by request, as vLLM V1's scheduler goes about it (v1/core/sched/scheduler.py)
/// over a block-by-block cache. Slow and plain, to hold Replica to. A call that arrives on the nanosecond at which a
/// step ends is seen by the next step but one, and one that finds the engine idle starts a step at once, alone. Tiers
/// below HBM are block caches, too: see kv_tiers.hpp for what moves when.

#include <cmath>
#include <deque>
#include <map>
#include <optional>

#include "tests/platforms/kv/block_cache.hpp"
#include "tests/platforms/serving/stand.hpp"

namespace tokenyard::platforms {

class ReferenceEngine {
 public:
  struct Result {
    bool rejected = false;
    sim::Time scheduled = CallRecord::kNoTime, first_token = CallRecord::kNoTime, finish = CallRecord::kNoTime;
    Tokens cached_tokens = 0;
    std::uint32_t preemptions = 0;
  };

  /// A tier's blocks, and the tokens that its link brings in a second.
  struct Tier {
    std::int64_t blocks = 0;
    double tokens_per_s = 0;
  };

  ReferenceEngine(const StepCost& cost, const BatchingOptions& options, const KvCache::Options& kv,
                  const std::vector<Tier>& tiers = {}, const KvRetentionOptions& retention = {})
      : cost_(cost),
        options_(options),
        kv_options_(kv),
        kv_(kv, true),
        holds_(retention.policy != KvRetentionPolicy::kLru),
        retention_(retention, cost, options.max_num_batched_tokens) {
    for (const Tier& tier : tiers) {
      tiers_.push_back(
          {BlockCache({.blocks = tier.blocks, .block_size = kv.block_size}, true), KvLink(tier.tokens_per_s)});
    }
  }

  std::vector<Result> run(const std::vector<Planned>& calls) {
    requests_.resize(calls.size());
    std::size_t next = 0;
    sim::FineTime now;
    const auto arrive = [&] {
      Request& request = requests_[next];
      request.planned = &calls[next];
      request.waiting_since = calls[next].arrival;
      request.call = request_of(calls[next]);
      request.owner = next + 1;
      request.call.remaining = remaining_.expected(0, calls[next].node);
      remaining_.came(calls[next].task, 0, calls[next].node, calls[next].arrival);
      request.entity = next;
      for (const Extent& extent : calls[next].prompt) request.prompt += extent.tokens;
      request.result.rejected = !could_ever_run(request);
      if (!request.result.rejected) {
        request.held = claim(*request.planned);
        queue(request);
      } else if (request.planned->last) {
        forget(request.planned->task, calls[next].arrival);
      }
      ++next;
    };
    for (;;) {
      if (!waiting_.empty() || !running_.empty() || !loaded_.empty()) {
        if (const auto end = step(now)) {
          const sim::Time date = end->published();
          for (;;) {
            const bool arrives = next < calls.size() && calls[next].arrival < date;
            const bool loaded = !loading_.empty() && loading_.begin()->first.first <= date;
            if (loaded && (!arrives || loading_.begin()->first.first <= calls[next].arrival)) {
              deliver();
            } else if (arrives) {
              arrive();
            } else {
              break;
            }
          }
          update(*end);
          formed_ = now.published();
          now = *end;
          continue;
        }
      }
      if (!loading_.empty() && (next == calls.size() || loading_.begin()->first.first <= calls[next].arrival)) {
        now = sim::FineTime(loading_.begin()->first.first);
        expire(now.published());
        deliver();
      } else if (next < calls.size()) {
        now = sim::FineTime(calls[next].arrival);
        expire(now.published());
        arrive();
      } else {
        break;
      }
    }
    std::vector<Result> results;
    for (const Request& request : requests_) results.push_back(request.result);
    return results;
  }

  std::int64_t steps = 0;
  Tokens prefill_tokens = 0, loaded_tokens = 0;
  std::int64_t holds = 0, gave_way = 0, gave_turns = 0, promotions = 0;
  std::int64_t free_blocks() const { return kv_.free_blocks(); }

 private:
  struct Request {
    const Planned* planned = nullptr;
    std::uint64_t owner = 0, entity = 0;
    CallRequest call;  ///< for its rank
    sim::Time waiting_since, served, waited;
    sim::Time running_since = sim::Time::never();
    Tokens prompt = 0, made = 0, computed = 0, scheduled = 0;
    bool caught_up = false;  ///< all of its context was computed since its admission: it decodes
    bool held = false;       ///< goes ahead: its KV is held, or it gave way
    BlockCache::Request blocks, bounded;
    Result result;
    std::pair<sim::Time, std::uint64_t> ready;  ///< when the last part of its load is there; in the order of asking
    Tokens tokens() const { return prompt + made; }
    Tokens wanted() const { return tokens() - computed; }
    KvContext context() const {
      return {.prompt = planned->prompt, .output = {planned->output_content, made}, .owner = owner};
    }
  };

  CallRequest request_of(const Planned& planned) const {
    CallRequest call;
    call.output_tokens = planned.output_tokens;
    call.task_arrival = planned.task_arrival;
    const bool mlfq = options_.scheduling.order == Scheduling::kMlfq;
    call.task_served = mlfq ? sim::Time() : planned.task_served;
    call.path_served = planned.path_served;
    call.task_waited = mlfq ? sim::Time() : planned.task_waited;
    call.deadline = planned.deadline;
    return call;
  }
  std::pair<bool, std::int64_t> rank(const Request& request) const {
    return {!request.held, options_.scheduling.rank_of(request.call, request.served)};
  }
  void queue(Request& request) {
    const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const Request* other) { return rank(*other) > rank(request); });
    waiting_.insert(at, &request);
  }

  void stop_running(Request& request, sim::Time now) {
    request.served += now - request.running_since;
    leave(request, true);
    request.computed = 0;
    request.caught_up = false;
    request.waiting_since = now;
    ++request.result.preemptions;
    full_ = false;
    if (options_.output_reserve) {
      Tokens made = 0, output = 0;
      for (const Request* other : running_) {
        made += other->made;
        output += other->planned->output_tokens;
      }
      reserve_share_ = OutputReserve::after_preemption(made, output, static_cast<std::int64_t>(running_.size()));
      decode_steps_ = 0;
    }
    const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const Request* other) { return rank(*other) >= rank(request); });
    waiting_.insert(at, &request);
  }

  /// Those that starve are promoted; then who is next takes what it lacks of who ranks last of those behind it.
  void take_turns(sim::Time now) {
    for (Request* request : std::deque<Request*>(waiting_)) {
      const sim::Time wait = options_.scheduling.wait_to_promotion(request->call, request->served, request->waited);
      if (wait > now - request->waiting_since) continue;
      promote(request->call, request->served, request->waited + (now - request->waiting_since));
      std::erase(waiting_, request);
      queue(*request);
      ++promotions;
    }
    while (options_.scheduling.preemptive && !waiting_.empty()) {
      Request& head = *waiting_.front();
      if (options_.async_scheduling && head.waiting_since > formed_) return;
      auto last = running_.end();
      std::int64_t behind = rank(head).second;
      for (auto other = running_.begin(); other != running_.end(); ++other) {
        if (!(*other)->caught_up) continue;
        const sim::Time served = (*other)->served + (now - (*other)->running_since);
        const std::int64_t own = options_.scheduling.rank_of((*other)->call, served);
        if (own > behind || (last != running_.end() && own == behind)) last = other, behind = own;
      }
      if (last == running_.end()) return;
      if (static_cast<std::int32_t>(running_.size()) < options_.max_num_seqs) {
        const std::vector<int> hit = kv_.find(tokens_of(head.context()));
        Tokens count = head.tokens() - static_cast<Tokens>(hit.size()) * kv_options_.block_size;
        if (options_.long_prefill_token_threshold > 0) count = std::min(count, options_.long_prefill_token_threshold);
        const bool enough = fits(head, hit, std::min(count, options_.max_num_batched_tokens));
        if (enough && leaves_room_for_output(head, hit)) return;
        if (give_way()) continue;
      }
      Request& victim = **last;
      running_.erase(last);
      victim.held = false;
      stop_running(victim, now);
      ++gave_turns;
    }
  }

  /// With the next `count` tokens beyond what is cached of it.
  bool fits(const Request& request, const std::vector<int>& hit, Tokens count) const {
    const Tokens cached = static_cast<Tokens>(hit.size()) * kv_options_.block_size;
    const bool whole = options_.scheduler_reserve_full_isl || !tiers_.empty();
    const Tokens must_fit = whole ? request.tokens() : cached + count;
    std::int64_t blocks = (must_fit + kv_options_.block_size - 1) / kv_options_.block_size;
    if (!running_.empty()) blocks += static_cast<std::int64_t>(options_.watermark * double(kv_options_.blocks));
    return blocks + bounded_blocks(request) - static_cast<Tokens>(hit.size()) + kv_.unpinned(hit) <= kv_.free_blocks();
  }

  Tokens output_to_come(const Request& request) const {
    return std::min(request.planned->output_tokens - request.made, options_.output_reserve.most);
  }
  /// SGLang's new_token_ratio.
  bool leaves_room_for_output(const Request& request, const std::vector<int>& hit) {
    if (running_.empty()) {
      reserve_share_ = options_.output_reserve.start;
      decode_steps_ = 0;
    }
    if (!options_.output_reserve || running_.empty()) return true;
    const double share = options_.output_reserve.after(reserve_share_, decode_steps_);
    double kept = 0;
    for (const Request* other : running_) {
      const bool fresh = std::find(fresh_.begin(), fresh_.end(), other) != fresh_.end();
      kept += (fresh ? 1 : share) * double(output_to_come(*other));
    }
    const Tokens size = kv_options_.block_size, cached = static_cast<Tokens>(hit.size()) * size;
    const Tokens beside = size + bounded_blocks(request) * size;
    return double(request.tokens() - cached + output_to_come(request) + beside) + kept <
           double((kv_.free_blocks() - kv_.unpinned(hit)) * size);
  }

  /// Of windows and states, beside the context's.
  std::int64_t bounded_blocks(const Request& request) const {
    const double tokens = kv_options_.bounded.tokens(request.prompt + request.planned->output_tokens);
    return static_cast<std::int64_t>(std::ceil(tokens / double(kv_options_.block_size)));
  }
  void hold_bounded(Request& request) {
    const std::vector<std::uint64_t> nameless;
    const auto tokens = static_cast<std::size_t>(bounded_blocks(request) * kv_options_.block_size);
    REQUIRE(kv_.allocate(request.bounded, {}, nameless, tokens, 0));
  }

  bool could_ever_run(const Request& request) const {
    const Tokens all = request.prompt + request.planned->output_tokens;
    return all <= options_.max_model_len &&
           (slots(all - 1) + kv_options_.block_size - 1) / kv_options_.block_size + bounded_blocks(request) <=
               kv_options_.blocks &&
           (options_.chunked_prefill || all - 1 <= options_.max_num_batched_tokens);
  }

  /// Of a context that decodes, with those of drafts.
  Tokens slots(Tokens context) const {
    return std::min(context + options_.speculation.lookahead(), options_.max_model_len);
  }

  bool allocate(Request& request, const std::vector<int>& hit, Tokens upto) {
    // Output is cached when the call ends or is preempted: see kv_cache.hpp.
    const Tokens cacheable = request.caught_up ? 0 : upto;
    return kv_.allocate(request.blocks, hit, tokens_of(request.context()), static_cast<std::size_t>(upto),
                        static_cast<std::size_t>(cacheable));
  }

  void leave(Request& request, bool owned) {
    kv_.free(request.bounded);
    store(request, request.computed, owned);
    kv_.cache(request.blocks, tokens_of(request.context()), static_cast<std::size_t>(request.computed));
    kv_.free(request.blocks);
  }

  /// Whole blocks of the first tokens, as far as they have a name, of the owner if it is `owned`.
  void store(const Request& request, Tokens count, bool owned) {
    KvContext context = request.context();
    if (!owned) context.owner = 0;
    Tokens named = 0;
    for (std::size_t i = 0; i < context.size() && (context[i].content != 0 || owned); ++i) named += context[i].tokens;
    for (LowerTier& tier : tiers_) {
      const Tokens most = tier.cache.free_blocks() * kv_options_.block_size;
      const Tokens whole = std::min({count, named, most}) / kv_options_.block_size * kv_options_.block_size;
      std::vector<std::uint64_t> tokens = tokens_of(context);
      tokens.resize(static_cast<std::size_t>(whole));
      tokens.push_back(0);  // the last token of what is looked up is never found
      BlockCache::Request holder;
      REQUIRE(tier.cache.allocate(holder, tier.cache.find(tokens), tokens, static_cast<std::size_t>(whole),
                                  static_cast<std::size_t>(whole)));
      tier.cache.free(holder);
    }
  }

  /// Whatever the tiers have beyond the first `cached` tokens is on its way then. False: nothing.
  bool load(Request& request, const std::vector<int>& hit, Tokens cached, sim::Time now) {
    Tokens reached = cached;
    for (LowerTier& tier : tiers_) {
      const Tokens tokens =
          static_cast<Tokens>(tier.cache.find(tokens_of(request.context())).size()) * kv_options_.block_size;
      if (tokens <= reached) continue;
      const std::pair<sim::Time, std::uint64_t> there{tier.link.transfer(now, static_cast<double>(tokens - reached)),
                                                      ++parts_};
      request.ready = reached == cached ? there : std::max(request.ready, there);
      reached = tokens;
    }
    if (reached == cached) return false;
    REQUIRE(kv_.allocate(request.blocks, hit, tokens_of(request.context()), static_cast<std::size_t>(request.tokens()),
                         static_cast<std::size_t>(cached)));
    hold_bounded(request);
    request.computed = reached;
    loaded_tokens += reached - cached;
    loading_[request.ready] = &request;
    return true;
  }

  void deliver() {
    Request& request = *loading_.begin()->second;
    loading_.erase(loading_.begin());
    kv_.cache(request.blocks, tokens_of(request.context()), static_cast<std::size_t>(request.computed));
    store(request, request.computed, request.result.preemptions > 0);
    loaded_.push_back(&request);
  }

  void admitted(Request& request, Tokens cached, sim::Time now) {
    request.waited += now - request.waiting_since;
    if (request.held) let_go([&](const Held& held) { return goes_on(held, *request.planned); });
    if (request.result.scheduled != CallRecord::kNoTime) return;
    if (holds_ && !request.held) retention_.on_queued(now - request.waiting_since);
    request.result.scheduled = now;
    request.result.cached_tokens = cached;
  }

  // KV held for the next call of a task: when what is held goes, and for whom.

  struct Held {
    std::uint64_t task = 0, content = 0;
    sim::Time task_arrival, until;
    BlockCache::Request blocks;
  };
  static bool goes_on(const Held& held, const Planned& call) {
    return held.task == call.task && tokenyard::platforms::goes_on(call.prompt, held.content);
  }
  bool claim(const Planned& call) {
    if (holds_) retention_.on_arrival(call.task, call.prompt, call.arrival);
    bool found = false;
    for (Held& held : held_) {
      if (!goes_on(held, call)) continue;
      held.until = sim::Time::never();
      found = true;
    }
    return found;
  }
  template <typename Which>
  void let_go(const Which& which) {
    for (std::size_t i = 0; i < held_.size();) {
      if (which(held_[i])) {
        kv_.free(held_[i].blocks);
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
  /// One after the other, as their times are over.
  void expire(sim::Time now) {
    for (;;) {
      const auto first =
          std::min_element(held_.begin(), held_.end(), [](const Held& a, const Held& b) { return a.until < b.until; });
      if (first == held_.end() || first->until >= now) return;
      kv_.free(first->blocks);
      held_.erase(first);
    }
  }
  bool give_way() {
    if (held_.empty()) return false;
    const auto latest = std::max_element(held_.begin(), held_.end(), [](const Held& a, const Held& b) {
      return std::pair(a.task_arrival, a.task) < std::pair(b.task_arrival, b.task);
    });
    kv_.free(latest->blocks);
    held_.erase(latest);
    ++gave_way;
    return true;
  }
  void forget(std::uint64_t task, sim::Time now) {
    remaining_.ended(task, now);
    if (holds_) retention_.forget(task);
    let_go([&](const Held& held) { return held.task == task; });
  }
  void hold(const Request& request, sim::Time now) {
    if (!holds_) return;
    const Planned& call = *request.planned;
    const std::uint64_t content = call.prompt.back().content;
    Tokens others = 0;
    for (const Request* other : running_) others += other->caught_up ? other->tokens() : other->computed;
    const std::uint64_t wait =
        call.next_node != CallRequest::kNoNode && content != 0 ? call.next_node : KvRetention::kNoWait;
    const sim::Time time = retention_.hold_for({call.task, content, wait, request.tokens(), others}, now);
    if (time == sim::Time()) return;
    KvContext context = request.context();
    context.owner = 0;
    Held held{
        call.task, content, call.task_arrival, time < sim::Time::never() - now ? now + time : sim::Time::never(), {}};
    const std::vector<std::uint64_t> tokens = tokens_of(context);
    const std::vector<int> hit = kv_.find(tokens);
    REQUIRE(kv_.allocate(held.blocks, hit, tokens, hit.size() * static_cast<std::size_t>(kv_options_.block_size), 0));
    held_.push_back(held);
    ++holds;
  }

  /// schedule(), and the end of the step; nothing if there is nothing to do.
  std::optional<sim::FineTime> step(sim::FineTime start) {
    const sim::Time now = start.published();
    expire(now);
    fresh_.clear();
    if (options_.scheduling.takes_turns()) take_turns(now);
    Tokens budget = options_.max_num_batched_tokens;
    bool preempted = false;
    for (Request* request : running_) request->scheduled = 0;
    const Tokens queries = options_.speculation.queries();
    // What a prompt takes of the budget beside calls that decode.
    const auto claim = [&](Tokens count) { return options_.mixed_chunk ? std::max(count, queries) : count; };
    if (options_.mixed_chunk) {
      for (const Request* request : running_) budget -= request->caught_up ? queries : 0;
    }
    bool prompts = true, decodes = options_.mixed_chunk;
    const auto schedule = [&] {
      for (std::size_t i = 0; i < running_.size(); ++i) {
        Request& request = *running_[i];
        if (!(request.caught_up ? decodes : prompts)) continue;
        Tokens count = request.wanted();
        if (!request.caught_up) {
          if (options_.long_prefill_token_threshold > 0) count = std::min(count, options_.long_prefill_token_threshold);
          count = std::min(count, budget);
          REQUIRE(count > 0);
        }
        bool fits = false;
        while (
            !(fits = allocate(request, {}, request.caught_up ? slots(request.tokens()) : request.computed + count))) {
          if (give_way()) continue;
          Request& victim = *running_.back();
          running_.pop_back();
          preempted = true;
          victim.held = holds_;
          stop_running(victim, now);
          if (&victim == &request) break;
        }
        if (!fits) break;
        request.scheduled = count;
        if (!request.caught_up) budget -= claim(count);
      }
    };
    schedule();
    const auto admit = [&] {
      budget = options_.max_num_batched_tokens;
      for (const Request* request : running_) {
        budget -= !request->caught_up ? claim(request->scheduled) : decodes ? queries : 0;
      }
      const auto room_for_prompt = [&] {
        return !options_.one_prompt || std::none_of(running_.begin(), running_.end(), [](const Request* request) {
          return !request->caught_up && request->scheduled > 0;
        });
      };
      const bool nothing = running_.empty();
      if (nothing) formed_ = now;
      const bool admits = !preempted || nothing;
      bool stopped = false;
      while (admits && !loaded_.empty() && static_cast<std::int32_t>(running_.size()) < options_.max_num_seqs) {
        Request& request = *loaded_.front();
        stopped = options_.async_scheduling && request.ready.first > formed_;
        if (stopped) break;
        Tokens count = request.tokens() - request.computed;
        if (options_.long_prefill_token_threshold > 0) count = std::min(count, options_.long_prefill_token_threshold);
        stopped = budget < claim(1) || (!options_.chunked_prefill && count > budget) || !room_for_prompt();
        if (stopped) break;
        count = std::min(count, budget);
        REQUIRE(allocate(request, {}, request.computed + count));
        loaded_.pop_front();
        running_.push_back(&request);
        request.running_since = now;
        request.scheduled = count;
        budget -= claim(count);
      }
      while (admits && !stopped && !waiting_.empty() && budget >= claim(1) && room_for_prompt() &&
             static_cast<std::int32_t>(running_.size()) < options_.max_num_seqs && (!full_ || running_.empty())) {
        Request& request = *waiting_.front();
        const auto another_try = [&] { return running_.empty() && loading_.empty() && loaded_.empty() && give_way(); };
        if (options_.async_scheduling && request.waiting_since > formed_) break;
        const std::vector<int> hit = kv_.find(tokens_of(request.context()));
        const Tokens cached = static_cast<Tokens>(hit.size()) * kv_options_.block_size;
        Tokens count = request.tokens() - cached;
        if (options_.long_prefill_token_threshold > 0) count = std::min(count, options_.long_prefill_token_threshold);
        if (!options_.chunked_prefill && count > budget) break;
        count = std::min(count, budget);
        if (!leaves_room_for_output(request, hit)) {
          full_ = true;
          break;
        }
        if (!fits(request, hit, count)) {
          if (another_try()) continue;
          full_ = full_ || (options_.output_reserve && !running_.empty());
          break;
        }
        if (!tiers_.empty() && load(request, hit, cached, now)) {
          waiting_.pop_front();
          admitted(request, request.computed, now);
          continue;
        }
        if (!allocate(request, hit, cached + count)) break;
        hold_bounded(request);
        waiting_.pop_front();
        running_.push_back(&request);
        fresh_.push_back(&request);
        request.running_since = now;
        request.computed = cached;
        request.scheduled = count;
        budget -= claim(count);
        admitted(request, cached, now);
      }
    };
    admit();
    const auto scheduled = [](const Request* request) { return request->scheduled > 0; };
    if (!options_.mixed_chunk && std::none_of(running_.begin(), running_.end(), scheduled)) {
      prompts = false;
      decodes = true;
      schedule();
      if (running_.empty()) admit();
    }
    std::int32_t decoding = 0;
    Tokens context = 0, longest = 0;
    std::vector<PrefillChunk> chunks;
    for (const Request* request : running_) {
      if (request->scheduled == 0) continue;
      if (request->caught_up) {
        ++decoding;
        context += request->tokens();
        longest = std::max(longest, request->tokens());
      } else {
        chunks.push_back(
            {request->scheduled, request->computed, request->computed + request->scheduled == request->tokens()});
        prefill_tokens += request->scheduled;
      }
    }
    if (decoding == 0 && chunks.empty()) {
      REQUIRE((waiting_.empty() || !loading_.empty()));
      return {};
    }
    ++steps;
    if (decoding > 0) ++decode_steps_;
    return start + sim::FineTime(sim::Int128{
                       cost_.piece({decoding, context, decoding * longest - context}, chunks).ticks(context)});
  }

  /// update_from_output().
  void update(sim::FineTime end) {
    std::vector<Request*> still, ended;
    for (Request* request : running_) {
      const bool decoded = request->caught_up;
      request->computed += request->scheduled;
      const bool token = request->scheduled > 0 && request->computed == request->tokens();
      if (token) {
        request->caught_up = true;
        ++request->made;
        if (decoded && options_.speculation.drafts() > 0) {
          sim::Stream draw(options_.seed, sim::StreamName("speculation"), request->entity,
                           static_cast<std::uint32_t>(request->made));
          double reached = 1;
          const double u = draw.uniform();
          for (const double accepted : options_.speculation.acceptance) {
            reached *= accepted;
            if (u >= reached || request->made == request->planned->output_tokens) break;
            ++request->made;
            ++request->computed;
          }
        }
        if (request->result.first_token == CallRecord::kNoTime) request->result.first_token = end.published();
      }
      if (token && request->made == request->planned->output_tokens) {
        request->result.finish = end.published();
        ended.push_back(request);
      } else {
        still.push_back(request);
      }
    }
    running_ = still;
    for (Request* request : ended) {
      full_ = false;
      leave(*request, false);
      hold(*request, end.published());
      if (request->planned->last) forget(request->planned->task, end.published());
    }
  }

  const StepCost& cost_;
  BatchingOptions options_;
  KvCache::Options kv_options_;
  sim::Time formed_;  ///< when the batch of the coming step is formed, with async scheduling
  BlockCache kv_;
  bool holds_;
  KvRetention retention_;
  RemainingTime remaining_;
  std::vector<Held> held_;
  struct LowerTier {
    BlockCache cache;
    KvLink link;
  };
  std::vector<LowerTier> tiers_;
  std::uint64_t parts_ = 0;
  std::map<std::pair<sim::Time, std::uint64_t>, Request*> loading_;
  std::deque<Request*> loaded_;
  std::deque<Request> requests_;
  std::deque<Request*> waiting_;
  std::vector<Request*> running_, fresh_;  ///< fresh: admitted in the step that is formed
  double reserve_share_ = options_.output_reserve.start;
  std::int64_t decode_steps_ = 0;  ///< since it was that
  bool full_ = false;
};

}  // namespace tokenyard::platforms
