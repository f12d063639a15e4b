#include "analysis/demand/sizing_figures.hpp"

#include <functional>
#include <map>

#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// Null where one of the seeds does not know it.
Json mean_over_seeds(const std::vector<const Trial*>& trials, const std::function<Json(const Json& summary)>& figure) {
  double sum = 0;
  for (const Trial* trial : trials) {
    const Json value = figure(trial->summary);
    if (!value.is_number()) return nullptr;
    sum += value.get<double>();
  }
  return sum / static_cast<double>(trials.size());
}

}  // namespace

Json tokens_per_task(const Json& summary) {
  const Json& counts = summary["counts"];
  if (counts["tasks"].get<double>() == 0) return nullptr;
  if (counts["tasks_unfinished"] == 0) {
    return (counts["prompt_tokens"].get<double>() + counts["output_tokens"].get<double>()) /
           counts["tasks"].get<double>();
  }
  double tokens = 0, tasks = 0;
  for (const auto& [name, agent] : summary["agents"].items()) {
    const Json &prompt = agent["prompt_tokens_per_task"], &output = agent["output_tokens_per_task"];
    if (!prompt.is_number() || !output.is_number()) continue;  // none of it completed
    tasks += agent["tasks"].get<double>();
    tokens += agent["tasks"].get<double>() * (prompt.get<double>() + output.get<double>());
  }
  return tasks > 0 ? Json(tokens / tasks) : Json(nullptr);
}

sim::MeanInterval mean_attainment(const std::vector<const Trial*>& trials) {
  std::vector<double> attainments;
  for (const Trial* trial : trials) attainments.push_back(1 - trial->missed);
  return sim::mean_interval(attainments);
}

Json size_figures(const std::vector<const Trial*>& trials) {
  const auto mean = [&](const char* pointer) {
    return mean_over_seeds(trials, [&](const Json& summary) { return summary[Json::json_pointer(pointer)]; });
  };
  const sim::MeanInterval attainment = mean_attainment(trials);
  return {{"tasks_per_s", mean("/throughput/tasks_per_s")},
          {"calls_per_s", mean("/throughput/calls_per_s")},
          {"output_tokens_per_s", mean("/throughput/output_tokens_per_s")},
          {"total_tokens_per_s", mean("/throughput/total_tokens_per_s")},
          {"watts", mean("/energy/watts_mean")},
          {"tokens_per_task", mean_over_seeds(trials, tokens_per_task)},
          {"ttft_p95_s", mean("/latency/ttft_s/p95")},
          {"tpot_p95_s", mean("/latency/tpot_s/p95")},
          {"task_p95_s", mean("/latency/task_s/p95")},
          {"attainment", attainment.mean},
          {"attainment_half_width", sim::or_null(attainment.half_width)}};
}

Limit limit_of(const Json& summary, std::int64_t chips) {
  std::map<std::string, double> shares;
  for (const auto& [name, pool] : summary["pools"].items()) {
    for (const auto& [bound, share] : pool["bound"].items()) {
      if (bound == "idle" || !share.is_number()) continue;
      shares[bound] += share.get<double>() * pool["chips"].get<double>() / static_cast<double>(chips);
    }
  }
  Limit limit;
  for (const auto& [bound, share] : shares) {
    if (share > limit.share) limit = {bound, share};
  }
  return limit;
}

}  // namespace tokenyard::analysis
