#include "analysis/report/report.hpp"

#include <nlohmann/json.hpp>

#include "analysis/page/html.hpp"
#include "analysis/report/sections.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {

void write_report(const std::filesystem::path& result_folder) {
  const RunResult result = RunResult::read(result_folder);
  sim::Json charts = sim::Json::object();
  const std::string name = text_at(result.summary(), {"name"});
  // Sections first: the evidence fills `charts`.
  const std::string evidence = evidence_section(result, charts);
  const std::string page = fill_template(page_asset("report/report.html.in"),
                                         {{"title", html_escaped(name)},
                                          {"version", html_escaped(text_at(result.manifest(), {"version"}))},
                                          {"style", page_asset("page/page.css")},
                                          {"answer", answer_section(result)},
                                          {"headline", headline_section(result)},
                                          {"why", why_section(result)},
                                          {"evidence", evidence},
                                          {"provenance", provenance_section(result)},
                                          {"data", json_for_html({{"summary", result.summary()}, {"charts", charts}})},
                                          {"script", page_asset("page/page.js")}});
  traces::OutputFile file(result_folder / "report.html");
  file.buffer().append(page.data(), page.data() + page.size());
  file.commit();
}

}  // namespace tokenyard::analysis
