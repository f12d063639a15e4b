/// The dialects of spans in files: however it is written, it is the same task.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/traces/readers/shown_task.hpp"
#include "traces/readers/task_reader.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using Json = nlohmann::json;

namespace {

Json text(const std::string& key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}
Json number(const std::string& key, std::int64_t value) {
  return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

Json span(const std::string& id, const std::string& parent, const std::string& name, int begin_s, int end_s,
          const Json& attributes) {
  const auto date = [](int s) { return std::to_string((1'700'000'000 + s) * std::int64_t{1'000'000'000}); };
  Json json = {{"traceId", "00000000000000000000000000000ABC"},
               {"spanId", id},
               {"name", name},
               {"startTimeUnixNano", date(begin_s)},
               {"endTimeUnixNano", date(end_s)},
               {"attributes", attributes},
               {"unknownField", {1, 2}}};
  if (!parent.empty()) json["parentSpanId"] = parent;
  return json;
}

/// An agent that calls a model, a tool, and the model again, told by the attributes of a dialect.
struct Dialect {
  Json agent, first, tool, second;
  std::string agent_name = "step", call_name = "step", tool_name = "step";
  Json document(const char* resources = "resourceSpans", const char* scopes = "scopeSpans") const {
    const Json spans = {span("0A", "", agent_name, 0, 10, agent), span("0b", "0a", call_name, 0, 3, first),
                        span("0c", "0a", tool_name, 3, 6, tool), span("0d", "0a", call_name, 6, 10, second)};
    return {{resources, {{{"resource", Json::object()}, {scopes, {{{"scope", {{"name", "s"}}}, {"spans", spans}}}}}}}};
  }
};

/// Of one file: the tasks in a line each, with the tokens of their calls.
std::string imported(const std::string& path, const std::string& format = "otlp") {
  const auto source = open_tasks(path, format);
  agents::RecordedTask task;
  std::string all;
  while (source->next(task)) {
    all += shown(task, source->names());
    for (const agents::RecordedStep& step : task.steps) {
      if (step.kind == agents::StepKind::kCall)
        all += fmt::format(" {}/{}", task.prompt_tokens(step), step.output_tokens);
    }
  }
  return all;
}

const std::string kSame = "0m 0search<0+0=3 0m<1+0 100/10 200/20";

const Dialect kNow = {{text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "desk")},
                      {text("gen_ai.operation.name", "chat"), text("gen_ai.response.model", "m"),
                       text("gen_ai.request.model", "alias"), number("gen_ai.usage.input_tokens", 100),
                       number("gen_ai.usage.output_tokens", 10), number("gen_ai.usage.cache_read.input_tokens", 90)},
                      {text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "search")},
                      {text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "m"),
                       number("gen_ai.usage.input_tokens", 200), number("gen_ai.usage.output_tokens", 20)}};

}  // namespace

TEST_CASE("Dialects of spans: GenAI old and new, OpenInference, and spans known by their names are one task") {
  const ScratchFolder folder;
  CHECK(imported(folder.write("now", kNow.document().dump())) == kSame);
  const Dialect old = {{text("gen_ai.operation.name", "invoke_workflow"), text("gen_ai.workflow.name", "desk")},
                       {text("gen_ai.system", "openai"), text("gen_ai.operation.name", "text_completion"),
                        text("gen_ai.request.model", "m"), number("gen_ai.usage.prompt_tokens", 100),
                        number("gen_ai.usage.completion_tokens", 10)},
                       {text("gen_ai.operation.name", "retrieval"), text("gen_ai.tool.name", "search")},
                       {text("gen_ai.operation.name", "generate_content"), text("gen_ai.request.model", "m"),
                        number("gen_ai.usage.prompt_tokens", 200), number("gen_ai.usage.completion_tokens", 20)}};
  CHECK(imported(folder.write("old", old.document().dump())) == kSame);
  const Dialect open_inference = {
      {text("openinference.span.kind", "AGENT"), text("agent.name", "desk"), text("session.id", "s")},
      {text("openinference.span.kind", "LLM"), text("llm.model_name", "m"), number("llm.token_count.prompt", 100),
       number("llm.token_count.completion", 10), number("llm.token_count.total", 110)},
      {text("openinference.span.kind", "TOOL"), text("tool.name", "search")},
      {text("openinference.span.kind", "LLM"), text("llm.model_name", "m"), number("llm.token_count.prompt", 200),
       number("llm.token_count.completion", 20)}};
  CHECK(imported(folder.write("open", open_inference.document().dump())) == kSame);
  Dialect named = kNow;
  for (Json* attributes : {&named.agent, &named.first, &named.tool, &named.second}) {
    attributes->erase(std::remove_if(attributes->begin(), attributes->end(),
                                     [](const Json& a) { return a["key"] == "gen_ai.operation.name"; }),
                      attributes->end());
  }
  named.agent_name = "invoke_agent desk", named.call_name = "call_llm", named.tool_name = "execute_tool search";
  CHECK(imported(folder.write("named", named.document().dump())) == kSame);
  named.call_name = "GET /v1/chat";  // GenAI attributes alone make no call
  CHECK(imported(folder.write("copied", named.document().dump())) == "0search=3 0overhead<0+0=4");
}

