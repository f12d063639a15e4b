#include "agents/work/service.hpp"

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using sim::Time;

namespace {

/// Jobs of walks 0, 1, …, which come at dates and take so long: when each begins and ends.
struct Served {
  double begin = -1, end = -1;
  bool operator==(const Served&) const = default;
};
struct Job {
  double at, takes;
};

std::vector<Served> serve(const ServiceSpec& spec, const std::vector<Job>& jobs) {
  Service service(spec, spec.capacity);
  std::vector<Served> served(jobs.size());
  std::multimap<Time, int> dates;  // of a job's arrival, of a server's end (-1), and to look again (-2)
  for (std::size_t i = 0; i < jobs.size(); ++i) dates.emplace(Time::seconds(jobs[i].at), static_cast<int>(i));
  while (!dates.empty()) {
    const auto [now, what] = *dates.begin();
    dates.erase(dates.begin());
    if (what == -1) service.finish(now);
    if (what >= 0) {
      const auto walk = static_cast<std::uint32_t>(what);
      service.arrive({walk, Time::seconds(jobs[walk].takes)});
    }
    for (auto begun = service.begin(now); !begun.empty(); begun = service.begin(now)) {
      int freed = 0;
      for (const Service::Begun& job : begun) {
        served[job.walk] = {now.seconds(), job.end.seconds()};
        freed += job.frees ? 1 : 0;
      }
      CHECK(freed == 1);
      dates.emplace(begun.back().end, -1);
    }
    const Time due = service.due(now);
    if (due < Time::never()) dates.emplace(due, -2);
    CHECK(due > now);
  }
  CHECK(service.waiting() == 0);
  CHECK(service.busy() == 0);
  return served;
}

/// The tasks of an entry, which are played as the simulation goes on.
struct Play {
  explicit Play(const WorkloadEntry& entry) : player(simulation, door, 1, {entry}, Time::seconds(1e6)) {
    player.add_observer(log);
    player.start();
  }
  sim::Simulation simulation;
  TimedDoor door{simulation};
  TaskPlayer player;
  TaskLog log;
};

/// Ends a run at a date.
struct Cut final : sim::EventHandler {
  explicit Cut(TaskPlayer& cut) : player(cut) {}
  void on_event(Time, std::uint64_t) override { player.finish_unfinished(); }
  TaskPlayer& player;
  sim::Entity entity;
};

/// The log of one task of one tool, which runs `copies` side by side for 3 s each on two servers that are cold at first;
/// ended `cut_s` after it came.
TaskLog on_cold_servers(int copies, double cut_s = 1000) {
  WorkloadEntry entry = entry_of({R"({
    "schema": "tokenyard.agent/1", "name": "cold", "services": {"box": {"capacity": 2, "cold_start_s": 10}},
    "nodes": {"run": {"kind": "tool", "service": "box", "latency_s": 3, "parallel": )" +
                                  std::to_string(copies) + R"(}, "done": {"kind": "end"}},
    "edges": [{"from": "run", "to": "done"}], "start": "run"
  })"});
  entry.max_tasks = 1;
  Play play(entry);
  Cut cut(play.player);
  sim::Simulation& simulation = play.simulation;
  simulation.schedule(simulation.next_date() + Time::seconds(cut_s), sim::Priority::kStop, cut.entity, cut);
  while (play.log.tasks.empty() && simulation.step()) {
  }
  return play.log;
}

}  // namespace

TEST_CASE("Service: so many at a time, first come, first served; without a capacity all at once") {
  CHECK(serve({.capacity = 2}, {{0, 5}, {0, 3}, {1, 2}, {1, 1}}) ==
        std::vector<Served>{{0, 5}, {0, 3}, {3, 5}, {5, 6}});
  CHECK(serve({.capacity = 0}, {{0, 5}, {0, 3}, {1, 2}}) == std::vector<Served>{{0, 5}, {0, 3}, {1, 3}});
}

TEST_CASE("Service: a rate lets a burst through, then one at a time; rest fills the bucket, and no further") {
  const ServiceSpec spec{.capacity = 100, .rate_per_s = 0.5, .burst = 3};
  CHECK(serve(spec, {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}, {100, 1}, {100, 1}, {100, 1}, {100, 1}}) ==
        std::vector<Served>{{0, 1}, {0, 1}, {0, 1}, {2, 3}, {4, 5}, {100, 101}, {100, 101}, {100, 101}, {102, 103}});
  // Both rules hold: there is a token at 2, a server at 9.
  CHECK(serve({.capacity = 1, .rate_per_s = 0.5}, {{0, 9}, {0, 1}, {0, 1}}) ==
        std::vector<Served>{{0, 9}, {9, 10}, {11, 12}});
}

