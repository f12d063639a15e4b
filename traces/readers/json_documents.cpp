#include "traces/readers/json_documents.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "sim/input/text.hpp"
#include "traces/readers/json_fault.hpp"

namespace tokenyard::traces {

using simdjson::SUCCESS;

static_assert(LineFile::kPadding >= simdjson::SIMDJSON_PADDING);

namespace {

/// Whether the line ends within an object or array, and not within a text: the beginning of a document.
bool leaves_open(std::string_view line) {
  std::int64_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return depth > 0 && !in_text;
}

}  // namespace

JsonDocuments::JsonDocuments(const std::string& path, FaultLog& log, std::string_view what, std::string_view expected)
    : path_(path), log_(log), what_(what), expected_(expected), lines_(std::make_unique<LineFile>(path)) {}

bool JsonDocuments::next(Element& root) {
  for (std::string_view line; !whole_ && lines_->next(line);) {
    if (line.empty()) continue;
    const bool first = !begun_;
    begun_ = true;
    const auto error =
        lines_->too_long() ? simdjson::CAPACITY : parser_.parse(line.data(), line.size(), false).get(root);
    if (error == SUCCESS) return true;
    if (first && (lines_->too_long() || leaves_open(line))) {
      bool read = false;
      if (take_whole(root, read)) return read;
    }
    if (lines_->too_long()) {
      refuse("", sim::shown_text(line), fmt::format("lines of at most {} bytes", LineFile::kMaxLine));
    } else {
      log_.refuse(json_fault(path_, lines_->number(), line, simdjson::error_message(error), expected_), what_);
    }
  }
  return false;
}

bool JsonDocuments::can_be_read_again() const {
  std::error_code error;
  return std::filesystem::is_regular_file(path_, error);
}

bool JsonDocuments::take_whole(Element& root, bool& read) {
  if (!can_be_read_again()) {
    whole_ = true;
    refuse("", "a document of several lines that is no file", "a file, or one document a line");
    return true;
  }
  std::optional<std::string> text = UnpackedFile(path_).read_all();
  auto error = simdjson::CAPACITY;
  if (text) {
    text->reserve(text->size() + simdjson::SIMDJSON_PADDING);
    if (text->starts_with(LineFile::kByteOrderMark)) text->erase(0, LineFile::kByteOrderMark.size());
    error = parser_.parse(text->data(), text->size(), false).get(root);
  }
  read = error == SUCCESS;
  whole_ = read || !second_line_is_whole();
  if (whole_ && !read) {
    log_.refuse(text ? json_fault(path_, 1, *text, simdjson::error_message(error), expected_)
                     : sim::Fault{path_, "", fmt::format("a document of more than {} bytes", UnpackedFile::kMostWhole),
                                  "a smaller one, or one document a line"},
                what_);
  }
  return whole_;
}

bool JsonDocuments::second_line_is_whole() {
  LineFile lines(path_);
  std::string_view line;
  for (int seen = 0; seen < 2;) {
    if (!lines.next(line)) return false;
    if (!line.empty()) ++seen;
  }
  return !lines.too_long() && parser_.parse(line.data(), line.size(), false).error() == SUCCESS;
}

void JsonDocuments::rewind() {
  if (!can_be_read_again()) throw sim::InputError({path_, "", "a pipe", "a file: this format is read twice"});
  lines_ = std::make_unique<LineFile>(path_);
  begun_ = whole_ = false;
}

std::string JsonDocuments::place(std::string_view pointer) const {
  if (whole_) return std::string(pointer);
  return fmt::format("line {}{}{}", lines_->number(), pointer.empty() ? "" : ": ", pointer);
}

bool JsonDocuments::refuse(std::string_view pointer, std::string found, std::string allowed) {
  return log_.refuse({path_, place(pointer), std::move(found), std::move(allowed)}, what_);
}

void JsonDocuments::refuse_empty() const { throw sim::InputError({path_, "", "no request", expected_}); }

}  // namespace tokenyard::traces