TEST_CASE("Dialects of spans: Tempo's keys, a pretty-printed file, numbers and names in place of text, all as one") {
  const ScratchFolder folder;
  CHECK(imported(folder.write("tempo", kNow.document("batches", "instrumentationLibrarySpans").dump())) == kSame);
  CHECK(imported(folder.write("pretty", kNow.document().dump(2))) == kSame);
  Json numbers = kNow.document();
  for (Json& span : numbers["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
    span["kind"] = "SPAN_KIND_INTERNAL";
    span["status"]["code"] = "STATUS_CODE_OK";
    for (const char* key : {"startTimeUnixNano", "endTimeUnixNano"}) {
      const std::string date = span[key];
      span[key] = std::stoll(date);
    }
    for (Json& attribute : span["attributes"]) {
      if (!attribute["value"].contains("intValue")) continue;
      const std::string value = attribute["value"]["intValue"];
      attribute["value"]["intValue"] = std::stoll(value);
    }
  }
  CHECK(imported(folder.write("numbers", numbers.dump())) == kSame);
}

TEST_CASE("Dialects of spans: Jaeger's microseconds, references and tags") {
  const ScratchFolder folder;
  const Json otlp = kNow.document();
  Json spans = Json::array();
  for (const Json& span : otlp["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
    const auto us = [&](const char* key) { return std::stoll(span[key].get<std::string>()) / 1000; };
    Json tags = Json::array();
    for (const Json& attribute : span["attributes"]) {
      const Json& value = attribute["value"];
      tags.push_back({{"key", attribute["key"]},
                      {"value", value.contains("intValue") ? value["intValue"] : value["stringValue"]}});
    }
    Json references = Json::array();
    if (span.contains("parentSpanId"))
      references.push_back({{"refType", "CHILD_OF"}, {"traceID", span["traceId"]}, {"spanID", span["parentSpanId"]}});
    spans.push_back({{"traceID", span["traceId"]},
                     {"spanID", span["spanId"]},
                     {"operationName", span["name"]},
                     {"references", references},
                     {"startTime", us("startTimeUnixNano")},
                     {"duration", us("endTimeUnixNano") - us("startTimeUnixNano")},
                     {"tags", tags}});
  }
  Json document;
  document["data"][0]["spans"] = spans;
  CHECK(imported(folder.write("jaeger", document.dump()), "jaeger") == kSame);
}

TEST_CASE("Dialects of spans: a count of tokens is a whole number, in a text or not; anything else is refused") {
  const ScratchFolder folder;
  const auto faults = [&](const Json& otlp_value, const Json& jaeger_value) {
    Dialect agent = kNow;
    agent.first[4]["value"] = otlp_value;  // the answer's tokens
    Json jaeger;
    jaeger["data"][0]["spans"][0] = {
        {"traceID", "a"}, {"spanID", "b"}, {"operationName", "call_llm"}, {"startTime", 1}, {"duration", 1}};
    jaeger["data"][0]["spans"][0]["tags"] = {{{"key", "gen_ai.usage.output_tokens"}, {"value", jaeger_value}}};
    std::vector<sim::Fault> all;
    for (const auto& [format, document] : {std::pair{"otlp", agent.document()}, {"jaeger", jaeger}}) {
      try {
        open_tasks(folder.write(format, document.dump()), format);
      } catch (const sim::InputError& error) {
        all.insert(all.end(), error.faults().begin(), error.faults().end());
      }
    }
    return all;
  };
  const auto typed = [](const char* type, const Json& value) {
    Json json;
    json[type] = value;
    return json;
  };
  CHECK(faults(typed("intValue", "10"), "10").empty());
  CHECK(faults(typed("intValue", 10), 10).empty());
  CHECK(faults(typed("stringValue", "10"), 0).empty());
  CHECK(faults(typed("doubleValue", 10.0), 10.0).empty());
  for (const Json& bad : {Json("x"), Json(""), Json(-1), Json("-5"), Json(), Json::object(), Json(1e308), Json(1.5),
                          Json(true), Json(1'000'000'001)}) {
    INFO(bad);
    const auto found = faults(typed(bad.is_string() ? "stringValue" : "intValue", bad), bad);
    REQUIRE(found.size() == 2);
    CHECK(found[0].place == "line 1: /resourceSpans/0/scopeSpans/0/spans/1/attributes/4/value");
    CHECK(found[1].place == "line 1: /data/0/spans/0/tags/0/value");
    for (const sim::Fault& fault : found) {
      CHECK(fault.found.starts_with("gen_ai.usage.output_tokens = "));
      CHECK(fault.allowed == "a whole number of tokens from 0 to 1000000000");
    }
  }
  CHECK(faults(Json(), nullptr).size() == 2);  // no value at all
}

TEST_CASE("Dialects of spans: a graph's own edges are dependencies, on the last visit that ended before") {
  const ScratchFolder folder;
  const auto tool = [](const char* name, const char* parent) {
    return Json{text("openinference.span.kind", "TOOL"), text("tool.name", name), text("graph.node.id", name),
                text("graph.node.parent_id", parent)};
  };
  const Json agent = Json::array({text("openinference.span.kind", "AGENT")});
  const Json spans = {span("0", "", "a", 0, 40, agent),           span("1", "0", "one", 0, 40, agent),
                      span("2", "0", "two", 0, 40, agent),        span("3", "1", "x", 0, 10, tool("x", "")),
                      span("4", "1", "x", 12, 20, tool("x", "")), span("5", "1", "x", 22, 40, tool("x", "")),
                      span("6", "2", "y", 21, 40, tool("y", "x"))};
  // Span ids of one digit are ids all the same; "0" alone would be none.
  Json all = spans;
  for (Json& s : all) {
    s["spanId"] = "a" + s["spanId"].get<std::string>();
    if (s.contains("parentSpanId")) s["parentSpanId"] = "a" + s["parentSpanId"].get<std::string>();
  }
  const Json document = {{"resourceSpans", {{{"scopeSpans", {{{"spans", all}}}}}}}};
  CHECK(imported(folder.write("graph", document.dump())) == "1x=10 1x<0+2=8 1x<1+2=18 2y<1+1=19");
}
