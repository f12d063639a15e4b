#pragma once
/// As much of SQLite as campaigns need: statements that bind and step, errors that throw.
///
///   Database db(path, Database::Mode::kWrite);
///   Statement insert = db.prepare("INSERT INTO t VALUES (?, ?)");
///   insert.run(1, "text");

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sim/input/faults.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tokenyard::analysis {

/// The fault of a file that is there and holds something else.
sim::InputError not_results(const std::filesystem::path& file, std::string found);

class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the values in order and runs to the end.
  template <typename... Values>
  void run(const Values&... values) {
    bind_all(values...);
    while (step()) {
    }
  }
  template <typename... Values>
  void bind_all(const Values&... values) {
    reset();
    int at = 0;
    (bind(++at, values), ...);
  }
  /// True while there is a row.
  bool step();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, sqlite3_stmt* statement, const std::filesystem::path& path)
      : db_(db), statement_(statement), path_(&path) {}
  void reset();
  void bind(int at, std::int64_t value);
  void bind(int at, std::size_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, double value);
  void bind(int at, std::string_view value);
  void bind(int at, const std::string& value) { bind(at, std::string_view(value)); }
  void bind(int at, const std::optional<std::string>& value);

  sqlite3* db_;
  sqlite3_stmt* statement_;
  const std::filesystem::path* path_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };

  /// Throws traces::OutputError where the file cannot be made or written, sim::InputError where it is no database.
  Database(const std::filesystem::path& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql);
  Statement prepare(std::string_view sql);
  /// Whether it has no tables.
  bool empty();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  sqlite3* db_ = nullptr;
};

}  // namespace tokenyard::analysis
