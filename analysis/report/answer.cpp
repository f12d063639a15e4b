#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/page/limits_text.hpp"
#include "analysis/report/sections.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kNamedPools = 8;  ///< more than these are left to the table

struct Share {
  std::string key;
  double value;
};

/// The positive numbers of an object, greatest first.
std::vector<Share> ranked(const Json& object) {
  std::vector<Share> shares;
  if (!object.is_object()) return shares;
  for (const auto& [key, value] : object.items()) {
    if (value.is_number() && value.get<double>() > 0) shares.push_back({key, value.get<double>()});
  }
  std::stable_sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) { return a.value > b.value; });
  return shares;
}

/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  return text;
}

std::string strong(const std::string& html) { return "<strong>" + html + "</strong>"; }
std::string number(const Json& json, JsonPath keys, Unit unit) { return human_number(number_at(json, keys), unit); }

/// Requests without an agent are tasks of one call: the page then speaks of requests.
bool plain_requests(const Json& summary) {
  const Json& agents = value_at(summary, {"agents"});
  return agents.is_object() && agents.size() == 1 && agents.contains("requests");
}

/// None where the summary does not say: a page tells of no 0 that nobody counted.
std::optional<double> chips_of(const Json& summary) {
  double chips = 0;
  const Json& pools = value_at(summary, {"pools"});
  if (!pools.is_object()) return std::nullopt;
  for (const auto& [name, pool] : pools.items()) chips += number_at(pool, {"chips"}).value_or(0);
  return chips;
}

SloLimits limits_of(const Json& slo) {
  return {number_at(slo, {"ttft_s"}), number_at(slo, {"tpot_s"}), number_at(slo, {"e2e_s"}),
          number_at(slo, {"task_s"})};
}

/// "TTFT ≤ 2 s, TPOT ≤ 50 ms, TTFT ≤ 400 ms for voice"; empty if the scenario asks for nothing. Plain text.
std::string service_level_text(const Json& manifest) {
  const Json& slo = value_at(manifest, {"scenario", "slo"});
  std::string text = limits_text(limits_of(slo));
  const Json& agents = value_at(slo, {"agents"});
  if (!agents.is_object()) return text;
  for (const auto& [agent, own] : agents.items()) {
    const std::string limits = limits_text(limits_of(own));
    if (!limits.empty()) text += fmt::format("{}{} for {}", text.empty() ? "" : ", ", limits, agent);
  }
  return text;
}

/// Of the agents that are judged by themselves: " (voice within TTFT ≤ 400 ms: 81 %)".
std::string own_attainments(const Json& summary, const Json& manifest) {
  const Json& own = value_at(manifest, {"scenario", "slo", "agents"});
  std::vector<std::string> list;
  if (own.is_object()) {
    for (const auto& [agent, limits] : own.items()) {
      if (!number_at(summary, {"agents", agent, "attainment"})) continue;  // no limit, or no work
      const std::string text = limits_text(limits_of(limits));
      list.push_back(fmt::format("{}{}: {}", html_escaped(agent), text.empty() ? "" : " within " + html_escaped(text),
                                 number(summary, {"agents", agent, "attainment"}, Unit::kShare)));
    }
  }
  return list.empty() ? "" : fmt::format(" ({})", fmt::join(list, "; "));
}

std::string verdict_sentence(const Json& summary, const Json& manifest) {
  const Json& slo = value_at(summary, {"slo"});
  const std::string asked = service_level_text(manifest);
  const Json& met = value_at(slo, {"met"});
  if (asked.empty()) return "No service level was asked for.";
  if (!met.is_boolean())
    return fmt::format("Nothing {} that the service level could be held against.",
                       number_at(summary, {"counts", "tasks"}) == 0 ? "arrived" : "finished");
  const std::string target =
      human_number(number_at(manifest, {"scenario", "slo", "attainment"}).value_or(0.95), Unit::kShare);
  const std::string of_all = limits_text(limits_of(value_at(manifest, {"scenario", "slo"})));
  const bool of_tasks = number_at(manifest, {"scenario", "slo", "task_s"}).has_value();
  return fmt::format("{}: {} {} within {}{}; {} was asked for.",
                     strong(met.get<bool>() ? "The service level was met" : "The service level was missed"),
                     number(slo, {"attainment"}, Unit::kShare), of_tasks ? "completed" : "stayed",
                     of_all.empty() ? "the limits of their agents" : html_escaped(of_all),
                     own_attainments(summary, manifest), target);
}

