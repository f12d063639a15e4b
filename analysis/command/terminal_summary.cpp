#include "analysis/command/terminal_summary.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

#include "analysis/command/text_table.hpp"
#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/report/sections.hpp"
#include "analysis/result/value_at.hpp"
#include "sim/input/text.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

class TerminalSummary {
 public:
  TerminalSummary(const Json& summary, const Json& scenario, const std::string& folder, bool colour)
      : s_(summary), scenario_(scenario), folder_(folder), colour_(colour) {}

  std::string text() {
    headline();
    answer();
    counts();
    if (served(s_)) latency();  // else the answer has told
    agents();
    pools();
    tiers();
    closing();
    return std::move(text_);
  }

 private:
  static constexpr auto kLeft = TextTable::kLeft;
  static constexpr auto kRight = TextTable::kRight;
  static constexpr const char* kIndent = "  ";

  std::string bold(const std::string& words) const { return colour_ ? "\033[1m" + words + "\033[0m" : words; }

  void headline() {
    text_ += fmt::format("\n{}{}: {} simulated in {}\n\n", bold(s_["name"].get<std::string>()),
                         s_["status"] == "partial" ? " (partial)" : "", duration_text(s_["simulated_s"]),
                         duration_text(s_["wall_s"]));
  }

  void counts() {
    const Json& c = s_["counts"];
    TextTable table({kLeft, kRight, kLeft, kLeft, kLeft, kLeft});
    for (const char* what : {"tasks", "calls"}) {
      std::vector<std::string> row = {what, count_text(c[what])};
      for (const char* status : {"completed", "failed", "rejected", "unfinished"}) {
        const std::string key = fmt::format("{}_{}", what, status);
        if (c.contains(key)) row.push_back(fmt::format("{} {}", count_text(c[key]), status));
      }
      table.row(std::move(row));
    }
    text_ += table.text(kIndent);
    text_ += fmt::format("{}tokens: {} in, of them {} cached; {} out\n\n", kIndent, count_text(c["prompt_tokens"]),
                         count_text(c["cached_tokens"]), count_text(c["output_tokens"]));
  }

  void latency_row(TextTable& table, std::string title, const Json& l) {
    table.row({std::move(title), duration_text(l["mean"]), duration_text(l["p50"]), duration_text(l["p95"]),
               duration_text(l["p99"]), duration_text(l["max"])});
  }

