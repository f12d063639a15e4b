/// The formats `otlp` and `jaeger`: OpenTelemetry spans in files.
///
/// OTLP/JSON: an object a line ({"resourceSpans": [{"scopeSpans": [{"spans": […]}]}]}), or one for the whole file; also
/// as Grafana Tempo writes it (`batches`, `instrumentationLibrarySpans`). Enumerations as numbers or names, 64-bit
/// numbers as text or numbers, identifiers in either case. Jaeger: {"data": [{"spans": [{"traceID", "spanID",
/// "operationName", "references", "startTime": µs, "duration": µs, "tags"}]}]}. What the spans mean is in
/// span_import.hpp.

#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "sim/input/text.hpp"
#include "traces/readers/json_documents.hpp"
#include "traces/readers/spans/span_import.hpp"
#include "traces/readers/task_formats.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {
namespace {

using simdjson::SUCCESS;
using Element = JsonDocuments::Element;

std::string_view text_of(Element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == SUCCESS ? text : std::string_view();
}

std::string hex_of(Element object, std::string_view key) {
  std::string text(text_of(object, key));
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text.find_first_not_of('0') == std::string::npos ? std::string() : text;  // all zeros: none
}

/// A whole number, as JSON number or as text.
bool number_of(Element value, std::int64_t& number) {
  if (value.get(number) == SUCCESS) return true;
  double real = 0;
  if (value.get(real) == SUCCESS && std::abs(real) < 9e18) {
    number = std::llround(real);
    return true;
  }
  std::string_view text;
  if (value.get(text) != SUCCESS) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// A count of tokens, none among them.
bool count_of(Element value, std::int64_t& count) {
  std::int64_t number = 0;
  double real = 0;
  if (!number_of(value, number) || number < 0 || number > kMaxTokens) return false;
  if (value.get(real) == SUCCESS && real != std::floor(real)) return false;
  count = number;
  return true;
}

constexpr std::string_view kOtlpDocument =
    R"({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId", "spanId", "startTimeUnixNano", …}]}]}]})";
constexpr std::string_view kJaegerDocument =
    R"({"data": [{"spans": [{"traceID", "spanID", "operationName", "startTime", "duration", …}]}]})";

class SpanFile {
 public:
  enum class Export : std::uint8_t { kOtlp, kJaeger };
  SpanFile(const std::string& path, const TaskOptions& options, Export by)
      : log_(options.skip_faulty),
        documents_(path, log_, "faulty lines or spans", by == Export::kJaeger ? kJaegerDocument : kOtlpDocument),
        jaeger_(by == Export::kJaeger) {}

  std::unique_ptr<agents::RecordedTaskSource> read() {
    for (Element root; documents_.next(root);) jaeger_ ? read_jaeger(root) : read_otlp(root);
    auto list = std::make_unique<TaskList>();
    import_spans(std::move(spans_), documents_.path(), *list, log_);
    return list;
  }

 private:
  void read_otlp(Element root) {
    bool found = false;
    for (const char* resources : {"resourceSpans", "batches"}) {
      simdjson::dom::array list;
      if (root[resources].get(list) != SUCCESS) continue;
      found = true;
      std::size_t r = 0;
      for (const Element resource : list) {
        for (const char* scopes : {"scopeSpans", "instrumentationLibrarySpans"}) {
          simdjson::dom::array of_scopes;
          if (resource[scopes].get(of_scopes) != SUCCESS) continue;
          std::size_t s = 0;
          for (const Element scope : of_scopes) {
            simdjson::dom::array spans;
            const std::string pointer = fmt::format("/{}/{}/{}/{}/spans", resources, r, scopes, s++);
            if (scope["spans"].get(spans) != SUCCESS) continue;
            std::size_t i = 0;
            for (const Element span : spans) read_otlp_span(span, fmt::format("{}/{}", pointer, i++));
          }
        }
        ++r;
      }
    }
    if (!found) documents_.refuse("/", "no resourceSpans", std::string(kOtlpDocument));
  }

  void read_otlp_span(Element element, const std::string& pointer) {
    Span span;
    span.place = documents_.place(pointer);
    span.trace = hex_of(element, "traceId");
    span.id = hex_of(element, "spanId");
    span.parent = hex_of(element, "parentSpanId");
    span.name = text_of(element, "name");
    for (const auto& [key, time] :
         {std::pair{"startTimeUnixNano", &span.begin_ns}, {"endTimeUnixNano", &span.end_ns}}) {
      Element value;
      if (element[key].get(value) != SUCCESS || !number_of(value, *time)) {
        documents_.refuse(fmt::format("{}/{}", pointer, key), value_text(element, key), "nanoseconds since 1970");
        return;
      }
    }
    Element code;
    if (element["status"]["code"].get(code) == SUCCESS) {
      std::int64_t number = 0;
      std::string_view name;
      span.failed =
          (number_of(code, number) && number == 2) || (code.get(name) == SUCCESS && name == "STATUS_CODE_ERROR");
    }
    simdjson::dom::array links;
    if (element["links"].get(links) == SUCCESS) {
      for (const Element link : links) span.links.push_back(hex_of(link, "traceId") + hex_of(link, "spanId"));
    }
    simdjson::dom::array attributes;
    if (element["attributes"].get(attributes) == SUCCESS) {
      std::size_t i = 0;
      for (const Element attribute : attributes) {
        const std::string_view key = text_of(attribute, "key");
        if (!read_count(span, key, attribute, fmt::format("{}/attributes/{}", pointer, i++))) return;
        std::string_view text;
        if (attribute["value"]["stringValue"].get(text) == SUCCESS) set_attribute(span, key, text);
      }
    }
    spans_.push_back(std::move(span));
  }

