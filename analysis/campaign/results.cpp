#include "analysis/campaign/results.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <set>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "sim/input/json.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

constexpr const char* kSchema = "tokenyard.campaign-results/1";

struct Table {
  std::string_view name, columns;
};
constexpr std::array<Table, 4> kTables = {{{"campaign", "name,value"},
                                           {"cells", "cell,factors"},
                                           {"runs", "key,cell,repetition,seed,failure,message,outputs"},
                                           {"provenance", "key,version,host,finished,wall_s,memory_mb"}}};

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// Within a second: a child that was forked just before its parent was killed holds the lock for an instant more.
bool locks(int descriptor) {
  for (int tries = 0; tries < 20; ++tries) {
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

std::string outputs_text(const RunOutcome& result) {
  Json outputs = Json::object();
  for (const auto& [key, value] : result.outputs) outputs[key] = sim::or_null(value);
  return sim::to_text(outputs);
}

/// A run's outputs as they were stored.
Json outputs_in(const Statement& row, int column, const std::string& key, const std::filesystem::path& path) {
  if (auto outputs = sim::parse_json(row.text(column)); outputs && outputs->is_object()) return *std::move(outputs);
  throw sim::InputError(
      {path.string(), "run " + key, "outputs that are no JSON object",
       fmt::format("what a campaign wrote there: remove {} and run the campaign again", path.filename().string())});
}

/// Whether a stored run has what the campaign asks for.
bool has_outputs(const Json& outputs, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& key) {
    return std::any_of(outputs.items().begin(), outputs.items().end(),
                       [&](const auto& item) { return item.key() == key || item.key().starts_with(key + '.'); });
  });
}

/// The first difference between what two campaigns mean, in brackets.
std::string first_change(const std::string& before, const std::string& now) {
  const auto old = sim::parse_json(before), is = sim::parse_json(now);
  if (!old) return "";
  const Json changes = Json::diff(*old, is.value());
  if (changes.empty()) return "";
  const std::string place = changes[0]["path"];
  const auto shown_at = [&](const Json& all) {
    const Json::json_pointer pointer(place);
    return all.contains(pointer) ? sim::shown(all.at(pointer)) : "absent";
  };
  return fmt::format(" ({} was {}, is {})", place, shown_at(*old), shown_at(*is));
}

}  // namespace

std::string Shard::file() const { return whole() ? "campaign.db" : fmt::format("shard-{}-of-{}.db", index, of); }

Results::Results(const std::filesystem::path& file, Database::Mode mode) : db_(file, mode) {
  const bool fresh = mode == Database::Mode::kWrite && db_.empty();
  if (!fresh) check();  // first: what is not ours is left as it is
  if (mode == Database::Mode::kWrite) {
    // Large pages: a run is some 2 kB, and smaller ones would give each run an overflow page.
    db_.execute("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    create();
  }
}

void Results::check() {
  Statement select = db_.prepare("SELECT group_concat(name) FROM pragma_table_info(?)");
  for (const Table& table : kTables) {
    select.bind_all(table.name);
    if (!select.step() || select.text(0) != table.columns) throw not_results(path(), "a database of something else");
  }
  if (const std::string schema = value("schema"); schema != kSchema)
    throw not_results(path(), fmt::format("{}, not {}", sim::shown(Json(schema)), kSchema));
}

void Results::create() {
  db_.execute(fmt::format(R"(BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS campaign(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS cells(cell INTEGER PRIMARY KEY, factors TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS runs(key TEXT PRIMARY KEY, cell INTEGER, repetition INTEGER, seed INTEGER NOT NULL,
                                    failure TEXT NOT NULL, message TEXT NOT NULL, outputs TEXT) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS provenance(key TEXT PRIMARY KEY, version TEXT NOT NULL, host TEXT NOT NULL, finished TEXT NOT NULL,
                                          wall_s REAL NOT NULL, memory_mb REAL NOT NULL) WITHOUT ROWID;
    CREATE VIEW IF NOT EXISTS outputs AS SELECT runs.key, cell, repetition, o.key AS output, o.value
                                         FROM runs, json_each(runs.outputs) AS o WHERE cell IS NOT NULL;
    INSERT OR IGNORE INTO campaign VALUES ('schema', '{}');
    COMMIT)",
                          kSchema));
}

