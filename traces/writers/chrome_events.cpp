#include "traces/writers/chrome_events.hpp"

#include "traces/writers/json_text.hpp"
#include "traces/writers/row_text.hpp"

namespace tokenyard::traces {

ChromeEvents::ChromeEvents(OutputFile& file, std::span<const std::pair<std::string, std::string>> other) : file_(file) {
  RowText text(file_.buffer());
  text.text("{\"displayTimeUnit\":\"ms\",\n\"otherData\":{");
  bool first_pair = true;
  for (const auto& [name, value] : other) {
    if (!first_pair) text.comma();
    first_pair = false;
    append_json_string(file_.buffer(), name);
    text.text(":");
    append_json_string(file_.buffer(), value);
  }
  text.text("},\n\"traceEvents\":[");
}

void ChromeEvents::begin(char phase, Track track) {
  end();
  file_.flush_if_full();
  RowText text(file_.buffer());
  text.text(first_ ? "\n{\"ph\":\"" : ",\n{\"ph\":\"");
  file_.buffer().push_back(phase);
  text.text("\",\"pid\":").integer(track.pid).text(",\"tid\":").integer(track.tid);
  first_ = false;
  open_ = true;
}

void ChromeEvents::end() {
  if (!open_) return;
  RowText(file_.buffer()).text(in_args_ ? "}}" : "}");
  open_ = in_args_ = false;
}

void ChromeEvents::key(std::string_view key) {
  RowText text(file_.buffer());
  text.text(in_args_ ? ",\"" : ",\"args\":{\"").text(key).text("\":");
  in_args_ = true;
}

void ChromeEvents::arg(std::string_view name, std::int64_t value) {
  key(name);
  RowText(file_.buffer()).integer(value);
}

void ChromeEvents::arg(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(file_.buffer(), value);
}

void ChromeEvents::arg_seconds(std::string_view name, sim::Time value) {
  key(name);
  RowText(file_.buffer()).seconds(value);
}

void ChromeEvents::process(std::uint32_t pid, std::string_view name) {
  begin('M', {pid, 0});
  RowText(file_.buffer()).text(",\"name\":\"process_name\"");
  arg("name", name);
  begin('M', {pid, 0});
  RowText(file_.buffer()).text(",\"name\":\"process_sort_index\"");
  arg("sort_index", pid);
}

void ChromeEvents::thread(Track track, std::string_view name) {
  begin('M', track);
  RowText(file_.buffer()).text(",\"name\":\"thread_name\"");
  arg("name", name);
  begin('M', track);
  RowText(file_.buffer()).text(",\"name\":\"thread_sort_index\"");
  arg("sort_index", track.tid);
}

void ChromeEvents::slice(Track track, std::string_view name, std::string_view category, sim::Time from, sim::Time to) {
  begin('X', track);
  RowText text(file_.buffer());
  text.text(",\"ts\":").microseconds(from).text(",\"dur\":").microseconds(to - from).text(",\"name\":");
  append_json_string(file_.buffer(), name);
  text.text(",\"cat\":");
  append_json_string(file_.buffer(), category);
}

void ChromeEvents::counter(std::uint32_t pid, std::string_view name, sim::Time at, std::string_view unit,
                           std::string_view number) {
  begin('C', {pid, 0});
  RowText(file_.buffer()).text(",\"ts\":").microseconds(at).text(",\"name\":\"").text(name).text("\"");
  key(unit);
  RowText(file_.buffer()).text(number);
}

void ChromeEvents::flow(std::uint64_t id, Track from, sim::Time from_at, Track to, sim::Time to_at) {
  begin('s', from);
  RowText(file_.buffer()).text(",\"ts\":").microseconds(from_at);
  RowText(file_.buffer()).text(",\"bp\":\"e\",\"id\":").integer(id).text(",\"name\":\"call\",\"cat\":\"call\"");
  begin('f', to);
  RowText(file_.buffer()).text(",\"ts\":").microseconds(to_at);
  RowText(file_.buffer()).text(",\"bp\":\"e\",\"id\":").integer(id).text(",\"name\":\"call\",\"cat\":\"call\"");
}

void ChromeEvents::close() {
  end();
  RowText(file_.buffer()).text("\n]}\n");
}

std::vector<std::uint32_t> assign_lanes(std::span<const Interval> intervals, bool nest) {
  std::vector<std::uint32_t> lanes;
  lanes.reserve(intervals.size());
  std::vector<std::vector<sim::Time>> open;  // by lane: ends of the slices open, the innermost last
  for (const Interval& interval : intervals) {
    std::uint32_t lane = 0;
    for (;; ++lane) {
      if (lane == open.size()) open.emplace_back();
      std::vector<sim::Time>& ends = open[lane];
      while (!ends.empty() && ends.back() <= interval.begin) ends.pop_back();
      if (ends.empty() || (nest && ends.back() >= interval.end)) break;
    }
    open[lane].push_back(interval.end);
    lanes.push_back(lane);
  }
  return lanes;
}

}  // namespace tokenyard::traces
