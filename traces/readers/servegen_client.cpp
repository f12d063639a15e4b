#include "traces/readers/servegen_client.hpp"

#include <algorithm>

#include "sim/random/portable_math.hpp"

namespace tokenyard::traces {

platforms::Tokens ServeGenClient::TokenTable::draw(double u) const {
  const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), u * cumulative.back());
  return tokens[std::min(static_cast<std::size_t>(at - cumulative.begin()), tokens.size() - 1)];
}

ServeGenClient::ServeGenClient(std::uint64_t seed, std::uint64_t number, std::vector<Window> windows,
                               std::vector<Lengths> lengths)
    : seed_(seed), number_(number), windows_(std::move(windows)), lengths_(std::move(lengths)) {
  constexpr double kOnlyWindowS = 600;
  end_s_ = windows_.back().begin_s +
           (windows_.size() > 1 ? windows_.back().begin_s - windows_[windows_.size() - 2].begin_s : kOnlyWindowS);
  clock_s_ = windows_.front().begin_s;
  advance();
}

void ServeGenClient::take(agents::RecordedRequest& request) {
  std::size_t at = lengths_.size() - 1;
  while (at > 0 && lengths_[at].begin_s > clock_s_) --at;
  sim::Stream draws(seed_, sim::StreamName("servegen/length"), number_, static_cast<std::uint32_t>(requests_));
  const double u = draws.uniform();
  const double v = draws.uniform();
  request.prompt.assign(1, {0, lengths_[at].prompt.draw(u)});
  request.output_tokens = lengths_[at].output.draw(v);
  advance();
}

void ServeGenClient::advance() {
  while (window_ < windows_.size() && windows_[window_].rate_per_s <= 0) enter_next();
  if (window_ == windows_.size()) {
    over_ = true;
    return;
  }
  sim::Stream draws(seed_, sim::StreamName("servegen/gap"), number_, static_cast<std::uint32_t>(++requests_));
  const Window& from = windows_[window_];
  double left = from.weibull_shape > 0 ? from.gap_scale * sim::portable_pow(draws.exponential(), 1 / from.weibull_shape)
                                       : from.gap.sample(draws);
  while (window_ < windows_.size()) {
    const double rate = windows_[window_].rate_per_s;
    const double until = (window_ + 1 < windows_.size() ? windows_[window_ + 1].begin_s : end_s_) - clock_s_;
    if (left <= until * rate) {
      clock_s_ += left / rate;
      return;
    }
    left -= until * rate;
    enter_next();
  }
  over_ = true;
}

void ServeGenClient::enter_next() {
  ++window_;
  clock_s_ = window_ < windows_.size() ? windows_[window_].begin_s : end_s_;
}

}  // namespace tokenyard::traces
