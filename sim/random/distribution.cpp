#include "sim/random/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/core/rounded.hpp"
#include "sim/input/enum_choice.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::sim {
namespace {

/// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; scale 1.
double draw_gamma(Stream& stream, double shape) {
  if (shape < 1) {
    const double boosted = draw_gamma(stream, shape + 1);
    const double u = stream.uniform();
    return boosted * portable_pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v <= 0) continue;
    const double u = stream.uniform();
    if (portable_log(u) < 0.5 * x * x + d - d * v + d * portable_log(v)) return d * v;
  }
}

/// By multiplication below 30; above, brought down to that first.
double draw_poisson(Stream& stream, double mean) {
  double total = 0;
  while (mean > 30) {
    // Ahrens and Dieter's reduction by a gamma variable: O(log mean).
    const double n = std::floor(mean * 7 / 8);
    const double g = draw_gamma(stream, n);
    if (g > mean) {
      // n - 1 further points fall uniformly before g: a binomial count, by its definition.
      const double p = mean / g;
      for (double i = 1; i < n; ++i) total += stream.uniform() < p ? 1 : 0;
      return total;
    }
    total += n;
    mean -= g;
  }
  const double limit = portable_exp(-mean);
  double product = stream.uniform();
  while (product > limit) {
    total += 1;
    product *= stream.uniform();
  }
  return total;
}

std::size_t pick(const std::vector<double>& cumulative, double u) {
  const auto it = std::upper_bound(cumulative.begin(), cumulative.end(), u * cumulative.back());
  return std::min(static_cast<std::size_t>(it - cumulative.begin()), cumulative.size() - 1);
}

}  // namespace

Distribution Distribution::constant(double value) {
  Distribution d;
  d.a_ = value;
  return d;
}

Distribution Distribution::gamma(double shape, double scale) {
  Distribution d;
  d.family_ = Family::kGamma;
  d.a_ = shape;
  d.b_ = scale;
  return d;
}

Distribution Distribution::read(const Json& value, const std::string& file, const std::string& pointer,
                                Faults& faults) {
  if (value.is_number()) return constant(value.get<double>());
  if (!value.is_object()) {
    faults.add(file, pointer, shown(value),
               R"(a number or a distribution: {"dist": "lognormal", "median": 129, "sigma": 0.9})");
    return constant(1);
  }
  const std::size_t before = faults.size();
  ObjectReader r(value, file, pointer, faults);
  Distribution d;
  d.family_ = enum_choice<Family>(r, "dist", kFamilyNames);
  if (faults.size() != before) {  // without the family, its keys cannot be judged
    r.pass_over();
    return constant(1);
  }
  d.read_parameters(r);
  d.times_ = r.number("times", {.fallback = 1, .minimum = 0});
  if (d.times_ == 0) d.family_ = Family::kConstant, d.a_ = 0;  // a draw may be infinite, and 0 times that is no number
  d.minimum_ = r.optional_number("min").value_or(d.minimum_);
  d.maximum_ = r.optional_number("max").value_or(d.maximum_);
  if (d.maximum_ < d.minimum_)
    r.fault("max", fmt::format("{}", d.maximum_), fmt::format("at least min = {}", d.minimum_));
  r.finish();
  return faults.size() != before ? constant(1) : d;
}

void Distribution::read_parameters(ObjectReader& r) {
  const NumberRule positive{.minimum = 0, .exclusive = true};
  switch (family_) {
    case Family::kConstant:
      a_ = r.number("value");
      return;
    case Family::kUniform:
      a_ = r.number("low");
      b_ = r.number("high");
      if (b_ < a_) r.fault("high", fmt::format("{}", b_), fmt::format("at least low = {}", a_));
      return;
    case Family::kExponential:
      a_ = r.number("mean", positive);
      return;
    case Family::kLognormal:
      a_ = r.number("median", positive);
      b_ = r.number("sigma", {.minimum = 0, .maximum = 20});
      return;
    case Family::kGamma:
      a_ = r.number("shape", {.minimum = kLeastGammaShape});
      b_ = r.number("scale", positive);
      return;
    case Family::kWeibull:
      a_ = r.number("scale", positive);
      b_ = r.number("shape", {.minimum = 0.05, .maximum = 1e3});
      return;
    case Family::kNegativeBinomial:
      a_ = r.number("r", {.minimum = 0, .maximum = 1e12, .exclusive = true});
      b_ = r.number("p", {.minimum = 1e-6, .maximum = 1});
      return;
    case Family::kPoisson:
      a_ = r.number("mean", {.minimum = 0, .maximum = 1e6});
      return;
    case Family::kGeometric:
      a_ = r.number("p", {.minimum = 1e-6, .maximum = 1});
      return;
    case Family::kMixture:
      table_ = std::make_shared<Table>(read_mixture(r));
      return;
    case Family::kEmpirical:
      table_ = std::make_shared<Table>(read_empirical(r));
      return;
  }
}

Distribution::Table Distribution::read_mixture(ObjectReader& r) {
  Table table;
  double total = 0;
  r.each(
      "parts",
      [&](ObjectReader& part) {
        total += part.number("weight", {.minimum = 0, .maximum = 1});
        table.cumulative.push_back(total);
        table.parts.push_back(read_distribution(part, "of"));
      },
      true);
  if (table.parts.empty() || std::fabs(total - 1) > 1e-9)
    r.fault("parts", fmt::format("weights that sum to {}", total), "weights that sum to 1");
  return table;
}

