#include "analysis/compare/compare.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <unordered_map>

#include "analysis/measured/sample_statistics.hpp"
#include "analysis/result/run_result.hpp"
#include "analysis/result/value_at.hpp"
#include "analysis/scenario/service_level.hpp"
#include "sim/input/csv.hpp"
#include "sim/input/json.hpp"
#include "sim/input/numbers.hpp"
#include "sim/input/text.hpp"
#include "traces/readers/line_file.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// Columns that say what a row is and when, not how it went.
bool describes(std::string_view column) {
  for (const char* name : {"task_id", "call_id", "agent", "node", "pool", "replica", "model", "arrival_s",
                           "scheduled_s", "first_token_s", "finish_s", "status"}) {
    if (column == name) return true;
  }
  return false;
}

/// A table by columns, its rows in the order of their ids.
struct Table {
  std::vector<std::string> figures;
  std::vector<std::uint64_t> ids, tasks;
  std::vector<double> arrival_s;
  std::vector<std::vector<double>> values;  ///< by figure, then row; kNothing where the field is empty

  void sort() {
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ids[a] < ids[b]; });
    const auto sorted = [&](const auto& column) {
      auto copy = column;
      for (std::size_t i = 0; i < order.size(); ++i) copy[i] = column[order[i]];
      return copy;
    };
    ids = sorted(ids);
    tasks = sorted(tasks);
    arrival_s = sorted(arrival_s);
    for (auto& column : values) column = sorted(column);
  }

  /// Calls are numbered as they come, in all of a run: which task's is next depends on the cluster. Afterwards they are
  /// as their tasks make them: the third of task 7 in both runs.
  void number_within_tasks() {
    std::unordered_map<std::uint64_t, std::uint64_t> made;
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = tasks[i] << 24 | made[tasks[i]]++;
    sort();
  }
};

class TableReader {
 public:
  TableReader(const std::filesystem::path& path, std::string id) : file_(path.string()), id_(std::move(id)) {}

  Table read() {
    std::string_view line;
    if (file_.next(line)) read_header(line);
    if (id_column_ == kAbsent || arrival_column_ == kAbsent || task_column_ == kAbsent)
      fail("no such columns", fmt::format("a header with {} and arrival_s, as tokenyard run writes it", id_));
    while (file_.next(line)) read_row(line);
    table_.sort();
    return std::move(table_);
  }

 private:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  [[noreturn]] void fail(std::string found, std::string allowed) const {
    throw sim::InputError({file_.path(), fmt::format("line {}", file_.number()), std::move(found), std::move(allowed)});
  }
  void read_header(std::string_view line) {
    std::vector<std::string_view> fields;
    sim::split_csv(line, fields);
    columns_ = fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i] == id_) id_column_ = i;
      if (fields[i] == "task_id") task_column_ = i;
      if (fields[i] == "arrival_s") arrival_column_ = i;
      if (describes(fields[i])) continue;
      figure_columns_.push_back(i);
      table_.figures.emplace_back(fields[i]);
    }
    table_.values.resize(table_.figures.size());
  }
  double number(std::string_view text) const {
    if (text.empty()) return kNothing;
    double value = 0;
    if (!sim::read_number(text, value)) fail(sim::shown_text(text), "a number, or nothing");
    return value;
  }
  std::uint64_t whole(std::string_view text, std::string_view what) const {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      fail(sim::shown_text(text), fmt::format("a whole number, the {}", what));
    return value;
  }
  void read_row(std::string_view line) {
    if (!sim::split_csv(line, fields_) || fields_.size() != columns_)
      fail(fmt::format("{} fields", fields_.size()), fmt::format("{} fields, as in the header", columns_));
    table_.ids.push_back(whole(fields_[id_column_], id_));
    table_.tasks.push_back(whole(fields_[task_column_], "task_id"));
    table_.arrival_s.push_back(number(fields_[arrival_column_]));
    for (std::size_t i = 0; i < figure_columns_.size(); ++i)
      table_.values[i].push_back(number(fields_[figure_columns_[i]]));
  }

  traces::LineFile file_;
  std::string id_;
  std::size_t columns_ = 0, id_column_ = kAbsent, task_column_ = kAbsent, arrival_column_ = kAbsent;
  std::vector<std::size_t> figure_columns_;
  std::vector<std::string_view> fields_;
  Table table_;
};

