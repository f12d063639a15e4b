#include "analysis/campaign/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <utility>

#include "sim/core/error.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

[[noreturn]] void fail(sqlite3* db, const std::filesystem::path& path) {
  const int code = db == nullptr ? SQLITE_NOMEM : sqlite3_errcode(db);
  const std::string why = db == nullptr ? "out of memory" : sqlite3_errmsg(db);
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
      throw traces::OutputError(
          fmt::format("{}: {}. What was finished is kept; free some space and start again.", path.string(), why));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      throw traces::no_place_for_output(path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw traces::OutputError(fmt::format("{}: {}. Another process is writing to it.", path.string(), why));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw not_results(path, why);
    default:
      throw sim::InternalError(fmt::format("{}: {} (SQLite error {})", path.string(), why, code));
  }
}

}  // namespace

sim::InputError not_results(const std::filesystem::path& file, std::string found) {
  return sim::InputError({file.string(), "", std::move(found),
                          fmt::format("the results of a campaign: remove {}, or choose another folder with --out",
                                      file.filename().string())});
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), path_(other.path_) {}
Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(db_, *path_);
  sqlite3_reset(statement_);
  return false;
}

void Statement::reset() { sqlite3_reset(statement_); }
void Statement::bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
void Statement::bind(int at, double value) { sqlite3_bind_double(statement_, at, value); }
void Statement::bind(int at, std::string_view value) {
  sqlite3_bind_text(statement_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
}
void Statement::bind(int at, const std::optional<std::string>& value) {
  if (value) return bind(at, std::string_view(*value));
  sqlite3_bind_null(statement_, at);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  return text == nullptr ? std::string()
                         : std::string(reinterpret_cast<const char*>(text),
                                       static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  // A reader may write, too, where it is allowed to: what a killed process left half-done is undone first.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kRead ? 0 : SQLITE_OPEN_CREATE);
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    try {
      fail(db_, path_);
    } catch (...) {
      sqlite3_close(db_);
      throw;
    }
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, 10000);
}

Database::~Database() { sqlite3_close(db_); }

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_, path_);
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK)
    fail(db_, path_);
  return Statement(db_, statement, path_);
}

bool Database::empty() {
  Statement select = prepare("SELECT count(*) FROM sqlite_master");
  return select.step() && select.integer(0) == 0;
}

}  // namespace tokenyard::analysis
