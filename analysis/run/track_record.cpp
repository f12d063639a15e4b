#include "analysis/run/track_record.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "sim/input/json.hpp"

#include "embedded/track_record.hpp"

namespace tokenyard::analysis {
namespace {

/// Medians over so many measured points, relative.
struct Figures {
  std::int64_t points = 0;
  double ratio = 1;  ///< simulated over measured
  double error = 0;
};

/// One model on one chip with one engine.
struct Served {
  std::string chip, model, engine, weights;
  bool static_shapes;                       ///< of the engine
  std::optional<Figures> tpot, ttft, rate;  ///< times per output token and to first token; output tokens a second

  std::int64_t points() const { return tpot ? tpot->points : rate ? rate->points : 0; }
};

std::optional<Figures> read_figures(const sim::Json& json) {
  return json.is_null() ? std::nullopt : std::optional(Figures{json["points"], json["ratio"], json["error"]});
}

std::vector<Served> read_record() {
  std::vector<Served> record;
  const sim::Json file = sim::parse_json(embedded::track_record().front().text).value();
  for (const sim::Json& row : file["served"]) {
    record.push_back({row["chip"], row["model"], row["engine"], row["weights"], row["static_shapes"],
                      read_figures(row["tpot"]), read_figures(row["ttft"]), read_figures(row["rate"])});
  }
  return record;
}

const std::vector<Served>& record() {
  static const std::vector<Served> kRecord = read_record();
  return kRecord;
}

std::string percent(double share) { return fmt::format("{:.2g} %", 100 * share); }

std::string of_model(const Served& served) {
  std::vector<std::string> errors;
  if (served.tpot) errors.push_back(fmt::format("times per output token were {} off", percent(served.tpot->error)));
  if (served.ttft) errors.push_back(fmt::format("times to first token {}", percent(served.ttft->error)));
  if (!served.tpot && served.rate)
    errors.push_back(fmt::format("output tokens/s were {} off", percent(served.rate->error)));
  const std::string points = served.points() == 1 ? "one point" : fmt::format("medians of {} points", served.points());
  return fmt::format("{} ({} measured with {} in {})", fmt::join(errors, ", "), points, served.engine, served.weights);
}

std::string of_others(const std::string& chip, bool static_shapes) {
  std::set<std::string> models;
  double least = 1e9, most = 0;
  for (const Served& served : record()) {
    if (served.chip != chip || served.static_shapes != static_shapes || !served.tpot) continue;
    models.insert(served.model);
    least = std::min(least, served.tpot->error);
    most = std::max(most, served.tpot->error);
  }
  if (models.empty()) return "not measured, nor are times per output token of any other model there";
  if (models.size() == 1)
    return fmt::format("not measured; times per output token of {} there were {} off", *models.begin(), percent(most));
  return fmt::format("not measured; times per output token of {} other models there were {} to {} off (medians)",
                     models.size(), percent(least), percent(most));
}

}  // namespace

TrackRecord track_record(const PoolPlan& pool) {
  if (pool.model == nullptr || !pool.built_in) return {};
  const std::string weights(platforms::name_of(pool.weights));
  const Served* nearest = nullptr;
  const auto rank = [&](const Served& served) {
    return std::tuple(served.tpot.has_value(), served.weights == weights, served.engine == pool.engine->name,
                      served.points());
  };
  for (const Served& served : record()) {
    if (served.chip != pool.chip->name || served.model != pool.model->name) continue;
    if (served.static_shapes != pool.engine->static_shapes) continue;  // other steps altogether
    if (nearest == nullptr || rank(served) > rank(*nearest)) nearest = &served;
  }
  const std::string subject = fmt::format("{} on {}: ", pool.model->name, pool.chip->name);
  if (nearest == nullptr) return {subject + of_others(pool.chip->name, pool.engine->static_shapes), {}};
  TrackRecord says{subject + of_model(*nearest), {}};
  const std::optional<Figures>& judged = nearest->tpot ? nearest->tpot : nearest->rate;
  if (judged && judged->error > kFarOffMedian) {
    says.warning = fmt::format("{}{} were x {:.2f} of what was measured with {} in {}: do not trust its step times",
                               subject, nearest->tpot ? "times per output token" : "output tokens/s", judged->ratio,
                               nearest->engine, nearest->weights);
  }
  return says;
}

}  // namespace tokenyard::analysis
