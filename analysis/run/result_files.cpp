#include "analysis/run/result_files.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

void write_json(const std::filesystem::path& path, const Json& json) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "{}\n", sim::to_text(json, 2));  // a path is any bytes
  file.commit();
}

}  // namespace

RunFolder::RunFolder(const std::filesystem::path& path) : path_(path) {
  if (path_.empty()) return;
  std::error_code error;
  made_ = std::filesystem::create_directories(path_, error);
  if (error) throw traces::no_place_for_output(path_, error.message());
}

RunFolder::~RunFolder() {
  std::error_code not_empty;
  if (made_ && std::uncaught_exceptions() > exceptions_) std::filesystem::remove(path_, not_empty);
}

ResultFiles::ResultFiles(const SimulateOptions& options, const traces::Names& names, sim::Time window_begin) {
  const auto& out = options.out;
  if (out.empty()) return;
  const bool results = std::filesystem::exists(out / "manifest.json");
  const auto forget = [&](const char* name) {
    const auto is_input = [&](const auto& input) {
      std::error_code absent;
      return std::filesystem::equivalent(input.first, out / name, absent);
    };
    if (results && std::none_of(options.inputs.begin(), options.inputs.end(), is_input)) stale_.push_back(out / name);
  };
  const auto open = [&](const char* kind, const char* name, auto& file, const auto&... how) {
    if (options.write.contains(kind)) {
      file.emplace(out / name, how...);
    } else {
      forget(name);
    }
  };
  open("calls", "calls.csv", calls_, names);
  open("tasks", "tasks.csv", tasks_, names);
  open("series", "series.csv", series_, names);
  open("perfetto", "trace.perfetto.json.gz", timeline_, names, traces::TimelineOptions{.window_begin = window_begin});
  open("record", "record.jsonl", record_);
  open("otlp", "trace.otlp.jsonl", spans_, names);
  if (!options.report) forget("report.html");
  for (const char* name : {"summary.json", "manifest.json"})
    forget(name);  // new tables are never beside an old summary
  if (record_ || spans_) {
    recorder_.emplace(names, [this](const traces::RanTask& ran, const agents::RecordedNames& recorded) {
      if (record_) record_->add(ran.task, recorded);
      if (spans_) spans_->add(ran, recorded);
    });
  }
}

void ResultFiles::watch(platforms::Fleet& fleet, agents::Workload& workload, Sampler& sampler) {
  if (calls_) fleet.add_observer(*calls_);
  if (tasks_) workload.add_observer(*tasks_);
  if (series_) sampler.add_sink([this](const traces::SeriesRow& row) { series_->add(row); });
  if (timeline_) {
    fleet.add_observer(*timeline_);
    workload.add_observer(*timeline_);
    sampler.add_sink([this](const traces::SeriesRow& row) { timeline_->add(row); });
  }
  if (recorder_) {
    fleet.add_observer(*recorder_);
    workload.add_observer(*recorder_);
  }
}

void ResultFiles::commit() {
  std::error_code ignored;  // most are not there
  for (const auto& path : stale_) std::filesystem::remove(path, ignored);
  if (calls_) calls_->commit();
  if (tasks_) tasks_->commit();
  if (series_) series_->commit();
  if (timeline_) timeline_->commit();
  if (record_) record_->commit();
  if (spans_) spans_->commit();
}

void write_summary(const Scenario& scenario, const SimulateOptions& options, const sim::Json& summary) {
  write_json(options.out / "summary.json", summary);
  Json inputs = Json::array();
  for (const auto& [path, sha] : options.inputs) inputs.push_back({{"path", path}, {"sha256", sha}});
  write_json(options.out / "manifest.json", {{"schema", "tokenyard.manifest/1"},
                                             {"version", options.version},
                                             {"command", options.command},
                                             {"seed", scenario.seed},
                                             {"network", options.network},
                                             {"inputs", inputs},
                                             {"scenario", sim::parse_json(options.resolved).value()},
                                             {"wall_s", summary["wall_s"]},
                                             {"status", summary["status"]}});
}

}  // namespace tokenyard::analysis
