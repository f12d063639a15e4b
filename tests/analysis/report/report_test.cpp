#include "analysis/report/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/human_number.hpp"
#include "analysis/schemas/schemas.hpp"
#include "sim/input/json_reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Contains;
using sim::Json;

namespace {

const std::filesystem::path kThreeDomains = TOKENYARD_SOURCE_DIR "/tests/analysis/report/three_domains";

Json json_of(const std::filesystem::path& path) { return Json::parse(whole_file(path)); }

/// A result folder of a test's own: three domains on three pools, until it is changed.
struct Result {
  Json manifest = json_of(kThreeDomains / "manifest.json");
  Json summary = json_of(kThreeDomains / "summary.json");
  std::string series = whole_file(kThreeDomains / "series.csv");
  ScratchFolder folder;

  std::string page() {
    folder.write("manifest.json", manifest.dump());
    folder.write("summary.json", summary.dump());
    if (!series.empty()) folder.write("series.csv", series);
    write_report(folder / "");
    return whole_file(folder / "report.html");
  }
};

/// The page without its data block: what a person sees.
std::string visible(const std::string& page) {
  const std::size_t begin = page.find("<script type=\"application/json\"");
  REQUIRE(begin != std::string::npos);
  return page.substr(0, begin);
}

/// Every tag is closed in order, and attributes are quoted.
void check_nesting(const std::string& page) {
  std::vector<std::string> open;
  const std::vector<std::string> empty = {"meta", "path", "!DOCTYPE"};
  const std::string body = visible(page).substr(page.find("<body>"));
  for (std::size_t at = body.find('<'); at != std::string::npos; at = body.find('<', at + 1)) {
    const std::size_t end = body.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = body.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (name[0] == '/') {
      REQUIRE(!open.empty());
      INFO(body.substr(at > 80 ? at - 80 : 0, 160));
      REQUIRE("/" + open.back() == name);
      open.pop_back();
    } else if (std::find(empty.begin(), empty.end(), name) == empty.end()) {
      open.push_back(name);
    }
  }
  CHECK(open == std::vector<std::string>{"body"});
}

}  // namespace

TEST_CASE("the result that these tests read is one that a run may write") {
  const JsonSchema schema(schema_text("summary").value());
  CHECK(schema.faults_of(json_of(kThreeDomains / "summary.json")) == std::vector<std::string>{});
}

TEST_CASE("the report answers in sentences, then tells why") {
  Result result;
  const std::string page = visible(result.page());
  CHECK_THAT(page, Contains("<strong>The service level was met</strong>: 96.4\u00a0% completed within TTFT ≤ 2\u00a0s, "
                            "TPOT ≤ 50\u00a0ms, task ≤ 30\u00a0min; 95\u00a0% was asked for."));
  CHECK_THAT(page, Contains("1,654\u00a0tasks of customer-service, sales and it-security made 16,037\u00a0model "
                            "calls to 3\u00a0pools on 32\u00a0chips"));
  CHECK_THAT(page, Contains("<strong>gpu</strong> was held back by memory bandwidth (49.2\u00a0%)"));
  CHECK_THAT(page, Contains("<strong>tpu</strong> was idle (78.6\u00a0%), else held back by compute (10.4\u00a0%)"));
  CHECK_THAT(page, Contains("a completed task cost <strong>$0.056</strong>"));
  // 26 of the 1,654 did not complete: they have causes, but no time.
  CHECK_THAT(page, Contains("A completed task took <strong>") && Contains("; the time of all tasks went to "));
  CHECK(page.find("id=\"answer\"") < page.find("id=\"why\""));
  CHECK(page.find("id=\"why\"") < page.find("id=\"evidence\""));
  check_nesting(page + "<script type=\"application/json\"");
}

TEST_CASE("the report of a run that served nothing says so, and one to which nothing came") {
  Result result;
  sim::Json& counts = result.summary["counts"];
  for (const char* ended : {"tasks_completed", "tasks_failed", "tasks_unfinished", "calls_completed", "calls_failed"})
    counts[ended] = 0;
  counts["tasks_rejected"] = counts["tasks"];
  counts["calls"] = 78;
  counts["calls_rejected"] = 70;
  counts["calls_unfinished"] = 8;
  CHECK_THAT(
      visible(result.page()),
      Contains("<strong>Nothing was served:</strong> of 78\u00a0model calls, 70 rejected, 8 unfinished; the notes "
               "say why, and what helps.") &&
          !Contains("; 0\u00a0% completed"));
  counts["tasks"] = counts["tasks_rejected"] = counts["calls"] = counts["calls_rejected"] = 0;
  result.summary["slo"]["met"] = nullptr;
  CHECK_THAT(
      visible(result.page()),
      Contains("Nothing arrived that the service level could be held against. <strong>Nothing arrived</strong> at "
               "3\u00a0pools on 32\u00a0chips in") &&
          !Contains("Nothing was served"));
}