TEST_CASE("Service: a server begins cold, stays warm for a while, and the one that rested last serves next") {
  const ServiceSpec spec{.capacity = 2, .cold_start = Time::seconds(10), .stays_warm = Time::seconds(60)};
  CHECK(serve(spec, {{0, 1}, {20, 1}, {81, 1}, {200, 1}}) ==
        std::vector<Served>{{0, 11}, {20, 21}, {81, 82}, {200, 211}});
  // Two at once are two cold ones; the second to end serves at 20, so that the first is cold again at 75.
  CHECK(serve(spec, {{0, 1}, {0, 3}, {20, 1}, {75, 1}, {75, 1}}) ==
        std::vector<Served>{{0, 11}, {0, 13}, {20, 21}, {75, 76}, {75, 86}});
}

TEST_CASE("Service: a free server takes what waits, up to a batch, for as long as the longest of them") {
  CHECK(serve({.capacity = 1, .batch = 3}, {{0, 4}, {1, 1}, {1, 7}, {2, 2}, {3, 1}}) ==
        std::vector<Served>{{0, 4}, {4, 11}, {4, 11}, {4, 11}, {11, 12}});
}

TEST_CASE("Service: shifts of the day; who is being served when one ends is served to the end") {
  const double hour = 3600, day = 24 * hour;
  const ServiceSpec spec{.capacity = 2, .shifts = {{Time::seconds(8 * hour), 1}, {Time::seconds(18 * hour), 0}}};
  CHECK(serve(spec, {{0, 60}, {0, 60}, {0, 60}, {18 * hour - 1, 60}, {18 * hour, 60}}) ==
        std::vector<Served>{{8 * hour, 8 * hour + 60},
                            {8 * hour, 8 * hour + 60},
                            {8 * hour + 60, 8 * hour + 120},
                            {18 * hour - 1, 18 * hour + 59},
                            {day + 8 * hour, day + 8 * hour + 60}});
  const ServiceSpec night{.capacity = 10, .shifts = {{Time::seconds(6 * hour), 1}, {Time::seconds(22 * hour), 0.11}}};
  const std::vector<Served> served = serve(night, {{0, 9}, {0, 9}, {0, 9}});
  CHECK(served[1].begin == 0);  // two of ten: nobody is a fraction
  CHECK(served[2].begin == 9);
}

TEST_CASE("Services with rules, in time: tasks wait for tokens, and their causes sum to their durations") {
  WorkloadEntry entry = entry_of({R"({
    "schema": "tokenyard.agent/1", "name": "limited",
    "services": {"api": {"capacity": 9, "rate_per_s": 0.1}, "embed": {"capacity": 1, "batch": 4, "cold_start_s": 2}},
    "nodes": {
      "call": {"kind": "tool", "service": "api", "latency_s": 3, "parallel": 2},
      "embed": {"kind": "tool", "service": "embed", "latency_s": 1, "parallel": 4}, "done": {"kind": "end"}
    },
    "edges": [{"from": "call", "to": "embed"}, {"from": "embed", "to": "done"}],
    "start": "call"
  })"},
                                 1000);
  entry.max_tasks = 3;
  Play play(entry);
  play.simulation.run();
  const TaskLog& log = play.log;
  REQUIRE(log.tasks.size() == 3);
  for (const TaskRecord& task : log.tasks) CHECK(task.causes.sum() == task.finish - task.arrival);
  CHECK(log.tasks[0].causes[platforms::Cause::kStartup] == Time::seconds(2));
  CHECK(log.tasks[1].causes[platforms::Cause::kStartup] == Time());
  std::vector<double> embedded;
  for (const NodeVisit& span : log.spans) {
    if (span.name == "embed") embedded.push_back((span.end - span.served).seconds());
  }
  // A beginning every 10 s, two a task: the batches of four do not meet, and the first one starts the server.
  CHECK(embedded == std::vector<double>{3, 1, 1});
  CHECK((log.tasks[2].finish - log.tasks[0].finish).seconds() == Approx(2 * 20 - 2));
}

TEST_CASE("Services in time: what a server takes to start is startup, of the copy that ends last, up to a cut") {
  struct Case {
    int copies;
    double cut_s, startup_s, tool_s;
  };
  // Of three, the last waits for a server, which is warm then.
  const Case cases[] = {{1, 1000, 10, 3}, {2, 1000, 10, 3}, {3, 1000, 0, 16}, {2, 4, 4, 0},
                        {2, 11, 10, 1},   {3, 4, 4, 0},     {3, 14, 0, 14}};
  for (const Case& c : cases) {
    INFO(c.copies << " copies, cut at " << c.cut_s << " s");
    const TaskLog log = on_cold_servers(c.copies, c.cut_s);
    REQUIRE(log.tasks.size() == 1);
    const TaskRecord& task = log.tasks[0];
    CHECK(task.causes[platforms::Cause::kStartup] == Time::seconds(c.startup_s));
    CHECK(task.causes[platforms::Cause::kTool] == Time::seconds(c.tool_s));
    CHECK(task.causes.sum() == task.finish - task.arrival);
    if (task.status != TaskStatus::kCompleted) continue;
    REQUIRE(log.spans.size() == 1);
    CHECK(log.spans[0].startup == Time::seconds(c.startup_s));
  }
}