  /// True unless the attribute is to hold a count of tokens and holds something else. Without tokens a call would be
  /// played as a wait, so what was meant as a count is not passed over.
  bool read_count(Span& span, std::string_view key, Element attribute, const std::string& pointer) {
    std::int64_t* count = token_count(span, key);
    if (count == nullptr) return true;
    Element value;
    bool read = attribute["value"].get(value) == SUCCESS;
    for (const char* type : {"intValue", "stringValue", "doubleValue"}) {
      Element typed;
      if (read && !jaeger_ && value[type].get(typed) == SUCCESS) value = typed;
    }
    if (read && count_of(value, *count)) return true;
    return documents_.refuse(pointer + "/value", fmt::format("{} = {}", key, value_text(attribute, "value")),
                             fmt::format("a whole number of tokens from 0 to {}", kMaxTokens));
  }

  static std::string value_text(Element object, std::string_view key) {
    Element value;
    return object[key].get(value) == SUCCESS ? sim::shown_text(simdjson::minify(value)) : std::string("nothing");
  }

  void read_jaeger(Element root) {
    simdjson::dom::array traces;
    if (root["data"].get(traces) != SUCCESS) {
      documents_.refuse("/data", "no array", std::string(kJaegerDocument));
      return;
    }
    std::size_t t = 0;
    for (const Element trace : traces) {
      simdjson::dom::array spans;
      const std::string pointer = fmt::format("/data/{}/spans", t++);
      if (trace["spans"].get(spans) != SUCCESS) {
        documents_.refuse(pointer, "no array", std::string(kJaegerDocument));
        continue;
      }
      std::size_t i = 0;
      for (const Element element : spans) read_jaeger_span(element, fmt::format("{}/{}", pointer, i++));
    }
  }

  void read_jaeger_span(Element element, const std::string& pointer) {
    Span span;
    span.place = documents_.place(pointer);
    span.trace = hex_of(element, "traceID");
    span.id = hex_of(element, "spanID");
    span.name = text_of(element, "operationName");
    std::int64_t duration_us = 0;
    for (const auto& [key, time] : {std::pair{"startTime", &span.begin_ns}, {"duration", &duration_us}}) {
      Element value;
      if (element[key].get(value) != SUCCESS || !number_of(value, *time) || *time < 0 ||
          *time > 4'000'000'000'000'000) {
        documents_.refuse(fmt::format("{}/{}", pointer, key), value_text(element, key), "microseconds from 0 to 4e15");
        return;
      }
    }
    span.begin_ns *= 1000;
    span.end_ns = span.begin_ns + 1000 * duration_us;
    simdjson::dom::array references;
    if (element["references"].get(references) == SUCCESS) {
      for (const Element reference : references) {
        if (text_of(reference, "refType") == "CHILD_OF") span.parent = hex_of(reference, "spanID");
        if (text_of(reference, "refType") == "FOLLOWS_FROM") {
          span.links.push_back(hex_of(reference, "traceID") + hex_of(reference, "spanID"));
        }
      }
    }
    simdjson::dom::array tags;
    if (element["tags"].get(tags) == SUCCESS) {
      std::size_t i = 0;
      for (const Element tag : tags) {
        const std::string_view key = text_of(tag, "key");
        if (!read_count(span, key, tag, fmt::format("{}/tags/{}", pointer, i++))) return;
        Element value;
        std::string_view text;
        bool flag = false;
        if (tag["value"].get(value) != SUCCESS) continue;
        if (value.get(text) == SUCCESS) {
          set_attribute(span, key, text);
          if (key == "otel.status_code" && text == "ERROR") span.failed = true;
        } else if (key == "error" && value.get(flag) == SUCCESS) {
          span.failed = span.failed || flag;
        }
      }
    }
    spans_.push_back(std::move(span));
  }

  FaultLog log_;
  JsonDocuments documents_;
  std::vector<Span> spans_;
  bool jaeger_;
};

}  // namespace

std::unique_ptr<agents::RecordedTaskSource> open_otlp(const std::string& path, const TaskOptions& options) {
  return SpanFile(path, options, SpanFile::Export::kOtlp).read();
}

std::unique_ptr<agents::RecordedTaskSource> open_jaeger(const std::string& path, const TaskOptions& options) {
  return SpanFile(path, options, SpanFile::Export::kJaeger).read();
}

}  // namespace tokenyard::traces