/// "Nothing was served: of 78 model calls, 78 rejected; the notes say why, and what helps."; empty where something was.
std::string served_sentence(const Json& summary) {
  if (served(summary)) return {};
  const auto calls = [&](const char* which) { return number_at(summary, {"counts", which}).value_or(0); };
  std::vector<std::string> ends;
  for (const auto& [key, word] :
       {std::pair{"calls_rejected", "rejected"}, {"calls_failed", "failed"}, {"calls_unfinished", "unfinished"}}) {
    if (calls(key) > 0) ends.push_back(fmt::format("{} {}", counted_number(calls(key)), word));
  }
  return fmt::format("{} of {}, {}{}", strong("Nothing was served:"),
                     counted(calls("calls"), "model call", "model calls"), fmt::join(ends, ", "),
                     calls("calls_rejected") > 0 ? "; the notes say why, and what helps." : ".");
}

std::string what_ran_sentence(const Json& summary) {
  const Json& counts = value_at(summary, {"counts"});
  const std::optional<double> counted_tasks = number_at(counts, {"tasks"}), chips = chips_of(summary);
  if (!counted_tasks || !chips) return "What ran, and on how many chips, is not in the summary.";
  const double tasks = *counted_tasks;
  const double completed = number_at(counts, {"tasks_completed"}).value_or(0);
  const Json& agents = value_at(summary, {"agents"});
  const Json& pools = value_at(summary, {"pools"});
  const std::string cluster = fmt::format("{} on {}", counted(static_cast<double>(pools.size()), "pool", "pools"),
                                          counted(*chips, "chip", "chips"));
  const std::string span = number(summary, {"simulated_s"}, Unit::kSeconds) + " of simulated time";
  if (tasks == 0) return fmt::format("{} at {} in {}.", strong("Nothing arrived"), cluster, span);
  std::string text;
  if (plain_requests(summary)) {
    text = fmt::format("{} went to {} in {}", counted(tasks, "request", "requests"), cluster, span);
  } else {
    std::vector<std::string> names;
    if (agents.is_object() && agents.size() <= 6) {
      for (const auto& [name, agent] : agents.items()) names.push_back(html_escaped(name));
    }
    const std::string who =
        names.empty() ? counted(agents.is_object() ? static_cast<double>(agents.size()) : 0, "agent", "agents")
                      : listed(names);
    text = fmt::format("{} of {} made {} to {} in {}", counted(tasks, "task", "tasks"), who,
                       counted(number_at(counts, {"calls"}).value_or(0), "model call", "model calls"), cluster, span);
  }
  if (!served(summary)) return text + ".";
  if (completed == tasks) return text + "; all completed.";
  text += fmt::format("; {} completed", human_number(completed / tasks, Unit::kShare));
  const double failed = number_at(counts, {"tasks_failed"}).value_or(0);
  const bool all_served = number_at(counts, {"calls_completed"}) == number_at(counts, {"calls"});
  if (failed > 0 && all_served)  // a reader would look for the fault in the cluster
    text += fmt::format(" and {} failed by their agents' own doing: every call was served",
                        human_number(failed / tasks, Unit::kShare));
  return text + '.';
}

std::string time_sentence(const Json& summary) {
  const Json& task = value_at(summary, {"latency", "task_s"});
  if (!number_at(task, {"mean"})) return {};
  const std::vector<Share> causes = ranked(value_at(summary, {"causes_s"}));
  double total = 0;
  for (const Share& cause : causes) total += cause.value;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, causes.size()); ++i) {
    if (i == 0 || causes[i].value >= 0.05 * total)
      parts.push_back(fmt::format("{} ({})", html_escaped(words_of(causes[i].key)),
                                  human_number(causes[i].value / total, Unit::kShare)));
  }
  // Times are of tasks that completed, causes of all: those that failed, or did not end, may be quite others.
  const bool all = number_at(summary, {"counts", "tasks_completed"}) == number_at(summary, {"counts", "tasks"});
  const char* what = plain_requests(summary) ? "request" : "task";
  return fmt::format("A {}{} took {} on average and {} of them stayed below {}{}", all ? "" : "completed ", what,
                     strong(number(task, {"mean"}, Unit::kSeconds)), human_number(0.95, Unit::kShare),
                     number(task, {"p95"}, Unit::kSeconds),
                     parts.empty() ? "." : fmt::format("; the time of all {}s went to {}.", what, listed(parts)));
}

