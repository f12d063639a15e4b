#pragma once
/// One client of ServeGen, whose requests are drawn from what was published of it (the format: servegen.cpp).
///
/// Its arrivals are a renewal process in operational time, in which one unit passes per expected request: a gap is
/// drawn from the pattern of the window it begins in, scaled to a mean of 1, and stretches over later windows at their
/// rates. So each window has its published mean rate, and gaps longer than a window are not cut off. Prompt and output
/// lengths are drawn independently from the distributions of the window they arrive in (the files hold no joint one),
/// or of the last one before it that is not empty, else the first after it.
///
/// Request i is a function of (seed, client, i) alone. Cost: O(windows) a request.
///
///   ServeGenClient client(seed, 3, windows, lengths);
///   while (!client.over()) client.take(request);   // at client.next_s(), before it is taken

#include <vector>

#include "agents/record/request_source.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::traces {

class ServeGenClient {
 public:
  struct Window {
    double begin_s = 0, rate_per_s = 0;
    double weibull_shape = 0;  ///< 0: not Weibull
    sim::Distribution gap;     ///< of mean 1, if not Weibull
    double gap_scale = 1;      ///< of a Weibull gap of mean 1
  };
  /// Lengths by probability.
  struct TokenTable {
    std::vector<double> cumulative;
    std::vector<platforms::Tokens> tokens;

    platforms::Tokens draw(double u) const;
  };
  struct Lengths {
    double begin_s = 0;
    TokenTable prompt, output;
  };

  /// Both in order of time, at least one each; some window has a rate above 0.
  ServeGenClient(std::uint64_t seed, std::uint64_t number, std::vector<Window> windows, std::vector<Lengths> lengths);

  bool over() const { return over_; }
  double next_s() const { return clock_s_; }
  /// The next request, without its date; then on to the one after it.
  void take(agents::RecordedRequest& request);

 private:
  void advance();
  void enter_next();

  std::uint64_t seed_, number_;
  std::vector<Window> windows_;
  std::vector<Lengths> lengths_;
  double end_s_ = 0, clock_s_ = 0;
  std::size_t window_ = 0;
  std::uint64_t requests_ = 0;
  bool over_ = false;
};

}  // namespace tokenyard::traces
