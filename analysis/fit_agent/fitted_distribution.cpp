#include "analysis/fit_agent/fitted_distribution.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "analysis/measured/sample_statistics.hpp"
#include "sim/random/distribution.hpp"
#include "sim/random/portable_math.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::portable_exp;
using sim::portable_log;

constexpr double kKolmogorov = 1.63;  ///< 1 %, of large samples
constexpr std::size_t kMostShares = 64, kMostValues = 48;
constexpr std::size_t kFewest = 30;  ///< smaller samples are taken as they are

double variance_of(const sim::MeanInterval& moments) { return moments.deviation * moments.deviation; }

/// Five digits: more than a sample tells, and still short.
double rounded(double x) { return in_digits(x, 5); }

/// The greatest difference between the sample, sorted, and a law of whole numbers.
double distance_of_counts(const std::vector<double>& sorted, const std::function<double(int)>& mass) {
  double law = 0, greatest = 0;
  std::size_t at = 0;
  const auto n = static_cast<double>(sorted.size());
  for (int k = 0; at < sorted.size() && k < 1'000'000; ++k) {
    law += mass(k);
    while (at < sorted.size() && sorted[at] <= k) ++at;
    greatest = std::max(greatest, std::abs(law - static_cast<double>(at) / n));
  }
  return greatest;
}

double distance_of_sizes(const std::vector<double>& sorted, const std::function<double(double)>& cumulative) {
  double greatest = 0;
  const auto n = static_cast<double>(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double law = cumulative(sorted[i]);
    greatest = std::max(
        {greatest, std::abs(law - static_cast<double>(i) / n), std::abs(law - static_cast<double>(i + 1) / n)});
  }
  return greatest;
}

/// The regularised lower incomplete gamma function (series below a + 1, continued fraction above).
double gamma_cdf(double a, double x) {
  if (x <= 0) return 0;
  const double front = portable_exp(-x + a * portable_log(x) - sim::log_gamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int n = 1; n < 500 && term > sum * 1e-12; ++n) sum += term *= x / (a + n);
    return sum * front;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int n = 1; n < 500; ++n) {
    const double an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-12) break;
  }
  return 1 - front * h;
}

/// Half the square of a normal deviate follows the gamma law of shape 1/2. Not erfc: the C library's differs between
/// processors.
double normal_cdf(double z) {
  const double within = gamma_cdf(0.5, 0.5 * z * z);
  return 0.5 * (z < 0 ? 1 - within : 1 + within);
}

struct Candidate {
  double distance;
  Json dist;
};

/// The nearest candidate that is near enough, or with `simplest` the first; else what `otherwise` makes.
FittedDistribution result_of(std::size_t n, const sim::MeanInterval& moments, const std::vector<Candidate>& candidates,
                             bool simplest, const std::function<Json()>& otherwise) {
  FittedDistribution fit;
  fit.n = n;
  fit.mean = moments.mean;
  fit.half_width = moments.half_width.value_or(0);
  double best = kKolmogorov / std::sqrt(static_cast<double>(n));
  for (const Candidate& candidate : candidates) {
    if (candidate.distance >= best) continue;
    best = candidate.distance;
    fit.dist = candidate.dist;
    if (simplest) break;
  }
  if (fit.dist.is_null()) fit.dist = otherwise();
  fit.family = fit.dist.is_number() ? "constant" : fit.dist["dist"].get<std::string>();
  return fit;
}

Json constant_of(double value) { return Json(rounded(value)); }

/// Means of equal shares of the sorted sample.
Json shares_of(const std::vector<double>& sorted) {
  const std::size_t shares = std::min(kMostShares, sorted.size());
  Json values = Json::array();
  for (std::size_t i = 0; i < shares; ++i) {
    const std::size_t begin = i * sorted.size() / shares, end = (i + 1) * sorted.size() / shares;
    double sum = 0;
    for (std::size_t j = begin; j < end; ++j) sum += sorted[j];
    values.push_back(rounded(sum / static_cast<double>(end - begin)));
  }
  return {{"dist", "empirical"}, {"values", values}};
}