TEST_CASE("the badges say what became of the run") {
  Result result;
  CHECK_THAT(result.page(), Contains("Service level met") && !Contains("Partial run"));
  result.summary["slo"]["met"] = false;
  result.summary["status"] = "partial";
  CHECK_THAT(result.page(), Contains("Service level missed") && Contains("Partial run"));
  result.manifest["scenario"].erase("slo");
  CHECK_THAT(result.page(), Contains("No service level was asked for") && !Contains("Service level missed"));
}

TEST_CASE("the tile of the service level shows the share that is judged, and whose it is") {
  Result result;
  CHECK_THAT(result.page(), Contains("<div class=\"tile good\"><dt>Service level kept</dt><dd><b>96.4\u00a0%</b>"));
  result.manifest["scenario"]["slo"]["agents"] = {{"sales", {{"ttft_s", 0.4}}}, {"it-security", Json::object()}};
  result.summary["agents"]["it-security"]["attainment"] = 0.97;
  result.summary["agents"]["sales"]["attainment"] = 0.811;
  result.summary["slo"]["least_attainment"] = 0.811;
  result.summary["slo"]["met"] = false;
  CHECK_THAT(result.page(),
             Contains("<div class=\"tile bad\"><dt>Service level kept, sales</dt><dd><b>81.1\u00a0%</b>"));
  result.summary["slo"]["attainment"] = result.summary["slo"]["least_attainment"] = 0.7;
  CHECK_THAT(result.page(), Contains("<div class=\"tile bad\"><dt>Service level kept</dt><dd><b>70\u00a0%</b>"));
}

TEST_CASE("every number of the summary's groups is on the page") {
  Result result;
  const std::string page = visible(result.page());
  for (const char* group : {"counts", "throughput", "slo", "energy", "cost"}) {
    for (const auto& [key, value] : result.summary[group].items()) {
      if (!value.is_number()) continue;
      const Unit unit = unit_of(key);
      CHECK_THAT(page, Contains(fmt::format("<th scope=\"row\">{}</th><td>{}</td>", words_of(key),
                                            unit == Unit::kCount ? counted_number(value.get<double>())
                                                                 : human_number(value.get<double>(), unit))));
    }
  }
  for (const auto& [key, statistics] : result.summary["latency"].items()) {
    for (const auto& [name, value] : statistics.items())
      CHECK_THAT(page, Contains("<td>" + human_number(value.get<double>(), Unit::kSeconds) + "</td>"));
  }
  for (const auto& [cause, time] : result.summary["causes_s"].items()) {
    CHECK_THAT(page, Contains(fmt::format("<th scope=\"row\">{}</th><td>{}</td>", words_of(cause),
                                          human_number(time.get<double>(), Unit::kSeconds))));
  }
  for (const auto& [name, pool] : result.summary["pools"].items()) {
    for (const auto& [key, value] : pool.items()) {
      if (value.is_number())
        CHECK_THAT(page, Contains("<td>" + human_number(value.get<double>(), unit_of(key)) + "</td>"));
    }
  }
  for (const Json& input : result.manifest["inputs"]) CHECK_THAT(page, Contains(input["sha256"].get<std::string>()));
}

TEST_CASE("the page fetches nothing") {
  Result result;
  const std::string page = result.page();
  CHECK_THAT(page, Contains("default-src 'none'"));
  for (const char* fetching :
       {"src=", "srcset=", "<link", "@import", "url(", "<iframe", "<img", "fetch(", "XMLHttpRequest", "import("}) {
    INFO(fetching);
    CHECK(page.find(fetching) == std::string::npos);
  }
  for (std::size_t at = page.find("http"); at != std::string::npos; at = page.find("http", at + 1)) {
    const std::string before = page.substr(at - 6, 6);
    CHECK((before == "href=\"" || page.compare(at, 10, "http-equiv") == 0));  // a link to click, or the policy
  }
}

TEST_CASE("charts over time say where the measured time begins and ends") {
  const std::string page = Result().page();
  CHECK_THAT(page, Contains(">warm-up ends</span>") && Contains(">arrivals end</span>"));
}

TEST_CASE("names cannot become markup") {
  Result result;
  const std::string evil = GENERATE("<script>alert(1)</script>", "\"onmouseover=\"alert(1)",
                                    "</script><script>alert(1)</script>", "<!--<script>", "{{data}}", "'&amp;<b>");
  result.summary["name"] = evil;
  result.manifest["command"] = evil;
  result.manifest["version"] = evil;
  result.manifest["inputs"][0]["path"] = evil;
  result.manifest["inputs"][0]["sha256"] = evil;
  result.manifest["scenario"]["name"] = evil;
  result.summary["notes"][0] = evil;
  result.summary["status"] = evil;
  result.summary["pools"][evil] = result.summary["pools"]["gpu"];
  result.summary["pools"][evil]["model"] = result.summary["pools"][evil]["chip"] = evil;
  result.summary["pools"][evil]["bound"][evil] = 0.9;
  result.summary["pools"][evil][evil] = 1;
  result.summary["agents"][evil] = result.summary["agents"]["sales"];
  result.summary["counts"][evil] = 1;
  result.summary["causes_s"][evil] = 1e5;
  result.summary["network"]["busiest_links"][0]["link"] = evil;
  std::string quoted;
  for (const char c : evil) quoted += c == '"' ? "\"\"" : std::string(1, c);
  result.series += fmt::format("4300.0,\"{}\",1,1,1,1,1,1,1\n", quoted);
  const std::string page = result.page();
  check_nesting(page);
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    for (std::size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++found;
    return found;
  };
  CHECK(count("<script") == 2);  // the data and our own
  CHECK(count("</script") == 2);
  CHECK(count("<!--") == 0);
  CHECK(visible(page).find("\"onmouseover") == std::string::npos);
  CHECK(visible(page).find("'&amp;<b>") == std::string::npos);
  if (evil == "{{data}}") CHECK_THAT(page, Contains("<title>{{data}} · Tokenyard</title>"));
  // The data survive the way into the page.
  const std::string open = "id=\"data\">";
  const std::size_t begin = page.find(open) + open.size();
  CHECK(Json::parse(page.substr(begin, page.find("</script>", begin) - begin))["summary"] == result.summary);
}