/// What each agent got; nothing for a single one, of which the sentence before has told.
std::string agents_sentence(const Json& summary) {
  const Json& agents = value_at(summary, {"agents"});
  if (!agents.is_object() || agents.size() < 2 || agents.size() > 6) return {};
  std::vector<std::string> parts;
  for (const auto& [name, agent] : agents.items()) {
    if (!number_at(agent, {"task_s", "p50"})) continue;
    parts.push_back(fmt::format("{} {} and {}", strong(html_escaped(name)),
                                number(agent, {"task_s", "p50"}, Unit::kSeconds),
                                number(agent, {"task_s", "p95"}, Unit::kSeconds)));
  }
  return parts.empty() ? std::string()
                       : "Median and 95th-percentile task times: " + fmt::format("{}", fmt::join(parts, "; ")) + ".";
}

std::string pools_sentence(const Json& summary) {
  const Json& pools = value_at(summary, {"pools"});
  if (!pools.is_object() || pools.empty()) return {};
  struct Pool {
    std::string name, held;
    double busy;
  };
  std::vector<Pool> known;
  for (const auto& [name, pool] : pools.items()) {
    const std::string held = held_back_by(value_at(pool, {"bound"}));
    if (!held.empty()) known.push_back({name, held, number_at(pool, {"busy"}).value_or(0)});
  }
  std::stable_sort(known.begin(), known.end(), [](const Pool& a, const Pool& b) { return a.busy > b.busy; });
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(known.size(), kNamedPools); ++i) {
    const char* verb = known[i].held.starts_with("idle") ? "was" : "was held back by";
    parts.push_back(fmt::format("{} {} {}", strong(html_escaped(known[i].name)), verb, html_escaped(known[i].held)));
  }
  if (parts.empty()) return {};
  if (known.size() > kNamedPools)
    parts.push_back(fmt::format("{} more are in the table below", known.size() - kNamedPools));
  return fmt::format("{} {}.", known.size() == 1 ? "Pool" : "Of the pools,", fmt::join(parts, "; "));
}

std::string price_sentence(const Json& summary) {
  const std::optional<double> watts = number_at(summary, {"energy", "watts_mean"});
  const std::optional<double> task = number_at(summary, {"cost", "usd_per_completed_task"});
  const std::optional<double> count = chips_of(summary);
  const std::string chips = count ? counted(*count, "chip", "chips") : "chips";
  const std::optional<double> joules = number_at(summary, {"energy", "joules_per_output_token"});
  const double pue = number_at(summary, {"energy", "pue"}).value_or(1);
  const std::string site = pue != 1 ? fmt::format(" and the site around them, at a PUE of {:g},", pue) : "";
  std::string text =
      watts ? fmt::format("The {}{} drew {}{}", chips, site, human_number(watts, Unit::kWatts),
                          joules ? fmt::format(", {} for each output token", human_number(joules, Unit::kJoules)) : "")
            : fmt::format("What the {} drew is unknown", chips);
  text += task ? fmt::format("; a completed {} cost {}.", plain_requests(summary) ? "request" : "task",
                             strong(human_number(task, Unit::kUsd)))
               : std::string("; the cost of a task is unknown.");
  return text;
}

std::string badge(const char* kind, const std::string& html) {
  return fmt::format("<li class=\"badge {}\">{}</li>", kind, html);
}

std::string badges(const RunResult& result) {
  std::string out;
  const Json& met = value_at(result.summary(), {"slo", "met"});
  if (service_level_text(result.manifest()).empty()) {
    out += badge("plain", "No service level");
  } else if (met.is_boolean()) {
    out += met.get<bool>() ? badge("good", "✓ Service level met") : badge("bad", "✗ Service level missed");
  }
  if (text_at(result.summary(), {"status"}) == "partial")
    out += badge("warn", "◐ Partial run: interrupted before its end");
  const Json& validity = value_at(result.summary(), {"validity"});
  if (validity.is_array() && !validity.empty())
    out += badge("warn", "<a href=\"#validity\">Beyond what was calibrated</a>");
  const Json& notes = value_at(result.summary(), {"notes"});
  if (notes.is_array() && !notes.empty()) {
    out += badge("plain",
                 fmt::format("<a href=\"#notes\">{}</a>", counted(static_cast<double>(notes.size()), "note", "notes")));
  }
  return out;
}

/// The agent whose own attainment is the least, and less than that of all work; empty if there is none.
std::string least_kept_agent(const Json& summary, const Json& manifest) {
  const std::optional<double> least = number_at(summary, {"slo", "least_attainment"});
  const Json& own = value_at(manifest, {"scenario", "slo", "agents"});
  if (!least || least == number_at(summary, {"slo", "attainment"}) || !own.is_object()) return {};
  for (const auto& [agent, limits] : own.items()) {
    if (number_at(summary, {"agents", agent, "attainment"}) == least) return agent;
  }
  return {};
}