  void latency() {
    TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight});
    table.row({"", "mean", "p50", "p95", "p99", "max"});
    for (const auto& [key, title] : {std::pair{"queue_s", "waiting"},
                                     {"ttft_s", "time to first token"},
                                     {"tpot_s", "time per output token"},
                                     {"itl_s", "between tokens"},
                                     {"e2e_s", "whole call"},
                                     {"task_s", "whole task"}}) {
      latency_row(table, title, s_["latency"][key]);
    }
    text_ += table.text(kIndent) + '\n';
  }

  void agents() {
    const Json& agents = s_["agents"];
    if (agents.empty()) return;
    TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kRight});
    table.row({"agent", "tasks", "completed", "TTFT p95", "TPOT p95", "task p50", "task p95", "calls each", "tokens in",
               "out", "in time"});
    for (const auto& [name, a] : agents.items()) {
      table.row({name, count_text(a["tasks"]), count_text(a["tasks_completed"]), duration_text(a["ttft_s"]["p95"]),
                 duration_text(a["tpot_s"]["p95"]), duration_text(a["task_s"]["p50"]),
                 duration_text(a["task_s"]["p95"]), quantity_text(a["calls_per_task"]),
                 quantity_text(a["prompt_tokens_per_task"]), quantity_text(a["output_tokens_per_task"]),
                 share_text(a["attainment"])});
    }
    text_ += table.text(kIndent) + fmt::format("{}(task times and after: completed tasks only)\n\n", kIndent);
  }

  /// The largest share of a pool's time, and what it says.
  static std::string verdict(const Json& bound) {
    std::string most;
    double share = 0;
    for (const auto& [what, value] : bound.items()) {
      if (value.is_number() && value.get<double>() > share) share = value.get<double>(), most = what;
    }
    if (most.empty()) return "did nothing";
    return fmt::format("{} ({})", most == "idle" ? "idle" : most + "-bound", share_text(share));
  }

  void pools() {
    TextTable table({kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kLeft});
    table.row({"pool", "on", "busy", "MFU", "MBU", "KV in use", "prefix hits", "mostly"});
    for (const auto& [name, p] : s_["pools"].items()) {
      table.row({name, fmt::format("{} {}", count_text(p["chips"]), p["chip"].get<std::string>()),
                 share_text(p["busy"]), share_text(p["mfu"]), share_text(p["mbu"]), share_text(p["kv_utilization"]),
                 share_text(p["prefix_hit_rate"]), verdict(p["bound"])});
    }
    text_ += table.text(kIndent) + '\n';
  }

  /// Where the prompts of pools with KV tiers were found.
  void tiers() {
    TextTable table({kLeft, kLeft, kRight, kRight, kRight});
    table.row({"KV tiers", "tier", "prompt found", "loaded", "stored"});
    bool any = false;
    for (const auto& [name, p] : s_["pools"].items()) {
      if (!p.contains("kv_tiers")) continue;
      any = true;
      for (const auto& [tier, t] : p["kv_tiers"].items()) {
        const auto bytes = [](const Json& of, const char* key) {
          return of.contains(key) ? human_number(of[key].get<double>(), Unit::kBytes) : std::string("–");
        };
        table.row({name, tier, share_text(t["hit_rate"]), bytes(t, "bytes_loaded"), bytes(t, "bytes_stored")});
      }
    }
    if (any) text_ += table.text(kIndent) + '\n';
  }

  void closing() {
    TextTable table({kLeft, kLeft});
    const Json& met = s_["slo"]["met"];  // null: none was asked for, or nothing arrived; the answer says which
    if (!met.is_null()) {
      std::string own;
      if (const Json& agents = value_at(scenario_, {"slo", "agents"}); agents.is_object()) {
        for (const auto& [agent, limits] : agents.items()) {
          if (!s_["agents"][agent]["attainment"].is_number()) continue;  // no limit, or no work
          own += fmt::format(", {} of {}'s", share_text(s_["agents"][agent]["attainment"]), agent);
        }
      }
      table.row(
          {"service level", fmt::format("{}: {} of the work within its limits{}", met.get<bool>() ? "met" : "not met",
                                        share_text(s_["slo"]["attainment"]), own)});
    }
    table.row({"throughput", served(s_) ? fmt::format("{} output tokens/s, {} calls/s, {} tasks/s",
                                                      quantity_text(s_["throughput"]["output_tokens_per_s"]),
                                                      quantity_text(s_["throughput"]["calls_per_s"]),
                                                      quantity_text(s_["throughput"]["tasks_per_s"]))
                                        : "none: nothing was served"});
    table.row({"energy", fmt::format("{} on average, {} per output token", figure("energy", "watts_mean", Unit::kWatts),
                                     figure("energy", "joules_per_output_token", Unit::kJoules))});
    table.row({"cost",
               fmt::format("{}, {} per million output tokens, {} per completed task", figure("cost", "usd", Unit::kUsd),
                           figure("cost", "usd_per_million_output_tokens", Unit::kUsd),
                           figure("cost", "usd_per_completed_task", Unit::kUsd))});
    for (const Json& note : s_["checked"]) table.row({"checked", note.get<std::string>()});
    for (const Json& note : s_["validity"]) table.row({"validity", note.get<std::string>()});
    for (const Json& note : s_["notes"]) table.row({"note", note.get<std::string>()});
    table.row({"results", folder_});
    text_ += table.text(kIndent);
  }

  /// The report's sentences, wrapped.
  void answer() {
    for (const std::string& html : answer_sentences(s_, {{"scenario", scenario_}})) {
      std::istringstream words(without_tags(html, "\x01", "\x02"));  // marks of one character: a word's width is known
      std::size_t column = 0;                                        // of a line not begun
      for (std::string word; words >> word;) {
        const auto width = static_cast<std::size_t>(std::count_if(
            word.begin(), word.end(), [](char c) { return c != 1 && c != 2 && sim::begins_character(c); }));
        const bool fits = column > 0 && column + 1 + width <= kTextWidth;
        text_ += fits ? " " : column == 0 ? kIndent : std::string("\n") + kIndent;
        column = fits ? column + 1 + width : 2 + width;
        for (const char c : word)
          text_ += c == 1 ? (colour_ ? "\033[1m" : "") : c == 2 ? (colour_ ? "\033[0m" : "") : std::string(1, c);
      }
      text_ += "\n\n";
    }
  }

  /// As in the sentences.
  std::string figure(const char* group, const char* key, Unit unit) const {
    return human_number(number_at(s_, {group, key}), unit);
  }

  const Json& s_;
  const Json& scenario_;
  const std::string& folder_;
  const bool colour_;
  std::string text_;
};

}  // namespace

bool wants_colour(std::FILE* stream) {
  const char* none = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(fileno(stream)) != 0 && (none == nullptr || *none == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::string terminal_summary(const Json& summary, const Json& scenario, const std::string& folder, bool colour) {
  return TerminalSummary(summary, scenario, folder, colour).text();
}

}  // namespace tokenyard::analysis
