#include "traces/readers/trace_reader.hpp"

#include <fmt/format.h>

#include "tests/support/public_data.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using Catch::Matchers::Contains;
using sim::Time;

namespace {

struct Request {
  std::int64_t arrival_ns;
  std::vector<platforms::Tokens> extents;
  platforms::Tokens output;
  bool operator==(const Request&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Request& r) {
  return out << fmt::format("{{{} ns, {{{}}}, {}}}", r.arrival_ns, fmt::join(r.extents, ","), r.output);
}

std::vector<Request> read_all(const std::string& path, const std::string& format, const TraceOptions& options = {}) {
  const auto trace = open_trace(path, format, options);
  std::vector<Request> requests;
  agents::RecordedRequest request;
  while (trace->next(request)) {
    Request& read = requests.emplace_back(Request{request.arrival.ns(), {}, request.output_tokens});
    for (const platforms::Extent& extent : request.prompt) read.extents.push_back(extent.tokens);
  }
  REQUIRE_FALSE(trace->next(request));
  return requests;
}

std::vector<sim::Fault> faults_of(const std::string& path, const std::string& format,
                                  const TraceOptions& options = {}) {
  sim::Faults faults;
  check_trace(path, format, faults, options);
  return faults.list();
}

const std::string kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
const std::string kRequestsHeader = "arrival_s,prompt_tokens,output_tokens\n";

}  // namespace

TEST_CASE("Azure: dates count from the first request, whatever their form") {
  const ScratchFolder folder;
  const std::vector<Request> expected = {{0, {374}, 44}, {4'314'579'000, {396}, 109}, {86'400'000'000'000, {1}, 1}};
  // 2023: CRLF and seven digits. 2024: LF, six digits or none, and a zone.
  CHECK(read_all(folder.write("a",
                              "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n"
                              "2023-11-16 18:15:50.9951690,396,109\r\n2023-11-17 18:15:46.6805900,1,1\r\n"),
                 "azure") == expected);
  CHECK(read_all(folder.write("b", kAzureHeader +
                                       "2024-05-10 00:00:00+00:00,374,44\n2024-05-10 00:00:04.314579+00:00,396,109\n"
                                       "2024-05-11 00:00:00+00:00,1,1"),
                 "azure") == expected);
  // Without a header, and with columns moved.
  CHECK(read_all(folder.write(
                     "c", "2024-05-10 00:00:00Z,374,44\n2024-05-10 00:00:04.314579,396,109\n2024-05-11 00:00:00,1,1\n"),
                 "azure") == expected);
  CHECK(read_all(folder.write("d", "GeneratedTokens,x,TIMESTAMP,ContextTokens\n44,,2024-05-10 00:00:00,374\n"),
                 "azure") == std::vector<Request>{{0, {374}, 44}});
}

TEST_CASE("Requests: other column names by a map") {
  const ScratchFolder folder;
  const std::string plain = folder.write("plain", kRequestsHeader + "0.25,10,20\n\n1.000000001,30,40\n");
  const std::vector<Request> expected = {{250'000'000, {10}, 20}, {1'000'000'001, {30}, 40}};
  CHECK(read_all(plain, "requests") == expected);
  sim::Faults faults;
  TraceOptions options;
  options.columns = parse_column_map("arrival_s=ts,prompt_tokens=in", faults);
  CHECK(faults.empty());
  CHECK(read_all(folder.write("mapped", "model,ts,in,output_tokens\n\"a,b\",0.25,10,20\nc,1.000000001,\"30\",40\n"),
                 "requests", options) == expected);
  CHECK(faults_of(plain, "requests", options)[0].place == "line 1");
  parse_column_map("arrival_s,x=", faults);
  CHECK(faults.size() == 2);
  options.columns = {{"arival_s", "ts"}};
  const auto unknown = faults_of(plain, "requests", options);
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].place == "--map");
  CHECK_THAT(unknown[0].message(), Contains("did you mean \"arrival_s\""));
  CHECK(faults_of(plain, "mooncake", options)[0].place == "--map");
}

TEST_CASE("Mooncake: an extent an id, equal contents for equal ids, none of them 0") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("m.jsonl", R"({"timestamp": 0, "input_length": 1025, "output_length": 5, "hash_ids": [0, 1, 2]}
{"hash_ids":[0,1,18446744073709551615],"output_length":7,"input_length":1536,"timestamp":27482.5,"session_id":"x"}
)");
  CHECK(read_all(path, "mooncake") ==
        std::vector<Request>{{0, {512, 512, 1}, 5}, {27'482'500'000, {512, 512, 512}, 7}});
  const auto trace = open_trace(path, "mooncake");
  agents::RecordedRequest a, b;
  REQUIRE(trace->next(a));
  REQUIRE(trace->next(b));
  CHECK(a.prompt[0].content == b.prompt[0].content);
  CHECK(a.prompt[1].content == b.prompt[1].content);
  CHECK(a.prompt[2].content != b.prompt[2].content);
  for (const auto* request : {&a, &b}) {
    for (const platforms::Extent& extent : request->prompt) CHECK(extent.content != 0);
  }
}

TEST_CASE("BurstGPT: both generations; a call without an answer failed and is counted, not refused") {
  const ScratchFolder folder;
  const std::string first =
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n"
      "45,ChatGPT,1087,0,1087,API log\n118.5,GPT-4,417,276,693,Conversation log\n";
  const std::string second =
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
      "5,1,2.5,ChatGPT,472,18,490,Conversation log\n118.5,,,GPT-4,417,276,693,API log\n";
  const std::vector<Request> expected = {{5'000'000'000, {472}, 18}, {118'500'000'000, {417}, 276}};
  CHECK(read_all(folder.write("1", first), "burstgpt") == expected);
  CHECK(read_all(folder.write("2", second), "burstgpt") == expected);
  const auto trace = open_trace(folder.write("1", first), "burstgpt");
  agents::RecordedRequest request;
  while (trace->next(request)) {
  }
  REQUIRE(trace->left_out().size() == 1);
  CHECK(trace->left_out()[0].what == "rows: failed when recorded");
  CHECK(trace->left_out()[0].count == 1);
}

TEST_CASE("Bailian: seconds, 16 tokens an id, the last id optional") {
  const ScratchFolder folder;
  const std::string rows =
      R"({"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 40, "output_length": 5, "type": "text", "turn": 1, "hash_ids": [1, 2, 3]}
{"chat_id": 160, "parent_chat_id": 159, "timestamp": 62, "input_length": 40, "output_length": 5, "type": "text", "turn": 2, "hash_ids": [1, 2]}
)";
  CHECK(read_all(folder.write("b", rows), "bailian") ==
        std::vector<Request>{{61'114'000'000, {16, 16, 8}, 5}, {62'000'000'000, {16, 16, 8}, 5}});
}

TEST_CASE("Limit and speed clip a trace") {
  const ScratchFolder folder;
  const std::string path = folder.write("r", kRequestsHeader + "1,1,1\n2,2,2\n3,3,3\nnonsense\n");
  CHECK(read_all(path, "requests", {.speed = 4, .limit = 2}) ==
        std::vector<Request>{{250'000'000, {1}, 1}, {500'000'000, {2}, 2}});
  CHECK_THROWS_AS(read_all(path, "requests", {.limit = 4}), sim::InputError);
  for (const double speed : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)})
    CHECK_THROWS_AS(open_trace(path, "requests", {.speed = speed}), sim::InputError);
  CHECK_THROWS_AS(read_all(path, "requests", {.speed = 1e-12, .limit = 3}), sim::InputError);
}

TEST_CASE("Unix time counts from the first row; a gap of years is a unit mistaken") {
  const ScratchFolder folder;
  CHECK(read_all(folder.write("unix", kRequestsHeader + "1700000000.5,1,1\n1700000002,2,2\n"), "requests") ==
        std::vector<Request>{{0, {1}, 1}, {1'500'000'000, {2}, 2}});
  const auto faults = faults_of(folder.write("mixed", kRequestsHeader + "1,1,1\n1700000000,2,2\n"), "requests");
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0].found, Contains("19675 days without a request"));
}

TEST_CASE("Rows are sorted within the look-ahead and refused beyond it") {
  const ScratchFolder folder;
  const std::string path = folder.write("r", kRequestsHeader + "3,1,1\n2,2,1\n2,3,1\n1,4,1\n4,5,1\n");
  const std::vector<Request> sorted = {{1'000'000'000, {4}, 1},
                                       {2'000'000'000, {2}, 1},
                                       {2'000'000'000, {3}, 1},
                                       {3'000'000'000, {1}, 1},
                                       {4'000'000'000, {5}, 1}};
  CHECK(read_all(path, "requests") == sorted);
  CHECK(read_all(path, "requests", {.reorder_rows = 3}) == sorted);
  for (const std::size_t rows : {0, 1, 2}) {
    const auto faults = faults_of(path, "requests", {.reorder_rows = rows});
    REQUIRE_FALSE(faults.empty());
    CHECK_THAT(faults[0].found, Contains("a date"));
    CHECK(faults[0].place == (rows == 0 ? "line 3" : "line 5"));
  }
  // An absolute date counts from the earliest request.
  const std::string dates = folder.write("a", kAzureHeader + "2023-11-16 18:15:47,1,1\n2023-11-16 18:15:46,2,1\n");
  CHECK(read_all(dates, "azure") == std::vector<Request>{{0, {2}, 1}, {1'000'000'000, {1}, 1}});
}

TEST_CASE("Every malformed file is refused with its line") {
  struct Case {
    std::string file, place, message;
  };
  const std::vector<Case> cases = {{"azure_negative.csv", "line 3", "GeneratedTokens = \"-4\""},
                                   {"azure_zero.csv", "line 4", "ContextTokens = \"0\""},
                                   {"azure_nan.csv", "line 2", "ContextTokens = \"nan\""},
                                   {"azure_overflow.csv", "line 3", "99999999999999999999"},
                                   {"azure_two_fields.csv", "line 3", "2 fields"},
                                   {"azure_four_fields.csv", "line 3", "4 fields"},
                                   {"azure_bad_month.csv", "line 2", "2023-13-16"},
                                   {"azure_no_leap_day.csv", "line 4", "2023-02-29"},
                                   {"azure_date_only.csv", "line 3", "TIMESTAMP = \"2023-11-16\""},
                                   {"azure_header_typo.csv", "line 1", "did you mean \"ContextToken\""},
                                   {"azure_header_again.csv", "line 3", "TIMESTAMP = \"TIMESTAMP\""},
                                   {"azure_json.csv", "line 1", "no column \"TIMESTAMP\", \"ContextTokens\""},
                                   {"burstgpt_header.csv", "line 1", "no column \"Request tokens\""},
                                   {"burstgpt_negative.csv", "line 3", "Response tokens = \"-1\""},
                                   {"bailian_few_ids.jsonl", "line 2", "1 hash_ids for 40 tokens"},
                                   {"bailian_negative_time.jsonl", "line 1", "timestamp = -1"},
                                   {"requests_negative_time.csv", "line 2", "arrival_s = \"-1\""},
                                   {"requests_text_time.csv", "line 3", "arrival_s = \"soon\""},
                                   {"requests_huge_time.csv", "line 3", "1e30"},
                                   {"requests_fraction.csv", "line 2", "prompt_tokens = \"10.5\""},
                                   {"requests_empty_field.csv", "line 4", "prompt_tokens = \"\""},
                                   {"requests_open_quote.csv", "line 2", "closed quotes"},
                                   {"requests_too_many_tokens.csv", "line 2", "1000000001"},
                                   {"requests_column_twice.csv", "line 1", "two columns \"prompt_tokens\""},
                                   {"requests_no_header.csv", "line 2", "2 fields"},
                                   {"mooncake_truncated.jsonl", "line 2, column 48", "output_le"},
                                   {"mooncake_few_ids.jsonl", "line 2", "1 hash_ids for 600 tokens"},
                                   {"mooncake_many_ids.jsonl", "line 1", "2 hash_ids for 512 tokens"},
                                   {"mooncake_text_id.jsonl", "line 3", "hash_ids/1 = \"2\""},
                                   {"mooncake_negative_id.jsonl", "line 1", "hash_ids/1 = -2"},
                                   {"mooncake_no_ids.jsonl", "line 2", "no \"hash_ids\""},
                                   {"mooncake_ids_number.jsonl", "line 2", "not an array"},
                                   {"mooncake_zero_output.jsonl", "line 2", "output_length = \"0\""},
                                   {"mooncake_huge_input.jsonl", "line 1", "input_length"},
                                   {"mooncake_text_input.jsonl", "line 1", "input_length"},
                                   {"mooncake_nan.jsonl", "line 2, column 34", "NaN"},
                                   {"mooncake_negative_time.jsonl", "line 2", "timestamp = -5"},
                                   {"mooncake_key_twice.jsonl", "line 1", "\"timestamp\" twice"},
                                   {"mooncake_array.jsonl", "line 2", "[1, 2]"},
                                   {"mooncake_two_rows_in_a_line.jsonl", "line 1, column 79", "timestamp"}};
  const std::filesystem::path folder = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests/traces/bad";
  for (const Case& bad : cases) {
    INFO(bad.file);
    const std::string path = folder / bad.file;
    const auto faults = faults_of(path, bad.file.substr(0, bad.file.find('_')));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].file == path);
    CHECK(faults[0].place == bad.place);
    CHECK_FALSE(faults[0].allowed.empty());
    CHECK_THAT(faults[0].message(), Contains(bad.message));
  }
  const auto files = std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  CHECK(static_cast<std::size_t>(files) == cases.size());
}

TEST_CASE("Faults are collected, up to 20") {
  const ScratchFolder folder;
  std::string text = kRequestsHeader;
  for (int i = 0; i < 5; ++i) text += fmt::format("{},10,10\nx,10,10\n", i);
  const auto five = faults_of(folder.write("five", text), "requests");
  REQUIRE(five.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(five[i].place == fmt::format("line {}", 3 + 2 * i));
  for (int i = 0; i < 100; ++i) text += "0.5,0,0\n";
  const auto many = faults_of(folder.write("many", text), "requests");
  REQUIRE(many.size() == 21);
  CHECK(many.back().found == "20 faults; reading stopped there");
  // A fault far behind the look-ahead comes after the requests before it.
  text = kRequestsHeader;
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},10,10\n", i);
  const auto trace = open_trace(folder.write("late", text + "x,1,1\ny,1,1\n"), "requests");
  agents::RecordedRequest request;
  int read = 0;
  try {
    while (trace->next(request)) ++read;
    FAIL("the fault was not found");
  } catch (const sim::InputError& error) {
    CHECK(error.faults().size() == 2);
    CHECK(error.faults()[0].place == "line 3002");
  }
  CHECK(read >= 1900);
}

TEST_CASE("Skip and count leaves faulty rows out, by reason") {
  const ScratchFolder folder;
  const std::string path = folder.write("r", kRequestsHeader + "1,1,1\nx,1,1\n2,0,1\n2,1,nan\n3\n4,4,4\n0.5,1,1\n");
  const auto trace = open_trace(path, "requests", {.skip_faulty = true, .reorder_rows = 0});
  agents::RecordedRequest request;
  std::vector<std::int64_t> seconds;
  while (trace->next(request)) seconds.push_back(request.arrival.ns() / 1'000'000'000);
  CHECK(seconds == std::vector<std::int64_t>{1, 4});
  // Whatever came first.
  std::vector<std::string> left_out;
  for (const agents::LeftOut& l : trace->left_out()) left_out.push_back(fmt::format("{} {}", l.count, l.what));
  CHECK(left_out == std::vector<std::string>{"1 rows: malformed row", "1 rows: bad date", "2 rows: bad token count",
                                             "1 rows: out of order"});
  // Nothing left is a fault in this mode, too.
  const auto none = faults_of(folder.write("none", kRequestsHeader + "x,1,1\n"), "requests", {.skip_faulty = true});
  REQUIRE(none.size() == 1);
  CHECK_THAT(none[0].found, Contains("the first at line 2"));
}

TEST_CASE("A line too long is refused or skipped") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("r", kRequestsHeader + "1,1,1\n" + std::string(std::size_t{17} << 20, '1') + "\n2,2,2\n");
  const auto faults = faults_of(path, "requests");
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].place == "line 3");
  CHECK(read_all(path, "requests", {.skip_faulty = true}).size() == 2);
}

TEST_CASE("What is no trace at all is refused") {
  const ScratchFolder folder;
  for (const TraceFormat& format : trace_formats()) {
    const std::string name(format.name);
    CHECK_FALSE(format.description.empty());
    if (name == "servegen") continue;  // a folder: servegen_test.cpp
    CHECK_THAT(faults_of(folder.write("empty", ""), name)[0].found, Contains("no request"));
    CHECK_THAT(faults_of(folder / "missing", name)[0].found, Contains("No such file"));
    CHECK_THAT(faults_of(folder / ".", name)[0].found, Contains("directory"));
  }
  CHECK_THAT(faults_of(folder.write("header", kAzureHeader), "azure")[0].found, Contains("no request"));
  const auto unknown = faults_of(folder / "missing", "azur");
  CHECK(unknown[0].place == "--format");
  CHECK_THAT(unknown[0].allowed, Contains("did you mean \"azure\""));
}

TEST_CASE("All rows of the published traces are read") {
  struct Case {
    const char *file, *format;
    std::uint64_t requests;
    std::int64_t prompt_tokens, output_tokens, last_arrival_ns;
  };
  // Sums taken from the files with a script of a few lines.
  const Case cases[] = {
      {"azure_llm_2023/AzureLLMInferenceTrace_conv.csv", "azure", 19366, 22361870, 4088665, 3'501'721'937'000},
      {"azure_llm_2023/AzureLLMInferenceTrace_code.csv", "azure", 8819, 18059974, 245896, 3'435'948'056'000},
      {"mooncake_fast25/conversation_trace.jsonl", "mooncake", 12031, 144793823, 4122048, 3'536'999'000'000},
      {"mooncake_fast25/synthetic_trace.jsonl", "mooncake", 3993, 61194628, 595432, 1'022'025'000'000}};
  for (const Case& c : cases) {
    INFO(c.file);
    const auto trace = public_data(c.file);
    if (!trace) return;
    sim::Faults faults;
    const TraceSummary summary = check_trace(*trace, c.format, faults);
    for (const sim::Fault& fault : faults.list()) FAIL_CHECK(fault.message());
    CHECK(summary.requests == c.requests);
    CHECK(summary.prompt_tokens == c.prompt_tokens);
    CHECK(summary.output_tokens == c.output_tokens);
    CHECK(summary.last_arrival == Time::nanoseconds(c.last_arrival_ns));
  }
}
