#include "agents/work/arrivals.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>

namespace tokenyard::agents {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Changes of rate come no faster, for the time between two arrivals is walked change by change.
constexpr double kShortestPeriodS = 1, kShortestBurstS = 0.01;

Diurnal read_diurnal(sim::ObjectReader& r) {
  Diurnal diurnal;
  diurnal.period_s = r.number("period_s", {.fallback = 86400, .minimum = kShortestPeriodS, .maximum = 1e9});
  const sim::Json* factors = r.raw("factors");
  const auto positive = [](const sim::Json& f) {
    return f.is_number() && f.get<double>() > 0 && f.get<double>() < 1e9;
  };
  if (factors == nullptr || !factors->is_array() || factors->empty() ||
      !std::all_of(factors->begin(), factors->end(), positive)) {
    r.fault("factors", factors == nullptr ? "nothing" : sim::shown(*factors),
            "a list of numbers above 0: the rate in equal windows of the period, relative to each other");
    diurnal.factors = {1};
    return diurnal;
  }
  for (const sim::Json& f : *factors) diurnal.factors.push_back(f.get<double>());
  const double mean = std::accumulate(diurnal.factors.begin(), diurnal.factors.end(), 0.0) /
                      static_cast<double>(diurnal.factors.size());
  for (double& factor : diurnal.factors) factor /= mean;
  return diurnal;
}

}  // namespace

void ArrivalSpec::read(sim::ObjectReader& r) {
  const std::size_t faults = r.faults().size();
  const std::string process = r.choice("process", {"poisson", "gamma", "markov-modulated", "diurnal"}, "poisson");
  if (r.faults().size() != faults) {  // without the process, its keys cannot be judged
    r.pass_over();
    return;
  }
  if (process == "gamma") cv = r.number("cv", {.minimum = 0.05, .maximum = 50});
  if (process == "diurnal") diurnal = read_diurnal(r);
  if (process == "markov-modulated") {
    Bursts b;
    b.burst_factor = r.number("burst_factor", {.fallback = b.burst_factor, .minimum = 1, .maximum = 1e6});
    b.burst_share = r.number("burst_share", {.fallback = b.burst_share, .minimum = 1e-6, .maximum = 0.999});
    b.mean_burst_s = r.number("mean_burst_s", {.fallback = b.mean_burst_s, .minimum = kShortestBurstS, .maximum = 1e9});
    bursts = b;
  }
  if (process != "diurnal") r.object("diurnal", [&](sim::ObjectReader& d) { diurnal = read_diurnal(d); });
  if (r.raw("batch") != nullptr) {
    batch = sim::read_amount(r, "batch");
    if (batch->is_constant() && batch->mean() < 1) r.fault("batch", fmt::format("{}", batch->mean()), "at least 1");
  }
}

double ArrivalSpec::changes_in(double duration_s) const {
  double changes = 0;
  if (diurnal) changes += duration_s / diurnal->period_s * static_cast<double>(diurnal->factors.size());
  if (bursts) changes += 2 * duration_s * bursts->burst_share / bursts->mean_burst_s;
  return changes;
}

ArrivalProcess::ArrivalProcess(std::uint64_t seed, std::string_view entry, ArrivalSpec spec, sim::Time end)
    : seed_(seed),
      gap_(fmt::format("{}/arrival-gap", entry)),
      size_(fmt::format("{}/batch-size", entry)),
      state_(fmt::format("{}/burst", entry)),
      spec_(std::move(spec)),
      end_(end),
      gamma_gap_(sim::Distribution::gamma(1 / (spec_.cv * spec_.cv), spec_.cv * spec_.cv)) {
  if (spec_.diurnal) window_end_s_ = spec_.diurnal->period_s / static_cast<double>(spec_.diurnal->factors.size());
  if (spec_.batch) mean_batch_ = std::max(1.0, spec_.batch->mean());
  if (spec_.bursts) {
    sim::Stream stream(seed_, state_, 0);
    bursting_ = stream.uniform() < spec_.bursts->burst_share;
    draw_state();
  }
}

double ArrivalProcess::rate_now() const {
  double rate = spec_.rate_per_s / mean_batch_;
  if (spec_.diurnal) rate *= spec_.diurnal->factors[window_];
  if (spec_.bursts) {
    const Bursts& b = *spec_.bursts;
    const double calm = 1 / (1 + b.burst_share * (b.burst_factor - 1));  // so that the mean factor is 1
    rate *= bursting_ ? calm * b.burst_factor : calm;
  }
  return rate;
}

double ArrivalProcess::until_change() const {
  double at = kInfinity;
  if (spec_.diurnal) at = window_end_s_;
  if (spec_.bursts) at = std::min(at, state_end_s_);
  return at - clock_s_;
}

void ArrivalProcess::change() {
  if (spec_.diurnal && clock_s_ >= window_end_s_) {
    window_ = (window_ + 1) % spec_.diurnal->factors.size();
    window_end_s_ += spec_.diurnal->period_s / static_cast<double>(spec_.diurnal->factors.size());
  }
  if (spec_.bursts && clock_s_ >= state_end_s_) {
    bursting_ = !bursting_;
    draw_state();
  }
}

void ArrivalProcess::draw_state() {
  const Bursts& b = *spec_.bursts;
  const double mean = bursting_ ? b.mean_burst_s : b.mean_burst_s * (1 - b.burst_share) / b.burst_share;
  sim::Stream stream(seed_, state_, ++states_);
  state_end_s_ = clock_s_ + mean * stream.exponential();
}

sim::Time ArrivalProcess::next() {
  if (left_in_batch_ > 0) {
    --left_in_batch_;
    return sim::Time::seconds(clock_s_);
  }
  sim::Stream stream(seed_, gap_, arrivals_);
  double gap = 0;
  if (spec_.cv == 1) {
    gap = stream.exponential();
  } else {
    gap = gamma_gap_.sample(stream);
  }
  for (;;) {
    const double rate = rate_now();
    const double ahead_s = until_change();
    if (gap <= ahead_s * rate) {
      clock_s_ += gap / rate;
      break;
    }
    if (sim::Time::seconds(clock_s_) >= end_) break;
    gap -= ahead_s * rate;
    clock_s_ += ahead_s;
    change();
  }
  if (spec_.batch) {
    sim::Stream sizes(seed_, size_, arrivals_);
    left_in_batch_ = spec_.batch->sample_tokens(sizes) - 1;
  }
  ++arrivals_;
  return sim::Time::seconds(clock_s_);
}

}  // namespace tokenyard::agents