Distribution::Table Distribution::read_empirical(ObjectReader& r) {
  Table table;
  const Json* values = r.raw("values");
  const Json* weights = r.raw("weights");
  const bool lists = values != nullptr && values->is_array() && !values->empty() &&
                     (weights == nullptr || (weights->is_array() && weights->size() == values->size()));
  if (!lists) {
    r.fault("values", values == nullptr ? "nothing" : shown(*values),
            "an array of numbers, with as many \"weights\" or none");
    return table;
  }
  double total = 0;
  for (std::size_t i = 0; i < values->size(); ++i) {
    const Json& v = (*values)[i];
    const double w = weights == nullptr ? 1 : (*weights)[i].is_number() ? (*weights)[i].get<double>() : -1;
    if (!v.is_number() || !(w >= 0) || w > 1e300) {
      r.fault("values", fmt::format("entry {}: {}", i, shown(v)), "numbers, with weights of at least 0");
      break;
    }
    total += w;
    table.values.push_back(v.get<double>());
    table.cumulative.push_back(total);
  }
  if (total <= 0) r.fault("weights", "a sum of 0", "weights of which one is above 0");
  return table;
}

double Distribution::draw(Stream& stream) const {
  switch (family_) {
    case Family::kConstant:
      return a_;
    case Family::kUniform:
      return a_ + (b_ - a_) * stream.uniform();
    case Family::kExponential:
      return a_ * stream.exponential();
    case Family::kLognormal:
      return a_ * portable_exp(b_ * stream.normal());
    case Family::kGamma:
      return b_ * draw_gamma(stream, a_);
    case Family::kWeibull:
      return a_ * portable_pow(stream.exponential(), 1 / b_);
    case Family::kNegativeBinomial: {
      if (b_ >= 1) return 0;
      const double rate = draw_gamma(stream, a_) * (1 - b_) / b_;
      return draw_poisson(stream, rate);
    }
    case Family::kPoisson:
      return draw_poisson(stream, a_);
    case Family::kGeometric:
      return a_ >= 1 ? 1 : std::floor(stream.exponential() / -portable_log(1 - a_)) + 1;
    case Family::kMixture: {
      const std::size_t part = pick(table_->cumulative, stream.uniform());
      return table_->parts[part].sample(stream);
    }
    case Family::kEmpirical:
      return table_->values[pick(table_->cumulative, stream.uniform())];
  }
  return 0;
}

double Distribution::sample(Stream& stream) const { return std::clamp(times_ * draw(stream), minimum_, maximum_); }

std::int64_t Distribution::sample_tokens(Stream& stream) const {
  return rounded(std::clamp<double>(sample(stream), 1, kMostTokens));
}

std::int64_t Distribution::sample_count(Stream& stream) const {
  return rounded(std::clamp<double>(sample(stream), 0, kMostTokens));
}

Time Distribution::sample_time(Stream& stream) const { return Time::seconds(std::clamp(sample(stream), 0.0, 9e9)); }

double Distribution::mean() const {
  if (is_constant()) return std::clamp(times_ * a_, minimum_, maximum_);
  if (!std::isfinite(minimum_) && !std::isfinite(maximum_)) return times_ * mean_of_family();
  double sum = 0;
  constexpr int kDraws = 1 << 20;
  Stream stream(0, StreamName("distribution-mean"), 0);
  for (int i = 0; i < kDraws; ++i) sum += sample(stream);
  return sum / kDraws;
}

double Distribution::mean_of_family() const {
  switch (family_) {
    case Family::kUniform:
      return (a_ + b_) / 2;
    case Family::kLognormal:
      return a_ * portable_exp(b_ * b_ / 2);
    case Family::kGamma:
      return a_ * b_;
    case Family::kWeibull:
      return a_ * portable_exp(log_gamma(1 + 1 / b_));
    case Family::kNegativeBinomial:
      return a_ * (1 - b_) / b_;
    case Family::kGeometric:
      return 1 / a_;
    case Family::kConstant:
    case Family::kExponential:
    case Family::kPoisson:
      return a_;
    case Family::kMixture:
    case Family::kEmpirical:
      return table_->mean();
  }
  return a_;
}

double Distribution::least() const {
  double of_family = 0;
  switch (family_) {
    case Family::kConstant:
    case Family::kUniform:
      of_family = a_;
      break;
    case Family::kGeometric:
      of_family = 1;
      break;
    case Family::kMixture:
    case Family::kEmpirical:
      of_family = table_->least();
      break;
    default:
      break;
  }
  return std::clamp(times_ * of_family, minimum_, maximum_);
}

double Distribution::Table::least() const {
  if (parts.empty()) return *std::min_element(values.begin(), values.end());
  double least = parts.front().least();
  for (const Distribution& part : parts) least = std::min(least, part.least());
  return least;
}

double Distribution::Table::mean() const {
  double sum = 0, before = 0;
  for (std::size_t i = 0; i < cumulative.size(); ++i) {
    sum += (cumulative[i] - before) * (parts.empty() ? values[i] : parts[i].mean());
    before = cumulative[i];
  }
  return sum / before;
}

Distribution read_distribution(ObjectReader& reader, std::string_view key, std::optional<double> fallback) {
  const Json* value = reader.raw(key);
  if (value != nullptr) return Distribution::read(*value, reader.file(), reader.pointer_to(key), reader.faults());
  if (!fallback) reader.fault(key, "nothing", "this key is required: a number or a distribution");
  return Distribution::constant(fallback.value_or(1));
}

Distribution read_amount(ObjectReader& reader, std::string_view key, std::optional<double> fallback) {
  Distribution amount = read_distribution(reader, key, fallback);
  if (const double least = amount.least(); least < 0) {
    reader.fault(key, amount.is_constant() ? fmt::format("{}", least) : fmt::format("draws down to {}", least),
                 amount.is_constant() ? "a number of at least 0" : "none below 0 (\"min\": 0 cuts them off)");
  }
  return amount;
}

}  // namespace tokenyard::sim
