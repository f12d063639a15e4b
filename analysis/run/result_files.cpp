#include "analysis/run/result_files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {
namespace {

using sim::Json;

void write_json(const std::filesystem::path& path, const Json& json) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));  // a path is any bytes
  file.commit();
}

}  // namespace

void make_result_folder(const SimulateOptions& options) {
  if (options.out.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error)
    throw traces::OutputError(
        fmt::format("{}: {}. Choose another folder with --out.", options.out.string(), error.message()));
}

ResultFiles::ResultFiles(const SimulateOptions& options, const traces::Names& names, sim::Time window_begin) {
  const auto& out = options.out;
  if (out.empty()) return;
  if (options.write.contains("calls")) calls_.emplace(out / "calls.csv", names);
  if (options.write.contains("tasks")) tasks_.emplace(out / "tasks.csv", names);
  if (options.write.contains("series")) series_.emplace(out / "series.csv", names);
  if (options.write.contains("perfetto"))
    timeline_.emplace(out / "trace.perfetto.json.gz", names, traces::TimelineOptions{.window_begin = window_begin});
  if (options.write.contains("record")) record_.emplace(out / "record.jsonl");
  if (options.write.contains("otlp")) spans_.emplace(out / "trace.otlp.jsonl");
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
                                             {"inputs", inputs},
                                             {"scenario", Json::parse(options.resolved)},
                                             {"wall_s", summary["wall_s"]},
                                             {"status", summary["status"]}});
}

}  // namespace tokenyard::analysis
