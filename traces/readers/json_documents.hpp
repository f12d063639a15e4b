#pragma once
/// JSON documents of a file: one a line or, where the first line is not a whole one, one for the whole file.
///
/// A line that is no JSON or too long is refused to the log, with the column, and passed over. A file whose first line
/// leaves brackets open and whose second line is no document either is one document, with one fault at most. Memory: a
/// line, or the file (of up to UnpackedFile::kMostWhole bytes then).
///
///   JsonDocuments documents(path, log, "faulty lines", R"({"id": "…", …})");
///   for (JsonDocuments::Element root; documents.next(root);) … documents.place("/requests")

#include <simdjson.h>
#include <string>
#include <string_view>

#include "traces/readers/fault_log.hpp"
#include "traces/readers/line_file.hpp"

namespace tokenyard::traces {

class JsonDocuments {
 public:
  using Element = simdjson::dom::element;

  /// `what` is counted where faulty lines are skipped; `expected` is a document as it should be. Throws sim::InputError
  /// if the file cannot be read.
  JsonDocuments(const std::string& path, FaultLog& log, std::string_view what, std::string_view expected);

  /// The next document, valid until the next call; false at the end.
  bool next(Element& root);
  /// Throws sim::InputError if the file cannot be read again (a pipe).
  void rewind();

  /// "line 3", "line 3: /requests", or "/requests" where the file is one document.
  std::string place(std::string_view pointer = "") const;
  std::uint64_t line() const { return lines_->number(); }
  const std::string& path() const { return path_; }
  /// Refuses something of the document. Returns false.
  bool refuse(std::string_view pointer, std::string found, std::string allowed);
  /// Throws sim::InputError: the file holds nothing of use.
  [[noreturn]] void refuse_empty() const;

 private:
  bool can_be_read_again() const;
  /// Of a file whose first line is the beginning of a document: true if the file is that document; `read` then says
  /// whether it was read into `root`, or refused.
  bool take_whole(Element& root, bool& read);
  bool second_line_is_whole();

  std::string path_;
  FaultLog& log_;
  std::string what_, expected_;
  std::unique_ptr<LineFile> lines_;
  simdjson::dom::parser parser_;
  bool begun_ = false, whole_ = false;
};

}  // namespace tokenyard::traces