PairedTable pair(const Table& base, const Table& other) {
  PairedTable paired;
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  std::size_t a = 0, b = 0;
  while (a < base.ids.size() && b < other.ids.size()) {
    if (base.ids[a] == other.ids[b]) {
      paired.moved += base.arrival_s[a] == other.arrival_s[b] ? 0 : 1;
      rows.emplace_back(a++, b++);
    } else {
      ++(base.ids[a] < other.ids[b] ? a : b);
    }
  }
  paired.pairs = rows.size();
  paired.only_base = base.ids.size() - rows.size();
  paired.only_other = other.ids.size() - rows.size();
  // Ids of retried or sub-agent work need not follow the arrivals, whose neighbours the batches keep together.
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& x, const auto& y) { return base.arrival_s[x.first] < base.arrival_s[y.first]; });
  std::vector<double> differences;
  for (std::size_t f = 0; f < base.figures.size(); ++f) {
    const auto twin = std::find(other.figures.begin(), other.figures.end(), base.figures[f]);
    if (twin == other.figures.end()) continue;
    const std::vector<double>& left = base.values[f];
    const std::vector<double>& right = other.values[static_cast<std::size_t>(twin - other.figures.begin())];
    PairedFigure figure{.name = base.figures[f]};
    std::vector<double> ours, theirs;
    differences.clear();
    bool zero = true;
    for (const auto& [x, y] : rows) {
      if (std::isnan(left[x]) || std::isnan(right[y])) continue;
      differences.push_back(right[y] - left[x]);
      ours.push_back(left[x]);
      theirs.push_back(right[y]);
      zero = zero && left[x] == 0 && right[y] == 0;
    }
    if (differences.empty() || zero) continue;
    figure.base_mean = mean_of(ours);
    figure.other_mean = mean_of(theirs);
    figure.base_p95 = quantile_of(std::move(ours), 0.95);
    figure.other_p95 = quantile_of(std::move(theirs), 0.95);
    figure.difference = sim::batch_mean_interval(differences);
    paired.figures.push_back(std::move(figure));
  }
  return paired;
}

Table tasks_of(const std::filesystem::path& folder) { return TableReader(folder / "tasks.csv", "task_id").read(); }

Table calls_of(const std::filesystem::path& folder) {
  Table calls = TableReader(folder / "calls.csv", "call_id").read();
  calls.number_within_tasks();
  return calls;
}

/// By which a run was judged; nothing where its folder does not say. A level of another version is read as far as it
/// is known.
std::optional<Slo> level_of(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "manifest.json";
  if (!std::filesystem::exists(path)) return {};
  sim::Faults faults, ignored;
  const sim::JsonFile manifest = sim::JsonFile::load(path, faults);
  faults.throw_if_any();
  const Json& scenario = value_at(manifest.value(), {"scenario"});
  if (!scenario.is_object()) return {};
  const Json& slo = value_at(scenario, {"slo"});
  if (!slo.is_object()) return Slo();
  sim::ObjectReader reader(slo, path.string(), "/scenario/slo", ignored);
  return Slo::read(reader);
}

std::vector<LevelDifference> level_differences(const std::optional<Slo>& base, const std::optional<Slo>& other) {
  std::vector<LevelDifference> differences;
  if (!base || !other) return differences;
  const auto limits = [&](const std::string& agent, const SloLimits& a, const SloLimits& b) {
    for (const auto& [key, limit] : {std::pair{"ttft_s", &SloLimits::ttft_s}, std::pair{"tpot_s", &SloLimits::tpot_s},
                                     std::pair{"e2e_s", &SloLimits::e2e_s}, std::pair{"task_s", &SloLimits::task_s}}) {
      const bool said = !agent.empty() && a.*limit == base->limits.*limit && b.*limit == other->limits.*limit;
      if (a.*limit != b.*limit && !said) differences.push_back({agent, key, a.*limit, b.*limit});
    }
  };
  limits("", base->limits, other->limits);
  if (base->has_limits() && other->has_limits() && base->attainment != other->attainment)
    differences.push_back({"", "attainment", base->attainment, other->attainment});
  std::vector<std::string> named;
  for (const Slo* slo : {&*base, &*other}) {
    for (const Slo::OfAgent& agent : slo->agents) {
      if (std::find(named.begin(), named.end(), agent.name) == named.end()) named.push_back(agent.name);
    }
  }
  for (const std::string& agent : named) {
    const bool in_base = base->own(agent) != nullptr, in_other = other->own(agent) != nullptr;
    if (in_base != in_other)
      differences.push_back({agent, "judged_by_itself", in_base ? 1.0 : 0.0, in_other ? 1.0 : 0.0});
    limits(agent, base->of(agent), other->of(agent));
  }
  return differences;
}

