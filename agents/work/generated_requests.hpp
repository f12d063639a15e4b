#pragma once
/// Requests drawn from distributions, with Poisson arrivals. Request i is a function of (seed, i) alone.

#include "agents/work/request_source.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::agents {

class GeneratedRequests final : public RequestSource {
 public:
  GeneratedRequests(std::uint64_t seed, double rate_per_s, sim::Time end, sim::Distribution prompt_tokens,
                    sim::Distribution output_tokens)
      : seed_(seed), rate_per_s_(rate_per_s), end_(end), prompt_tokens_(std::move(prompt_tokens)),
        output_tokens_(std::move(output_tokens)) {}

  bool next(RecordedRequest& request) override {
    sim::Stream gap(seed_, sim::StreamName("request-gap"), ordinal_);
    clock_s_ += gap.exponential() / rate_per_s_;
    request.arrival = sim::Time::seconds(clock_s_);
    if (request.arrival >= end_) return false;
    sim::Stream prompt(seed_, sim::StreamName("request-prompt"), ordinal_);
    sim::Stream output(seed_, sim::StreamName("request-output"), ordinal_);
    request.prompt.assign(1, {0, prompt_tokens_.sample_tokens(prompt)});
    request.output_tokens = output_tokens_.sample_tokens(output);
    ++ordinal_;
    return true;
  }

 private:
  std::uint64_t seed_;
  double rate_per_s_;
  sim::Time end_;
  sim::Distribution prompt_tokens_, output_tokens_;
  double clock_s_ = 0;
  std::uint64_t ordinal_ = 0;
};

}  // namespace tokenyard::agents