/// What the verdict goes by: the least of all work's attainment and of each agent's that is judged by itself.
std::string level_tile(const RunResult& result) {
  const std::string asked = service_level_text(result.manifest());
  if (asked.empty()) return html_tile("Service level", "–", "none asked for");
  const Json& met = value_at(result.summary(), {"slo", "met"});
  const std::string whose = least_kept_agent(result.summary(), result.manifest());
  return html_tile("Service level kept" + (whose.empty() ? "" : ", " + html_escaped(whose)),
                   number(result.summary(), {"slo", "least_attainment"}, Unit::kShare), html_escaped(asked),
                   !met.is_boolean() ? ""
                   : met.get<bool>() ? "good"
                                     : "bad");
}

std::string tiles(const RunResult& result) {
  const Json& s = result.summary();
  const auto latency = [&](const char* label, const char* key) {
    const Json& l = value_at(s, {"latency", key});
    return html_tile(std::string(label) + ", p95", number(l, {"p95"}, Unit::kSeconds),
                     "mean " + number(l, {"mean"}, Unit::kSeconds));
  };
  std::set<std::string> kinds;
  const Json& pools = value_at(s, {"pools"});
  if (pools.is_object()) {
    for (const auto& [name, pool] : pools.items()) {
      if (const std::string chip = text_at(pool, {"chip"}); !chip.empty()) kinds.insert(html_escaped(chip));
    }
  }
  std::string out = level_tile(result);
  out += latency(plain_requests(s) ? "Request time" : "Task time", "task_s");
  out += latency("First token", "ttft_s");
  out += latency("Time per token", "tpot_s");
  out += html_tile("Output tokens", number(s, {"throughput", "output_tokens_per_s"}, Unit::kPerSecond),
                   number(s, {"throughput", "calls_per_s"}, Unit::kCount) + " calls/s");
  out += html_tile("Chips", human_number(chips_of(s), Unit::kCount), listed({kinds.begin(), kinds.end()}));
  out += html_tile("Power", number(s, {"energy", "watts_mean"}, Unit::kWatts),
                   number(s, {"energy", "joules_per_output_token"}, Unit::kJoules) + " per output token");
  out += html_tile(plain_requests(s) ? "Cost per request" : "Cost per task",
                   number(s, {"cost", "usd_per_completed_task"}, Unit::kUsd),
                   number(s, {"cost", "usd_per_million_output_tokens"}, Unit::kUsd) + " per M output tokens");
  return out;
}

}  // namespace

std::string held_back_by(const Json& bound) {
  constexpr double kNearlyAsMuch = 0.6;  // of the first: named with it
  const std::vector<Share> shares = ranked(bound);
  const auto text = [](const Share& share) {
    return fmt::format("{} ({})", words_of(share.key), human_number(share.value, Unit::kShare));
  };
  std::vector<std::string> limits;
  double first = 0, idle = 0;
  for (const Share& share : shares) {
    if (share.key == "idle") {
      idle = share.value;
    } else if (first == 0 || share.value >= kNearlyAsMuch * first) {
      if (first == 0) first = share.value;
      limits.push_back(text(share));
    }
  }
  if (idle <= first) return listed(limits);
  const std::string idle_text = fmt::format("idle ({})", human_number(idle, Unit::kShare));
  return limits.empty() ? idle_text : fmt::format("{}, else held back by {}", idle_text, listed(limits));
}

bool served(const Json& summary) {
  return !(number_at(summary, {"counts", "calls"}) > 0 && number_at(summary, {"counts", "calls_completed"}) == 0);
}

std::vector<std::string> answer_sentences(const Json& summary, const Json& manifest) {
  std::vector<std::string> sentences = {verdict_sentence(summary, manifest) + ' ' + what_ran_sentence(summary)};
  for (const std::string& sentence : {served_sentence(summary), time_sentence(summary), agents_sentence(summary),
                                      pools_sentence(summary), price_sentence(summary)}) {
    if (!sentence.empty()) sentences.push_back(sentence);
  }
  return sentences;
}

std::string answer_section(const RunResult& result) {
  const std::vector<std::string> sentences = answer_sentences(result.summary(), result.manifest());
  std::string text = fmt::format("<p class=\"lead\">{}</p>\n", sentences[0]);
  for (std::size_t i = 1; i < sentences.size(); ++i) text += "<p>" + sentences[i] + "</p>\n";
  return fmt::format("<ul class=\"badges\">{}</ul>\n{}<dl class=\"tiles\">\n{}</dl>\n", badges(result), text,
                     tiles(result));
}

}  // namespace tokenyard::analysis