/// Empty where a run did not get to write one.
sim::JsonFile summary_of(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "summary.json";
  if (!std::filesystem::exists(file)) return sim::JsonFile::from(Json::object(), file.string());
  sim::Faults faults;
  sim::JsonFile summary = load_summary(folder, faults);
  faults.throw_if_any();
  return summary;
}

std::vector<RunFigure> run_figures(const Json& base, const Json& other) {
  std::vector<RunFigure> figures;
  const auto add = [&](const std::string& name, const char* part, const char* key) {
    const auto of = [&](const Json& summary) {
      return name.empty() ? number_at(summary, {part, key}) : number_at(summary, {part, name, key});
    };
    if (const auto a = of(base), b = of(other); a && b)
      figures.push_back({name.empty() ? "" : part, name, key, *a, *b});
  };
  for (const auto& [part, key] : {std::pair{"slo", "attainment"},
                                  {"slo", "goodput_tasks_per_s"},
                                  {"throughput", "tasks_per_s"},
                                  {"throughput", "calls_per_s"},
                                  {"throughput", "output_tokens_per_s"},
                                  {"energy", "watts_mean"},
                                  {"energy", "joules_per_output_token"},
                                  {"cost", "usd_per_completed_task"}})
    add("", part, key);
  const Json& agents = value_at(base, {"agents"});
  if (agents.size() > 1) {  // a single one's is that of the run
    for (const auto& [agent, values] : agents.items()) add(agent, "agents", "attainment");
  }
  for (const auto& [pool, values] : value_at(base, {"pools"}).items()) {
    for (const char* key : {"chips", "busy", "kv_utilization", "prefix_hit_rate"}) add(pool, "pools", key);
  }
  return figures;
}

Json run_json(const std::vector<RunFigure>& figures) {
  Json json = Json::object();
  for (const RunFigure& figure : figures) {
    Json& of = figure.part.empty() ? json : json[figure.part][figure.of];
    of[figure.key] = {{"base", figure.base}, {"other", figure.other}};
  }
  return json;
}

Json levels_json(const std::vector<LevelDifference>& levels) {
  Json json = Json::array();
  for (const LevelDifference& level : levels) {
    json.push_back({{"agent", level.agent.empty() ? Json(nullptr) : Json(level.agent)},
                    {"key", level.key},
                    {"base", sim::or_null(level.base)},
                    {"other", sim::or_null(level.other)}});
  }
  return json;
}

Json table_json(const PairedTable& table) {
  Json figures = Json::object();
  for (const PairedFigure& figure : table.figures) {
    const sim::MeanInterval& d = figure.difference;
    figures[figure.name] = {{"pairs", d.count},
                            {"base", figure.base_mean},
                            {"other", figure.other_mean},
                            {"difference", d.mean},
                            {"low_95", d.half_width ? Json(d.mean - *d.half_width) : Json(nullptr)},
                            {"high_95", d.half_width ? Json(d.mean + *d.half_width) : Json(nullptr)},
                            {"relative", figure.base_mean != 0 ? Json(d.mean / figure.base_mean) : Json(nullptr)},
                            {"base_p95", figure.base_p95},
                            {"other_p95", figure.other_p95}};
  }
  return {{"pairs", table.pairs},
          {"only_base", table.only_base},
          {"only_other", table.only_other},
          {"other_arrival", table.moved},
          {"figures", figures}};
}

}  // namespace

Comparison compare(const std::vector<std::filesystem::path>& folders) {
  Comparison comparison;
  comparison.base = folders.at(0).string();
  const Table tasks = tasks_of(folders[0]), calls = calls_of(folders[0]);
  const sim::JsonFile summary = summary_of(folders[0]);
  const std::optional<Slo> level = level_of(folders[0]);
  for (std::size_t i = 1; i < folders.size(); ++i) {
    comparison.others.push_back({folders[i].string(), run_figures(summary.value(), summary_of(folders[i]).value()),
                                 level_differences(level, level_of(folders[i])), pair(tasks, tasks_of(folders[i])),
                                 pair(calls, calls_of(folders[i]))});
  }
  return comparison;
}

Json to_json(const Comparison& comparison) {
  Json others = Json::array();
  for (const Comparison::Other& other : comparison.others) {
    others.push_back({{"folder", other.folder},
                      {"run", run_json(other.run)},
                      {"level_differences", levels_json(other.levels)},
                      {"tasks", table_json(other.tasks)},
                      {"calls", table_json(other.calls)}});
  }
  return {{"schema", "tokenyard.comparison/1"}, {"base", comparison.base}, {"others", others}};
}

}  // namespace tokenyard::analysis
