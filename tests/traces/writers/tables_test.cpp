#include "traces/writers/tables.hpp"

#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using platforms::CallRecord;
using platforms::CallStatus;
using sim::Time;

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// RFC 4180, newlines in quotes included.
Rows parse_csv(const std::string& text) {
  Rows rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += text[++i];
      } else if (c == '"') {
        quoted = false;
      } else {
        row.back() += c;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      rows.push_back(std::move(row));
      row.assign(1, "");
    } else {
      row.back() += c;
    }
  }
  REQUIRE(row == std::vector<std::string>{""});  // the text ends with a newline
  return rows;
}

const Names kNames{{"requests", "odd, \"name\"\nin two lines"},
                   {{"request"}, {"triage", " blank "}},
                   {"main", "a,b"},
                   {"m-7b", "m-70b"}};

CallRecord call(std::uint64_t number) {
  CallRecord r;
  r.call = number;
  r.task = 10 + number;
  r.agent = 1;
  r.node = 1;
  r.pool = 1;
  r.replica = 3;
  r.arrival = Time::nanoseconds(1);
  r.scheduled = Time::nanoseconds(1'000'000'000);
  r.first_token = Time::nanoseconds(1'500'000'001);
  r.finish = Time::nanoseconds(2'500'000'008);
  r.prompt_tokens = 1000;
  r.cached_tokens = 512;
  r.output_tokens = 4;
  r.preemptions = 2;
  r.status = CallStatus::kCompleted;
  return r;
}

}  // namespace

TEST_CASE("calls.csv has the contract's columns, exact times, and empty fields for what does not exist") {
  const ScratchFolder folder;
  CallsTable table(folder / "calls.csv", kNames);
  table.on_call(call(0));
  CallRecord one_token = call(1);
  one_token.output_tokens = 1;
  one_token.finish = one_token.first_token;
  table.on_call(one_token);
  CallRecord failed = call(2);
  failed.status = CallStatus::kFailed;
  table.on_call(failed);
  CallRecord rejected;
  rejected.call = 3;
  rejected.agent = 7;  // a number without a name
  rejected.node = 5;
  rejected.pool = 9;
  rejected.arrival = rejected.finish = Time::seconds(7);
  rejected.status = CallStatus::kRejected;
  table.on_call(rejected);
  table.commit();
  CHECK(whole_file(folder / "calls.csv") ==
        "call_id,task_id,agent,node,pool,replica,model,arrival_s,scheduled_s,first_token_s,finish_s,prompt_tokens,"
        "cached_tokens,output_tokens,ttft_s,tpot_s,e2e_s,"
        "preemptions,status\n"
        "0,10,\"odd, \"\"name\"\"\nin two lines\",\" blank "
        "\",\"a,b\",3,m-70b,0.000000001,1.000000000,1.500000001,2.500000008,1000,512,4,1.500000000,0.333333336,2."
        "500000007,2,completed\n"
        "1,11,\"odd, \"\"name\"\"\nin two lines\",\" blank "
        "\",\"a,b\",3,m-70b,0.000000001,1.000000000,1.500000001,1.500000001,1000,512,1,1.500000000,,1.500000000,2,"
        "completed\n"
        "2,12,\"odd, \"\"name\"\"\nin two lines\",\" blank "
        "\",\"a,b\",3,m-70b,0.000000001,1.000000000,1.500000001,,1000,512,4,1.500000000,,,2,failed\n"
        "3,0,7,5,9,0,9,7.000000000,,,,0,0,0,,,,0,rejected\n");
  const Rows rows = parse_csv(whole_file(folder / "calls.csv"));
  REQUIRE(rows.size() == 5);
  for (const auto& row : rows) CHECK(row.size() == 19);
  CHECK(rows[1][2] == kNames.agents[1]);
  CHECK(rows[1][3] == kNames.nodes[1][1]);
}

TEST_CASE("tasks.csv: the causes sum to the duration to the nanosecond") {
  const ScratchFolder folder;
  TasksTable table(folder / "tasks.csv", kNames);
  std::vector<agents::TaskRecord> records;
  for (std::int64_t i = 0; i < 200; ++i) {
    agents::TaskRecord r;
    r.task = static_cast<std::uint64_t>(i);
    r.arrival = Time::nanoseconds(i * 123'456'789'012);
    for (std::size_t c = 0; c < platforms::kCauses; ++c)
      r.causes.by_cause[c] = Time::nanoseconds((i * 7919 * static_cast<std::int64_t>(c + 1)) % 1'000'000'007);
    r.finish = r.arrival + r.causes.sum();
    r.calls = 3;
    r.tool_calls = 2;
    r.prompt_tokens = std::numeric_limits<std::int64_t>::max();
    r.status = static_cast<agents::TaskStatus>(i % 4);
    table.on_task(r);
    records.push_back(r);
  }
  table.commit();
  const Rows rows = parse_csv(whole_file(folder / "tasks.csv"));
  REQUIRE(rows.size() == records.size() + 1);
  CHECK(rows[0].size() == 11 + platforms::kCauses);
  CHECK(rows[0][4] == "duration_s");
  CHECK(rows[0][11] == "cause_queue_s");
  CHECK(rows[0].back() == "cause_other_s");
  const auto ns = [](std::string text) {
    REQUIRE(text.size() > 10);
    REQUIRE(text[text.size() - 10] == '.');
    return std::stoll(text.erase(text.size() - 10, 1));
  };
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& row = rows[i + 1];
    REQUIRE(row.size() == rows[0].size());
    CHECK(std::stoull(row[0]) == i);
    CHECK(ns(row[2]) == records[i].arrival.ns());
    CHECK(ns(row[3]) - ns(row[2]) == ns(row[4]));
    CHECK(row[5] == agents::kTaskStatusNames[i % 4]);
    CHECK(row[8] == "9223372036854775807");
    std::int64_t sum = 0;
    for (std::size_t c = 0; c < platforms::kCauses; ++c) {
      CHECK(ns(row[11 + c]) == records[i].causes.by_cause[c].ns());
      sum += ns(row[11 + c]);
    }
    CHECK(sum == ns(row[4]));
  }
}

TEST_CASE("series.csv has fixed decimals and no NaN") {
  const ScratchFolder folder;
  SeriesTable table(folder / "series.csv", kNames);
  table.add({Time::seconds(1), 0, 12, 3, 0.5, 1.0 / 3, 1234.5678, 99, 700.0625});
  table.add({Time::milliseconds(1500), 1, 0, 0, std::nan(""), 0, 0, INFINITY, {}});
  table.commit();
  CHECK(whole_file(folder / "series.csv") ==
        "time_s,pool,running,waiting,kv_utilization,busy,batch_tokens_per_s,output_tokens_per_s,power_w\n"
        "1.000000000,main,12,3,0.500000,0.333333,1234.568,99.000,700.062\n"
        "1.500000000,\"a,b\",0,0,,0.000000,0.000,,\n");
}

TEST_CASE("A table without a commit leaves no file") {
  const ScratchFolder folder;
  {
    CallsTable table(folder / "calls.csv", kNames);
    for (std::uint64_t i = 0; i < 10'000; ++i) table.on_call(call(i));
  }
  CHECK(folder.files().empty());
}

TEST_CASE("Writing calls", "[.benchmark]") {
  const ScratchFolder folder;
  CallsTable table(folder / "calls.csv", kNames);
  for (std::uint64_t i = 0; i < 3'000'000; ++i) table.on_call(call(i));
  table.commit();
}