TEST_CASE("what a run did not write is said where it would stand") {
  Result result;
  result.series.clear();
  result.summary.erase("curves");
  for (auto& [name, agent] : result.summary["agents"].items()) agent.erase("curves");
  const std::string page = result.page();
  CHECK_THAT(page, Contains("This run wrote no time series") && Contains("--write calls,tasks,series"));
  CHECK_THAT(page, Contains("This summary holds no distributions"));
  CHECK_THAT(page, Contains("no: <code>--write calls</code>"));
  CHECK_THAT(visible(page), !Contains("<svg"));
  result.folder.write("trace.perfetto.json.gz", "");
  CHECK_THAT(result.page(), Contains("ui.perfetto.dev"));
}

TEST_CASE("a summary with nothing in it, or with values of other types, still makes a page") {
  Result result;
  result.series.clear();
  result.summary = {{"schema", "tokenyard.summary/1"}};
  result.manifest = {{"schema", "tokenyard.manifest/1"}};
  check_nesting(result.page());
  const Json full = json_of(kThreeDomains / "summary.json");
  const Json odd = GENERATE(Json(nullptr), Json("text"), Json(3), Json::array({1, "x"}), Json::object(),
                            Json{{"a", nullptr}, {"b", {{"c", 1}}}});
  for (const auto& [key, value] : full.items()) {
    if (key == "schema") continue;
    result.summary = full;
    result.summary[key] = odd;
    check_nesting(result.page());
  }
  for (const char* key : {"counts", "pools"}) {
    result.summary = full;
    result.summary[key] = Json::array();
    const std::string page = visible(result.page());
    CHECK_THAT(page, Contains("What ran, and on how many chips, is not in the summary."));
    CHECK_THAT(page, !Contains("0 tasks") && !Contains("0 pools") && !Contains("0 chips"));
  }
}

TEST_CASE("a long run on many pools makes a small page") {
  Result result;
  const int pools = GENERATE(3, 40);
  std::string series = result.series.substr(0, result.series.find('\n') + 1);
  for (int t = 1; t <= 120'000 / pools; ++t) {
    for (int p = 0; p < pools; ++p)
      series += fmt::format("{}.000000000,pool-{},{},{},0.123456,0.654321,{}.125,{}.25,{}.5\n", t, p, t * 7919 % 257,
                            t * 31 % 97, t * 13 % 9973, t * 17 % 997, t * 3 % 701);
  }
  result.series = series;
  for (int p = 0; p < pools; ++p) result.summary["pools"][fmt::format("pool-{}", p)] = result.summary["pools"]["gpu"];
  const std::string page = result.page();
  CHECK(page.size() < 1'500'000);
  if (pools > 12) CHECK_THAT(page, Contains("Charts show 12 of 40 pools"));
}

TEST_CASE("the same folder gives the same bytes, and a page is replaced") {
  Result result;
  const std::string page = result.page();
  CHECK(result.page() == page);
  CHECK(result.folder.files().size() == 4);
}

TEST_CASE("a folder that holds no result is refused, each faulty file by name") {
  const ScratchFolder folder;
  const auto message = [&] {
    try {
      write_report(folder / "");
    } catch (const sim::InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK_THAT(message(), Contains("manifest.json") && Contains("summary.json"));
  std::filesystem::copy(kThreeDomains / "manifest.json", folder / "manifest.json");
  CHECK_THAT(message(), !Contains("manifest.json") && Contains("summary.json"));
  for (const char* garbled :
       {"", "{", "[]", "{\"schema\": 1}", "{\"schema\": \"tokenyard.summary/2\"}", "{\"name\": \"\xff\"}"}) {
    folder.write("summary.json", garbled);
    INFO(garbled);
    CHECK_THAT(message(), Contains("summary.json"));
  }
  std::filesystem::copy(kThreeDomains / "summary.json", folder / "summary.json",
                        std::filesystem::copy_options::overwrite_existing);
  folder.write("series.csv", "nothing of the kind\n");
  CHECK_THAT(message(), Contains("series.csv") && Contains("line 1"));
  CHECK(!std::filesystem::exists(folder / "report.html"));
}
