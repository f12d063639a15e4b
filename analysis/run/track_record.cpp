#include "analysis/run/track_record.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "embedded/track_record.hpp"

namespace tokenyard::analysis {
namespace {

/// One model on one chip with one engine: medians, relative, over so many measured points.
struct Served {
  std::string chip, model, engine, weights;
  std::int64_t points = 0;
  double tpot_ratio = 1;  ///< simulated over measured
  double tpot_error = 0;
  std::optional<double> ttft_error;
};

std::vector<Served> read_record() {
  std::vector<Served> record;
  const sim::Json file = sim::Json::parse(embedded::track_record().front().text);
  for (const sim::Json& row : file["served"]) {
    Served served{row["chip"],   row["model"],      row["engine"],     row["weights"],
                  row["points"], row["tpot_ratio"], row["tpot_error"], {}};
    if (!row["ttft_error"].is_null()) served.ttft_error = row["ttft_error"].get<double>();
    record.push_back(std::move(served));
  }
  return record;
}

const std::vector<Served>& record() {
  static const std::vector<Served> kRecord = read_record();
  return kRecord;
}

std::string percent(double share) { return fmt::format("{:.2g} %", 100 * share); }

std::string of_model(const Served& served) {
  return fmt::format("times per output token were {} off{} (medians of {} points measured with {} in {})",
                     percent(served.tpot_error),
                     served.ttft_error ? fmt::format(", times to first token {}", percent(*served.ttft_error)) : "",
                     served.points, served.engine, served.weights);
}

std::string of_others(const std::string& chip) {
  std::set<std::string> models;
  double least = 1e9, most = 0;
  for (const Served& served : record()) {
    if (served.chip != chip) continue;
    models.insert(served.model);
    least = std::min(least, served.tpot_error);
    most = std::max(most, served.tpot_error);
  }
  if (models.empty()) return "not measured, nor is any other model served by this chip";
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
    return std::tuple(served.weights == weights, served.engine == pool.engine->name, served.points);
  };
  for (const Served& served : record()) {
    if (served.chip != pool.chip->name || served.model != pool.model->name) continue;
    if (nearest == nullptr || rank(served) > rank(*nearest)) nearest = &served;
  }
  const std::string subject = fmt::format("{} on {}: ", pool.model->name, pool.chip->name);
  if (nearest == nullptr) return {subject + of_others(pool.chip->name), {}};
  constexpr double kFarOff = 0.2;
  TrackRecord says{subject + of_model(*nearest), {}};
  if (nearest->tpot_error > kFarOff) {
    says.warning = fmt::format(
        "{}times per output token were x {:.2f} of what was measured with {} in {}: do not "
        "trust its step times",
        subject, nearest->tpot_ratio, nearest->engine, nearest->weights);
  }
  return says;
}

}  // namespace tokenyard::analysis
