#include "traces/readers/spans/span_import.hpp"

#include "tests/support/catch.hpp"
#include "tests/traces/readers/shown_task.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using agents::RecordedStep;
using agents::RecordedTask;
using platforms::Cause;

namespace {

/// Spans of one trace; seconds count from the first one's beginning.
struct Spans {
  Span& add(const std::string& id, const std::string& parent, const std::string& name, int begin_s, int end_s) {
    Span span;
    span.trace = "t";
    span.id = id;
    span.parent = parent;
    span.name = name;
    span.begin_ns = (1000 + begin_s) * std::int64_t{1'000'000'000};
    span.end_ns = (1000 + end_s) * std::int64_t{1'000'000'000};
    list.push_back(span);
    return list.back();
  }
  Span& call(const std::string& id, const std::string& parent, int begin_s, int end_s, std::int64_t tokens) {
    Span& span = add(id, parent, "chat m", begin_s, end_s);
    span.operation = "chat";
    span.model = "m";
    span.input_tokens = tokens;
    span.output_tokens = 1;
    return span;
  }
  /// All tasks, one a line.
  std::string imported() {
    tasks = {};
    FaultLog log(false);
    import_spans(list, "file", tasks, log);
    std::string text;
    for (const RecordedTask& task : tasks.tasks) text += (text.empty() ? "" : "\n") + shown(task, tasks.all_names);
    return text;
  }
  std::uint64_t left_out(const std::string& what) const {
    for (const agents::LeftOut& left_out : tasks.left_out()) {
      if (left_out.what.find(what) != std::string::npos) return left_out.count;
    }
    return 0;
  }
  std::vector<Span> list;
  TaskList tasks;
};

}  // namespace

TEST_CASE("Spans: siblings that overlap are parallel, what follows joins them, gaps are kept") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 30);
  spans.call("1", "0", 1, 4, 10);
  spans.add("2", "0", "execute_tool x", 5, 9);
  spans.add("3", "0", "execute_tool y", 6, 8);
  spans.add("9", "0", "GET /", 5, 9);
  spans.call("4", "0", 11, 20, 20);
  CHECK(spans.imported() == "0m 0x<0+1=4 0y<0+2=2 0m<1+2<2+2 0overhead<3+0=10");
  CHECK(spans.tasks.tasks[0].steps[0].not_before == sim::Time::seconds(1));
  CHECK(spans.left_out("plumbing") == 1);
}

TEST_CASE("Spans: agents and tools with calls in them are branches; a lost parent is the shortest span around") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 30);
  spans.call("1", "0", 0, 4, 10);
  spans.add("2", "0", "execute_tool research", 4, 20);
  spans.add("3", "http", "invoke_agent b", 5, 20);
  spans.call("4", "3", 6, 10, 10);
  spans.call("5", "lost", 12, 20, 10);
  spans.call("6", "0", 20, 30, 20);
  CHECK(spans.imported() == "0m 2m<0+2 2m<1+2 0m<2+0");
}

TEST_CASE(
    "Spans: of nested model spans the innermost is the call, with the nearest tokens; a tool in it is taken out") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 10);
  spans.call("1", "0", 0, 10, 4648);
  spans.call("2", "1", 0, 10, -1).output_tokens = -1;
  spans.add("3", "2", "execute_tool x", 4, 7);
  CHECK(spans.imported() == "0m 0x<0+0=3");  // 7 + 3: as long as it took
  CHECK(spans.tasks.tasks[0].steps[0].duration == sim::Time::seconds(7));
  CHECK(spans.tasks.tasks[0].prompt_tokens(spans.tasks.tasks[0].steps[0]) == 4648);
  CHECK(spans.left_out("around another one") == 1);
}

TEST_CASE("Spans: a call's time between and after its tools is in its duration, and in no gap") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 22);
  spans.call("1", "0", 0, 20, 10);
  spans.add("2", "1", "execute_tool x", 3, 5);
  spans.add("3", "1", "execute_tool y", 7, 8);
  spans.add("4", "1", "execute_tool research", 10, 16);
  spans.call("5", "4", 11, 14, 10);
  spans.add("6", "0", "execute_tool z", 21, 22);
  // Gaps are the second before the call in the tool, and two seconds after it with the one before z.
  CHECK(spans.imported() == "0m 0x<0+0=2 0y<1+0=1 1m<2+1 0z<3+3=1");
  CHECK(spans.tasks.tasks[0].steps[0].duration == sim::Time::seconds(11));
}