std::string Results::value(std::string_view name) {
  Statement select = db_.prepare("SELECT value FROM campaign WHERE name = ?");
  select.bind_all(name);
  return select.step() ? select.text(0) : std::string();
}

std::map<std::string, RunId> Results::own_runs(const Campaign& campaign) {
  std::set<std::string> stored;
  Statement select = db_.prepare("SELECT key FROM runs");
  select.bind_all();
  while (select.step()) stored.insert(select.text(0));
  std::map<std::string, RunId> own;
  for (std::size_t cell = 0; cell < campaign.cells() && own.size() < stored.size(); ++cell) {
    for (std::size_t repetition = 0; repetition < campaign.repetitions().maximum; ++repetition) {
      const std::string key = campaign.key({cell, repetition});
      if (stored.contains(key)) own.emplace(key, RunId{cell, repetition});
    }
  }
  if (own.empty() && !stored.empty()) {
    throw sim::InputError(
        {path().string(), "",
         fmt::format("{} runs, none of this campaign{}", stored.size(),
                     first_change(value("definition"), campaign.definition())),
         fmt::format("results of this campaign: undo the change, choose another folder with --out, or remove {}",
                     path().filename().string())});
  }
  return own;
}

void Results::adopt(const Campaign& campaign) {
  if (is_of(campaign)) return;
  const std::map<std::string, RunId> own = own_runs(campaign);
  db_.execute("BEGIN IMMEDIATE; DELETE FROM cells");
  Statement insert = db_.prepare("INSERT INTO cells VALUES (?, ?)");
  for (std::size_t cell = 0; cell < campaign.cells(); ++cell) {
    Json factors = Json::object();
    for (const auto& [pointer, setting] : campaign.factors(cell)) factors[pointer] = setting;
    insert.run(cell, sim::to_text(factors));
  }
  Statement select = db_.prepare("SELECT key, outputs FROM runs");
  select.bind_all();
  std::vector<std::string> incomplete;
  while (select.step()) {
    if (!select.is_null(1) && !has_outputs(outputs_in(select, 1, select.text(0), path()), campaign.outputs()))
      incomplete.push_back(select.text(0));
  }
  Statement remove = db_.prepare("DELETE FROM runs WHERE key = ?");
  for (const std::string& key : incomplete) remove.run(key);
  db_.execute("UPDATE runs SET cell = NULL, repetition = NULL");
  Statement place = db_.prepare("UPDATE runs SET cell = ?, repetition = ? WHERE key = ?");
  for (const auto& [key, run] : own) place.run(run.cell, run.repetition, key);
  Statement set = db_.prepare("INSERT OR REPLACE INTO campaign VALUES (?, ?)");
  set.run(std::string_view("name"), campaign.name());
  set.run(std::string_view("definition"), campaign.definition());
  db_.execute("COMMIT");
}

void Results::record(const Campaign& campaign, RunId run, const RunOutcome& result, const std::string& version) {
  if (!insert_run_) {
    begin_.emplace(db_.prepare("BEGIN IMMEDIATE"));
    commit_.emplace(db_.prepare("COMMIT"));
    insert_run_.emplace(db_.prepare("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)"));
    insert_provenance_.emplace(db_.prepare("INSERT OR REPLACE INTO provenance VALUES (?, ?, ?, ?, ?, ?)"));
  }
  static const std::string kHost = host_name();
  const std::string key = campaign.key(run);
  const std::optional<std::string> outputs = result.done() ? std::optional(outputs_text(result)) : std::nullopt;
  begin_->run();
  insert_run_->run(key, run.cell, run.repetition, static_cast<std::int64_t>(campaign.seed(run)),
                   kRunFailureNames[static_cast<std::size_t>(result.failure)], result.message, outputs);
  insert_provenance_->run(key, version, kHost, fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))), result.wall_s,
                          result.memory_mb);
  commit_->run();
}

