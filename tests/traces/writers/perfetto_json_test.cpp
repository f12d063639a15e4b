#include "traces/writers/perfetto_json.hpp"

#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <zlib.h>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/writers/json_text.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using nlohmann::json;
using sim::Time;

namespace {

constexpr platforms::BatchPhase phase(std::uint32_t replica, std::int64_t begin, std::int64_t end,
                                      std::int32_t decoding, platforms::Tokens prefill) {
  return {0, replica, Time::nanoseconds(begin), Time::nanoseconds(end), decoding, prefill > 0 ? 1 : 0, prefill, 1};
}

using TrackKey = std::pair<std::int64_t, std::int64_t>;
struct Slice {
  std::int64_t begin, end;
  std::string name, category;
};
struct Timeline {
  json root;
  std::map<TrackKey, std::vector<Slice>> slices;
  std::map<std::string, TrackKey> threads;  ///< "process/thread"
  std::size_t flows = 0;

  const std::vector<Slice>& of(const std::string& thread) const { return slices.at(threads.at(thread)); }
  std::vector<std::string> names(const std::string& thread) const {
    std::vector<std::string> list;
    for (const Slice& slice : of(thread)) list.push_back(slice.name);
    return list;
  }
  std::size_t count() const {
    std::size_t sum = 0;
    for (const auto& [key, list] : slices) sum += list.size();
    return sum;
  }
};

/// Nanoseconds from the very text of the number: no double in between.
class ExactTimes : public nlohmann::json_sax<json> {
 public:
  std::vector<std::string> texts;
  bool number_float(double, const std::string& text) override { return note(text); }
  bool key(std::string& name) override { return last_ = name, true; }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(json::binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool note(const std::string& text) {
    if (last_ == "ts" || last_ == "dur") texts.push_back(text);
    return true;
  }
  std::string last_;
};

std::int64_t exact_ns(std::string text) {
  const std::size_t point = text.find('.');
  REQUIRE(point != std::string::npos);
  REQUIRE(text.size() == point + 4);
  return std::stoll(text.erase(point, 1));
}

std::string gunzip(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string text, block(1 << 16, '\0');
  for (int size = 0; (size = gzread(file, block.data(), 1 << 16)) > 0;)
    text.append(block, 0, static_cast<std::size_t>(size));
  REQUIRE(gzclose(file) == Z_OK);
  return text;
}

/// Parses a timeline and holds it to the rules: slices nest and begin in order on every track, arrows start and end
/// strictly inside slices and lead forwards, counters are numbers, pids are where they belong.
Timeline checked(const std::string& text) {
  Timeline timeline;
  timeline.root = json::parse(text);
  ExactTimes exact;
  REQUIRE(json::sax_parse(text, &exact));
  std::size_t next_number = 0;
  const auto take_ns = [&] { return exact_ns(exact.texts.at(next_number++)); };
  for (const auto& [key, value] : timeline.root.at("otherData").items()) CHECK(value.is_string());
  std::map<std::int64_t, std::string> processes;
  struct End {
    TrackKey track;
    std::int64_t at;
  };
  std::map<std::int64_t, std::vector<End>> arrows;
  for (const json& event : timeline.root.at("traceEvents")) {
    const std::string ph = event.at("ph");
    const TrackKey track{event.at("pid"), event.at("tid")};
    REQUIRE(track.first >= 1);
    if (ph == "M") {
      const std::string name = event.at("name");
      if (name == "process_name") processes[track.first] = event.at("args").at("name");
      if (name == "thread_name") {
        const std::string thread = processes.at(track.first) + "/" + event.at("args").at("name").get<std::string>();
        REQUIRE(timeline.threads.emplace(thread, track).second);
      }
    } else if (ph == "X") {
      const std::int64_t begin = take_ns();
      const std::int64_t duration = take_ns();
      REQUIRE(duration >= 0);
      REQUIRE(event.at("cat").is_string());
      timeline.slices[track].push_back({begin, begin + duration, event.at("name"), event.at("cat")});
    } else if (ph == "C") {
      take_ns();
      REQUIRE(event.at("args").size() == 1);
      for (const auto& [key, value] : event.at("args").items()) REQUIRE(value.is_number());
      REQUIRE(track.first < 10'000);
    } else {
      REQUIRE((ph == "s" || ph == "f"));
      REQUIRE(event.at("bp") == "e");
      auto& ends = arrows[event.at("id")];
      REQUIRE(ends.size() == (ph == "s" ? 0 : 1));
      ends.push_back({track, take_ns()});
    }
  }
  REQUIRE(next_number == exact.texts.size());
  for (const auto& [track, slices] : timeline.slices) {
    std::vector<Slice> open;
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (const Slice& slice : slices) {
      INFO(track.first << "/" << track.second << " " << slice.name << " " << slice.begin << " " << slice.end);
      REQUIRE(slice.begin >= last);
      last = slice.begin;
      while (!open.empty() && open.back().end <= slice.begin) open.pop_back();
      if (!open.empty()) REQUIRE(slice.end <= open.back().end);
      open.push_back(slice);
    }
  }
  for (const auto& [id, ends] : arrows) {
    REQUIRE(ends.size() == 2);
    REQUIRE(ends[0].at < ends[1].at);
    REQUIRE(ends[0].track.first >= 10'000);
    REQUIRE(ends[1].track.first < 10'000);
    for (const End& end : ends) {
      bool inside = false;
      for (const Slice& slice : timeline.slices.at(end.track))
        inside = inside || (slice.begin < end.at && end.at < slice.end);
      REQUIRE(inside);
    }
  }
  timeline.flows = arrows.size();
  return timeline;
}

/// A run of one agent with a tool, and of bare requests, over a prefill and a decode pool.
struct Fixture {
  ScratchFolder folder;
  Names names{
      {"support \"desk\"\n", "requests"}, {{"triage", "search"}, {"request"}}, {"prefill", "decode"}, {"m", "m"}};

  template <typename Play>
  Timeline play(const TimelineOptions& options, Play feed) {
    PerfettoJson timeline(folder / "t.json", names, options);
    feed(timeline);
    timeline.commit();
    return checked(whole_file(folder / "t.json"));
  }
};

platforms::CallRecord call(std::uint64_t number, std::uint64_t task, std::uint32_t agent, std::int64_t arrival,
                           std::int64_t scheduled, std::int64_t first, std::int64_t finish) {
  platforms::CallRecord r;
  r.call = number;
  r.task = task;
  r.agent = agent;
  r.arrival = Time::nanoseconds(arrival);
  r.scheduled = Time::nanoseconds(scheduled);
  r.first_token = Time::nanoseconds(first);
  r.finish = Time::nanoseconds(finish);
  r.status = platforms::CallStatus::kCompleted;
  return r;
}

agents::TaskRecord task(std::uint64_t number, std::uint32_t agent, std::int64_t arrival, std::int64_t finish) {
  agents::TaskRecord r;
  r.task = number;
  r.agent = agent;
  r.arrival = Time::nanoseconds(arrival);
  r.finish = Time::nanoseconds(finish);
  r.status = agents::TaskStatus::kCompleted;
  r.causes[platforms::Cause::kDecode] = r.finish - r.arrival;
  return r;
}

agents::NodeVisit node(std::uint64_t number, std::uint32_t index, std::uint32_t branch, std::int64_t begin,
                       std::int64_t served, std::int64_t end) {
  agents::NodeVisit span;
  span.task = number;
  span.node = index;
  span.branch = branch;
  span.name = index == 0 ? "triage" : "search";
  span.kind = index == 0 ? "llm" : "tool";
  span.begin = Time::nanoseconds(begin);
  span.served = Time::nanoseconds(served);
  span.end = Time::nanoseconds(end);
  return span;
}

void small_run(PerfettoJson& t) {
  t.on_batch_phase(phase(0, 0, 1'000, 0, 2048));
  t.on_batch_phase(phase(0, 1'000, 5'500, 12, 2048));
  t.on_batch_phase(phase(0, 5'500, 9'007'199'254'740'993'001, 12, 0));
  t.on_kv_transfer({0, 0, 0, 1, 2, 1e6, Time::nanoseconds(600), Time::nanoseconds(900)});
  t.on_kv_transfer({5, 0, 0, 1, 2, 1e6, Time::nanoseconds(700), Time::nanoseconds(950)});
  platforms::CallRecord first = call(0, 0, 0, 100, 200, 1'200, 3'000);
  first.replica = 2;  // of the decode pool: the arrow leads to where the KV came from
  t.on_call(first);
  agents::NodeVisit span = node(0, 0, 0, 100, 100, 3'000);
  span.call = 0;
  t.on_node(span);
  t.on_node(node(0, 1, 0, 3'000, 3'400, 4'000));
  t.on_node(node(0, 1, 1, 3'000, 3'000, 3'900));
  t.on_task(task(0, 0, 100, 4'000));
  t.on_call(call(1, 1, 1, 1'000, 1'100, 2'000, 2'000));
  t.on_task(task(1, 1, 1'000, 2'000));
  t.add({Time::seconds(1), 0, 12, 3, 0.5, 1, 2, 3, 700});
  t.add({Time::seconds(2), 1, 12, 3, std::numeric_limits<double>::quiet_NaN(), 1, 2, 3, {}});
}

}  // namespace

TEST_CASE("A small run becomes pools, replicas, tasks, stages, transfers and arrows") {
  Fixture fixture;
  const Timeline t = fixture.play({}, small_run);
  using Strings = std::vector<std::string>;
  CHECK(t.names("pool prefill/replica 0") == Strings{"prefill 2048", "prefill 2048 + decode x12", "decode x12"});
  CHECK(t.of("pool prefill/replica 0")[2].end == 9'007'199'254'740'993'001);  // beyond what a double holds
  CHECK(t.names("agent support \"desk\"\n/task 0") ==
        Strings{"task 0", "triage", "queue", "prefill", "decode", "search", "wait"});
  CHECK(t.of("agent support \"desk\"\n/task 0")[1].category == "llm");
  CHECK(t.of("agent support \"desk\"\n/task 0")[5].category == "tool");
  CHECK(t.names("agent support \"desk\"\n/task 0 branch 1") == Strings{"search"});
  CHECK(t.names("agent requests/task 1") == Strings{"task 1", "queue", "prefill"});
  // Two transfers overlap: each has a thread of its own.
  CHECK(t.names("pool decode/kv in 0") == Strings{"kv prefill/0 to decode/2"});
  CHECK(t.names("pool decode/kv in 1").size() == 1);
  CHECK(t.flows == 2);
  std::vector<std::string> counters;
  std::map<std::string, double> at;
  for (const json& event : t.root["traceEvents"]) {
    if (event["ph"] == "C")
      counters.push_back(std::to_string(event["pid"].get<int>()) + event["name"].get<std::string>()),
          at[counters.back()] = event["ts"];
    if (event["ph"] == "f") CHECK(event["pid"] == 1);
    if (event["ph"] == "X" && event["name"] == "task 0") CHECK(event["args"]["decode_s"] == 0.0000039);
  }
  CHECK(counters == Strings{"1running", "1waiting", "1kv_utilization", "1power_w", "2running", "2waiting"});
  CHECK(at["1running"] == 1e6);
  CHECK(at["1power_w"] == 0);  // a mean over the interval before
}

TEST_CASE("An empty timeline is valid, plain and gzipped") {
  Fixture fixture;
  const Timeline t = fixture.play({}, [](PerfettoJson&) {});
  CHECK(t.count() == 0);
  fixture.names = {};
  CHECK(fixture.play({}, [](PerfettoJson&) {}).root["traceEvents"].empty());
  PerfettoJson packed(fixture.folder / "t.json.gz", fixture.names);
  packed.commit();
  CHECK(gunzip(fixture.folder / "t.json.gz") == whole_file(fixture.folder / "t.json"));
}

TEST_CASE("Without a commit no timeline is left behind") {
  Fixture fixture;
  {
    PerfettoJson timeline(fixture.folder / "t.json.gz", fixture.names);
    small_run(timeline);
  }
  CHECK(fixture.folder.files().empty());
}

TEST_CASE("Random events, overlapping as they will, still nest") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Fixture fixture;
    std::mt19937 random(seed);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    const auto feed = [&](PerfettoJson& t) {
      for (std::uint64_t i = 0; i < 200; ++i) {
        const std::int64_t a = below(1000), b = a + below(50), c = b + below(50), d = c + below(50);
        t.on_batch_phase(phase(static_cast<std::uint32_t>(below(3)), a, d, 1, below(3)));
        if (below(3) == 0)
          t.on_kv_transfer(
              {i, 0, static_cast<std::uint32_t>(below(3)), 1, 0, 1, Time::nanoseconds(a), Time::nanoseconds(b)});
        const std::uint64_t number = static_cast<std::uint64_t>(below(20));
        agents::NodeVisit span =
            node(number, static_cast<std::uint32_t>(below(2)), static_cast<std::uint32_t>(below(3)), a, b, d);
        if (below(2) == 0) span.call = i;
        t.on_node(span);
        t.on_call(call(i, number, 0, a, b, c, d));
        if (below(10) == 0) t.on_task(task(number, 0, a, d));
      }
    };
    const Timeline t = fixture.play({}, feed);
    CHECK(t.count() > 500);
    CHECK(t.flows > 0);
  }
}

TEST_CASE("Caps and the window bound a timeline, and what was left out is counted") {
  Fixture fixture;
  const auto feed = [](PerfettoJson& t) {
    for (std::int64_t i = 0; i < 1000; ++i) {
      t.on_batch_phase(phase(0, i * 1000, i * 1000 + 1000, 5, 0));
      t.on_call(call(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i), 0, i * 1000, i * 1000 + 10,
                     i * 1000 + 500, i * 1000 + 900));
      t.on_task(task(static_cast<std::uint64_t>(i), 0, i * 1000, i * 1000 + 900));
      t.add({Time::nanoseconds(i * 1000), 0, 1, 1, 0, 0, 0, 0, {}});
    }
  };
  SECTION("tasks") {
    const Timeline t = fixture.play({.max_tasks = 3}, feed);
    CHECK(t.threads.count("agent support \"desk\"\n/task 2") == 1);
    CHECK(t.threads.count("agent support \"desk\"\n/task 3") == 0);
    CHECK(t.root["otherData"]["tasks"] == "3");
    CHECK(t.root["otherData"]["tasks_left_out"] == "997");
    CHECK(t.flows == 3);
  }
  SECTION("slices") {
    const Timeline t = fixture.play({.max_slices = 100}, feed);
    CHECK(t.count() <= 100);
    CHECK(t.of("pool prefill/replica 0").size() == 50);
    CHECK(t.root["otherData"]["replica_slices_left_out"] == "950");
    CHECK(t.root["otherData"]["tasks"] == "12");  // 4 slices each
    CHECK(t.root["otherData"]["counter_rows_left_out"] == "975");
  }
  SECTION("window") {
    const Timeline t =
        fixture.play({.window_begin = Time::nanoseconds(10'000), .window_end = Time::nanoseconds(20'000)}, feed);
    CHECK(t.of("pool prefill/replica 0").size() == 10);
    CHECK(t.of("pool prefill/replica 0")[0].begin == 10'000);
    CHECK(t.root["otherData"]["tasks"] == "10");
    CHECK(t.root["otherData"]["tasks_left_out"] == "0");
    CHECK(t.threads.count("agent support \"desk\"\n/task 10") == 1);
    CHECK(t.flows == 10);
  }
}

TEST_CASE("Strings are escaped as JSON wants it") {
  fmt::memory_buffer buffer;
  const std::string text = std::string("a\"b\\c\n\t\x01/") + "ä…";
  append_json_string(buffer, text);
  CHECK(json::parse(fmt::to_string(buffer)) == text);
}

TEST_CASE("A timeline of 300,000 slices", "[.benchmark]") {
  Fixture fixture;
  PerfettoJson t(fixture.folder / "t.json.gz", fixture.names, {.max_slices = 600'000});
  for (std::int64_t i = 0; i < 300'000; ++i)
    t.on_batch_phase(
        phase(0, i * 1'234'567, (i + 1) * 1'234'567, static_cast<std::int32_t>(i * 7919 % 250), i * 104729 % 2048));
  const auto begin = std::clock();
  t.commit();
  WARN("commit " << static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC << " s, "
                 << std::filesystem::file_size(fixture.folder / "t.json.gz") << " bytes");
}