TEST_CASE("Spans: of a tool that outlasts its call, what lies within the call is taken out") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 20);
  spans.call("1", "0", 0, 10, 10);
  spans.add("2", "1", "execute_tool x", 4, 14);
  spans.add("3", "0", "execute_tool y", 15, 20);
  CHECK(spans.imported() == "0m 0x<0+0=10 0y<1+1=5");
  CHECK(spans.tasks.tasks[0].steps[0].duration == sim::Time::seconds(4));
}

TEST_CASE("Spans: turns of a conversation are one task with its user; other traces stand alone") {
  Spans spans;
  spans.call("1", "", 0, 4, 10).conversation = "c";
  spans.call("2", "", 10, 12, 20).conversation = "c";
  spans.list.back().trace = "u";
  spans.call("3", "", 3, 5, 10).trace = "v";
  CHECK(spans.imported() == "0m 0user<0+0=6 0m<1+0\n0m");
  CHECK(spans.tasks.tasks[0].steps[1].cause == Cause::kHuman);
  CHECK(spans.tasks.tasks[1].arrival == sim::Time::seconds(3));
}

TEST_CASE("Spans: a failed step that is repeated is a retry") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 10);
  spans.call("1", "0", 0, 2, -1).failed = true;
  spans.call("2", "0", 2, 4, 10);
  spans.add("3", "0", "execute_tool x", 4, 5).failed = true;
  spans.add("4", "0", "execute_tool x", 5, 10);
  CHECK(spans.imported() == "0m=2 0m<0+0 0x<1+0=1 0x<2+0=5");
  CHECK(spans.tasks.tasks[0].steps[0].cause == Cause::kRetry);
  CHECK(spans.tasks.tasks[0].steps[2].cause == Cause::kRetry);
  CHECK(spans.tasks.tasks[0].steps[3].cause == Cause::kTool);
  CHECK(spans.left_out("were repeated") == 1);
}

TEST_CASE("Spans: a branch's prompts share what they have in common; a shorter one begins anew") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 10);
  for (const int tokens : {10, 20, 15, 30}) {
    const int at = static_cast<int>(spans.list.size());
    spans.call(std::to_string(at), "0", at, at + 1, tokens);
  }
  spans.imported();
  const RecordedTask& task = spans.tasks.tasks[0];
  CHECK(task.extents[0].content == task.extents[1].content);
  CHECK(task.extents[1].content != task.extents[2].content);
  CHECK(task.extents[2].content == task.extents[3].content);
}

TEST_CASE("Spans: a short call of another model between two of one changes nothing of their context") {
  Spans spans;
  spans.add("0", "", "invoke_agent a", 0, 10);
  for (const int tokens : {5000, 200, 5300, 200, 5600}) {
    const int at = static_cast<int>(spans.list.size());
    spans.call(std::to_string(at), "0", at, at + 1, tokens).model = tokens == 200 ? "guard" : "big";
  }
  spans.imported();
  const RecordedTask& task = spans.tasks.tasks[0];
  REQUIRE(task.extents.size() == 5);
  CHECK(task.extents[0].content == task.extents[2].content);
  CHECK(task.extents[2].content == task.extents[4].content);
  CHECK(task.extents[1].content == task.extents[3].content);
  CHECK(task.extents[0].content != task.extents[1].content);
  CHECK(spans.left_out("shared with other tasks") == 0);  // there is no other
  spans.call("x", "", 0, 1, 10).trace = "v";
  spans.imported();
  CHECK(spans.left_out("shared with other tasks") == 2);
}

TEST_CASE("Spans: a link joins what its target left, an ended one of the same task") {
  Spans spans;
  spans.add("0", "", "invoke_agent main", 0, 100);
  spans.add("1", "0", "invoke_agent one", 0, 90);
  spans.add("2", "0", "invoke_agent two", 5, 100);
  spans.add("3", "1", "execute_tool first", 0, 40);
  spans.add("4", "2", "execute_tool second", 50, 100).links = {"t3", "t2", "u3"};
  CHECK(spans.imported() == "1first=40 2second<0+10=50");
}