void Results::merge(const std::filesystem::path& shard) {
  if (Results(shard, Database::Mode::kRead).value("definition") != value("definition")) {
    throw sim::InputError(
        {shard.string(), "", "the results of another campaign", "results of this campaign, as its file is now"});
  }
  Statement attach = db_.prepare("ATTACH ? AS shard");
  attach.run(shard.string());
  db_.execute(R"(BEGIN IMMEDIATE;
    INSERT OR REPLACE INTO main.provenance SELECT p.* FROM shard.provenance p JOIN shard.runs s USING (key) LEFT JOIN main.runs m USING (key)
      WHERE m.key IS NULL OR (m.outputs IS NULL AND s.outputs IS NOT NULL);
    INSERT OR REPLACE INTO main.runs SELECT s.* FROM shard.runs s LEFT JOIN main.runs m USING (key)
      WHERE m.key IS NULL OR (m.outputs IS NULL AND s.outputs IS NOT NULL);
    COMMIT; DETACH shard)");
}

void Results::close_log() {
  begin_.reset(), commit_.reset(), insert_run_.reset(), insert_provenance_.reset();
  db_.execute("PRAGMA journal_mode = DELETE");
}

void Results::add_settled(const Campaign& campaign, SettledRuns& runs) {
  const bool adopted = is_of(campaign);
  const std::map<std::string, RunId> own = adopted ? std::map<std::string, RunId>() : own_runs(campaign);
  Statement select =
      db_.prepare("SELECT runs.key, failure, outputs, wall_s, cell FROM runs LEFT JOIN provenance USING (key)");
  select.bind_all();
  const std::string& metric = campaign.repetitions().metric;
  while (select.step()) {
    if (adopted ? select.is_null(4) : !own.contains(select.text(0))) continue;
    if (!adopted && !select.is_null(2) &&
        !has_outputs(outputs_in(select, 2, select.text(0), path()), campaign.outputs()))
      continue;
    Settled settled{select.text(1).empty(), {}, select.real(3)};
    if (!settled.done && select.text(1) != kRunFailureNames[static_cast<std::size_t>(RunFailure::kInfeasible)])
      continue;
    if (settled.done && !metric.empty()) {
      const Json outputs = outputs_in(select, 2, select.text(0), path());
      if (const auto found = outputs.find(metric); found != outputs.end() && found->is_number())
        settled.metric = found->get<double>();
    }
    runs.insert_or_assign(select.text(0), settled);
  }
}

void Results::each_run(const std::function<void(const StoredRun&)>& visit) {
  Statement select = db_.prepare(
      "SELECT cell, repetition, seed, key, failure, message, outputs FROM runs WHERE cell IS NOT NULL ORDER BY cell, "
      "repetition");
  select.bind_all();
  while (select.step()) {
    StoredRun run{{static_cast<std::size_t>(select.integer(0)), static_cast<std::size_t>(select.integer(1))},
                  static_cast<std::uint64_t>(select.integer(2)),
                  select.text(3),
                  select.text(4),
                  select.text(5),
                  {}};
    if (!select.is_null(6)) {
      const Json outputs = outputs_in(select, 6, run.key, path());
      for (const auto& [key, number] : outputs.items()) {
        run.outputs.emplace_back(key, number.is_number() ? std::optional(number.get<double>()) : std::nullopt);
      }
    }
    visit(run);
  }
}

std::size_t Results::failures() {
  Statement select = db_.prepare("SELECT count(*) FROM runs WHERE cell IS NOT NULL AND outputs IS NULL");
  select.bind_all();
  return select.step() ? static_cast<std::size_t>(select.integer(0)) : 0;
}

bool has_results(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error) && !Database(file, Database::Mode::kRead).empty();
}

std::vector<std::filesystem::path> result_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != "campaign.db" && !(name.starts_with("shard-") && name.ends_with(".db"))) continue;
    if (has_results(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

ResultLock::ResultLock(const std::filesystem::path& folder, const Shard& shard)
    : path_(folder / fmt::format(".{}.lock", shard.file())) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  descriptor_ = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (error || descriptor_ < 0) {
    throw traces::no_place_for_output(folder, error ? error.message() : std::strerror(errno));
  }
  if (!locks(descriptor_)) {
    ::close(descriptor_);
    throw traces::OutputError(fmt::format("{}: another process is running this campaign. Wait for it, or stop it.",
                                          (folder / shard.file()).string()));
  }
}

ResultLock::~ResultLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace tokenyard::analysis
