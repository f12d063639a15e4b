/// `tokenyard fit-agent`: an agent learned from recorded tasks, and how near what it plays comes to them.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/command/trace_options.hpp"
#include "analysis/fit_agent/learn.hpp"
#include "analysis/page/human_number.hpp"
#include "sim/input/json.hpp"
#include "traces/readers/task_reader.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

struct FitArguments {
  std::string trace, format, out, agent, name = "recorded";
  std::uint64_t limit = 0;
  bool skip_faulty = false;
  platforms::Tokens block_tokens = 512;
};

std::string number(double x) { return x < 10 ? fmt::format("{:.3g}", x) : fmt::format("{:.0f}", x); }

/// Recorded over played, and how much more was played.
std::string table_of(const Goodness& goodness) {
  using T = TextTable;
  T table({T::kLeft, T::kLeft, T::kRight, T::kRight, T::kRight, T::kRight, T::kRight, T::kRight, T::kRight, T::kRight});
  table.row({"", "", "p10", "p25", "p50", "p75", "p90", "p95", "mean", "samples"});
  for (const Goodness::Row& row : goodness.rows) {
    if (row.recorded.empty() && row.played.empty()) continue;
    const auto line = [&](const std::string& title, const char* what, const std::vector<double>& figures,
                          double count) {
      std::vector<std::string> cells = {title, what};
      for (const double x : figures) cells.push_back(number(x));
      cells.resize(9, "–");
      cells.push_back(fmt::format("{:.0f}", count));
      table.row(std::move(cells));
    };
    line(row.quantity, "recorded", row.recorded, row.recorded_count);
    line("", "played", row.played, row.played_count);
    if (row.recorded.empty() || row.played.empty()) continue;
    std::vector<std::string> cells = {"", "more"};
    for (std::size_t i = 0; i < row.recorded.size(); ++i) {
      cells.push_back(row.recorded[i] > 0 ? fmt::format("{:+.1f} %", 100 * (row.played[i] / row.recorded[i] - 1))
                                          : std::string("–"));
    }
    table.row(std::move(cells));
  }
  return table.text("  ");
}

void print_pool_roles(std::FILE* out, const Observed& observed, bool kept) {
  std::vector<std::string> words;
  for (const auto& [role, model] : observed.pool_roles)
    words.push_back(fmt::format("{} (recorded as {})", role, model));
  if (!kept) {
    fmt::print(out, "Calls went to {} models; as sessions they are of one role, \"default\".\n", words.size());
    return;
  }
  fmt::print(out, "Pool roles, which a scenario's \"pools\" maps: {}.\n", fmt::join(words, ", "));
  if (observed.calls_of_other_roles > 0)
    fmt::print(out, "{} calls went to another model than most of their step: they have its role.\n",
               observed.calls_of_other_roles);
}

int run_fit(const FitArguments& a, const Surroundings& surroundings) {
  if (!traces::holds_tasks(a.format)) {
    std::vector<std::string> known;
    for (const traces::TraceFormat& format : traces::task_formats()) known.emplace_back(format.name);
    throw sim::InputError(
        {"", "--format", '"' + a.format + '"',
         fmt::format("a format of tasks: {}{}", fmt::join(known, ", "), sim::did_you_mean(a.format, known))});
  }
  const auto source = traces::open_tasks(a.trace, a.format, {a.skip_faulty, a.block_tokens});
  traces::keep_input(a.out, a.trace, "--output");
  traces::OutputFile file(a.out);  // before the fit, which takes its time
  const Observed observed = observe(*source, a.agent, a.limit);
  const LearnedAgent learned = learn(observed, a.name, fmt::format("{} ({})", a.trace, a.format));
  fmt::format_to(file.out(), "{}\n", sim::to_text(learned.agent, 2));
  file.commit();

  std::FILE* out = surroundings.out;
  fmt::print(out, "{} of {} tasks over {}, as a {}: {} nodes, {} edges. Played {} tasks:\n\n", observed.agent,
             observed.tasks.size(), duration_text(observed.span_s),
             learned.form == "graph" ? "task graph" : "choice of sessions", learned.agent["nodes"].size(),
             learned.agent["edges"].size(), learned.goodness.tasks);
  fmt::print(out, "{}\n", table_of(learned.goodness));
  if (observed.nameless) fmt::print(out, "The trace does not name its calls: they are one node.\n");
  if (!observed.pool_roles.empty()) print_pool_roles(out, observed, learned.form == "graph");
  if (learned.goodness.recorded_failed + learned.goodness.played_failed > 0) {
    fmt::print(out, "Failed: {:.1f} % of the recorded tasks, {:.1f} % of those played.\n",
               100 * learned.goodness.recorded_failed, 100 * learned.goodness.played_failed);
  }
  if (observed.left_out_steps > 0) {
    fmt::print(out, "Left out: {} steps of {} branches (sub-agents, calls side by side).\n", observed.left_out_steps,
               observed.left_out_branches);
  }
  for (const agents::LeftOut& left_out : source->left_out())
    fmt::print(out, "Left out of the trace: {} {}.\n", left_out.count, left_out.what);
  fmt::print(out,
             "Not learned: sub-agents and branches, errors of tools, gaps that no step fills; tools side by side are "
             "one step.\n");
  fmt::print(out,
             "From the 10th to the 90th percentile of calls, prompts and outputs it is {:.1f} % off at most.\n"
             "Written to {}: tokenyard graph {} draws it, and a scenario names it with --catalog.\n",
             100 * learned.goodness.worst(), a.out, a.out);
  return kDone;
}

}  // namespace

void add_fit_agent(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("fit-agent", "learns an agent from recorded tasks");
  const auto a = std::make_shared<FitArguments>();
  sub->add_option("TRACE", a->trace, "recorded tasks: a trace or a simulation's record.jsonl")->required();
  add_format_option(*sub, a->format, "a format of tasks (tokenyard catalog formats)")->required();
  sub->add_option("-o,--output", a->out, "the agent's file")
      ->required()
      ->option_text("AGENT.json")
      ->check(output_file("--output"));
  sub->add_option("--name", a->name, "of the new agent (default: recorded)")
      ->check(text("--name"))
      ->option_text("NAME");
  sub->add_option("--agent", a->agent, "of a trace with several agents: which one")->option_text("NAME");
  sub->add_option("--limit", a->limit, "learn from the first N tasks")
      ->check(whole_number("--limit", 1, kMostWhole))
      ->option_text("N");
  add_block_tokens_option(*sub, a->block_tokens);
  add_skip_bad_rows_option(*sub, a->skip_faulty);
  sub->footer(
      "  tokenyard fit-agent sessions.jsonl --format weka -o mine/agents/coding.json --name coding\n"
      "  tokenyard run scenario.json --catalog mine     # {\"agent\": \"coding\", \"rate_per_s\": 2}");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return run_fit(*a, s); }; });
}

}  // namespace tokenyard::analysis
