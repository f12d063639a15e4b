#include <fmt/format.h>

#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/report/sections.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kLongestScenario = 200'000;  ///< bytes; a longer one stays in manifest.json

std::string notes_html(std::string_view id, std::string_view title, const Json& notes) {
  if (!notes.is_array() || notes.empty()) return {};
  std::string items;
  for (const Json& note : notes)
    items += fmt::format("<li>{}</li>", html_escaped(note.is_string() ? note.get<std::string>() : sim::shown(note)));
  return fmt::format("<h3 id=\"{}\">{}</h3>\n<ul>{}</ul>\n", id, title, items);
}

std::string origin_table(const RunResult& result) {
  const Json& manifest = result.manifest();
  const Json& summary = result.summary();
  const Json& seed = value_at(manifest, {"seed"});
  HtmlTable table{"The run", {}, {}, 2};
  table.rows = {{"Tokenyard", html_escaped(text_at(manifest, {"version"}))},
                {"status", html_escaped(text_at(summary, {"status"}))},
                {"seed", seed.is_number() ? sim::to_text(seed) : "–"},
                {"simulated", human_number(number_at(summary, {"simulated_s"}), Unit::kSeconds)},
                {"wall time", human_number(number_at(manifest, {"wall_s"}), Unit::kSeconds)}};
  return table.html();
}

std::string inputs_table(const Json& inputs) {
  if (!inputs.is_array() || inputs.empty()) return {};
  HtmlTable table{"Inputs", {"file", "sha256"}, {}, 2};
  for (const Json& input : inputs) {
    table.rows.push_back(
        {html_escaped(text_at(input, {"path"})), "<code>" + html_escaped(text_at(input, {"sha256"})) + "</code>"});
  }
  return table.html();
}

std::string reproduction(const Json& manifest) {
  std::string html = fmt::format(
      "<h3>The same again</h3>\n<p class=\"say\">The same version, scenario and seed give the same "
      "figures.</p>\n<pre>{}</pre>\n",
      html_escaped(text_at(manifest, {"command"})));
  const Json& scenario = value_at(manifest, {"scenario"});
  if (!scenario.is_object()) return html;
  const std::string text = sim::to_text(scenario, 2);
  if (text.size() > kLongestScenario)
    return html + "<p class=\"say\">The scenario, as it was resolved, is in manifest.json.</p>\n";
  return html + html_details("The scenario, as it was resolved", "<pre>" + html_escaped(text) + "</pre>");
}

std::string files_table(const RunResult& result) {
  struct File {
    const char *name, *content, *write;
  };
  constexpr File kFiles[] = {{"calls.csv", "one row for each model call", "calls"},
                             {"tasks.csv", "one row for each task, with its time by cause", "tasks"},
                             {"series.csv", "each pool over time", "series"},
                             {"trace.perfetto.json.gz", "the timeline of tasks, pools and replicas", "perfetto"},
                             {"trace.pftrace", "the timeline of tasks, pools and replicas", nullptr},
                             {"trace.otlp.jsonl", "the tasks as OpenTelemetry spans", "otlp"}};
  HtmlTable table{"Files beside this page", {"file", "content", "here?"}, {}, 3};
  bool timeline = false;
  for (const File& file : kFiles) {
    const bool here = result.has(file.name);
    timeline = timeline || (here && std::string_view(file.name).starts_with("trace.p"));
    if (!here && file.write == nullptr) continue;
    table.rows.push_back({fmt::format("<code>{}</code>", file.name), file.content,
                          here ? "yes" : fmt::format("no: <code>--write {}</code>", file.write)});
  }
  return table.html() + (timeline
                             ? "<p class=\"say\">To see the timeline, open <a "
                               "href=\"https://ui.perfetto.dev\">ui.perfetto.dev</a> and drag the trace file into it: "
                               "it is read by your browser and not sent anywhere.</p>\n"
                             : "");
}

}  // namespace

std::string provenance_section(const RunResult& result) {
  return notes_html("validity", "Beyond what was calibrated", value_at(result.summary(), {"validity"})) +
         notes_html("checked", "Checked against what was measured", value_at(result.summary(), {"checked"})) +
         notes_html("notes", "Notes", value_at(result.summary(), {"notes"})) + reproduction(result.manifest()) +
         "<div class=\"cards wide\">\n" + origin_table(result) + files_table(result) +
         inputs_table(value_at(result.manifest(), {"inputs"})) + "</div>\n";
}

}  // namespace tokenyard::analysis