Json values_of(const std::vector<double>& sorted) {
  std::map<double, double> weights;
  for (const double x : sorted) weights[x] += 1;
  if (weights.size() > kMostValues) return shares_of(sorted);
  Json values = Json::array(), shares = Json::array();
  for (const auto& [value, weight] : weights) {
    values.push_back(value);
    shares.push_back(rounded(weight / static_cast<double>(sorted.size())));
  }
  return {{"dist", "empirical"}, {"values", values}, {"weights", shares}};
}

}  // namespace

FittedDistribution fit_counts(std::vector<double> sample) {
  if (sample.empty()) return {Json(0), "constant"};
  std::sort(sample.begin(), sample.end());
  const sim::MeanInterval m = sim::mean_interval(sample);
  const double variance = variance_of(m);
  std::vector<Candidate> candidates;
  if (sample.front() == sample.back()) {
    candidates.push_back({0, constant_of(sample.front())});
  } else if (sample.size() >= kFewest) {
    double poisson = portable_exp(-m.mean);
    candidates.push_back({distance_of_counts(sample,
                                             [&](int k) {
                                               const double now = poisson;
                                               poisson *= m.mean / (k + 1);
                                               return now;
                                             }),
                          {{"dist", "poisson"}, {"mean", rounded(m.mean)}}});
    if (sample.front() >= 1) {
      const double p = 1 / m.mean;
      double mass = p;
      candidates.push_back({distance_of_counts(sample,
                                               [&](int k) {
                                                 if (k == 0) return 0.0;
                                                 const double now = mass;
                                                 mass *= 1 - p;
                                                 return now;
                                               }),
                            {{"dist", "geometric"}, {"p", rounded(p)}}});
    }
    if (variance > m.mean * 1.0001) {
      const double p = m.mean / variance, r = m.mean * p / (1 - p);
      double mass = portable_exp(r * portable_log(p));
      candidates.push_back({distance_of_counts(sample,
                                               [&](int k) {
                                                 const double now = mass;
                                                 mass *= (k + r) / (k + 1) * (1 - p);
                                                 return now;
                                               }),
                            {{"dist", "negative-binomial"}, {"r", rounded(r)}, {"p", rounded(p)}}});
    }
  }
  return result_of(sample.size(), m, candidates, true, [&] { return values_of(sample); });
}

FittedDistribution fit_sizes(std::vector<double> sample) {
  if (sample.empty()) return {Json(0), "constant"};
  std::sort(sample.begin(), sample.end());
  const sim::MeanInterval m = sim::mean_interval(sample);
  const double variance = variance_of(m);
  std::vector<Candidate> candidates;
  if (sample.front() == sample.back()) {
    candidates.push_back({0, constant_of(sample.front())});
  } else if (sample.size() >= kFewest && sample.front() > 0) {
    std::vector<double> logs;
    for (const double x : sample) logs.push_back(portable_log(x));
    const sim::MeanInterval l = sim::mean_interval(logs);
    const double sigma = l.deviation;
    candidates.push_back(
        {distance_of_sizes(sample, [&](double x) { return normal_cdf((portable_log(x) - l.mean) / sigma); }),
         {{"dist", "lognormal"}, {"median", rounded(portable_exp(l.mean))}, {"sigma", rounded(sigma)}}});
    const double shape = m.mean * m.mean / variance, scale = variance / m.mean;
    if (shape >= sim::Distribution::kLeastGammaShape && shape < 1e4) {
      candidates.push_back({distance_of_sizes(sample, [&](double x) { return gamma_cdf(shape, x / scale); }),
                            {{"dist", "gamma"}, {"shape", rounded(shape)}, {"scale", rounded(scale)}}});
    }
  }
  return result_of(sample.size(), m, candidates, false, [&] { return shares_of(sample); });
}

double probability_half_width(double p, double n) {
  static const double kZ = sim::normal_quantile(0.975);
  return kZ / (1 + kZ * kZ / n) * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
}

}  // namespace tokenyard::analysis
