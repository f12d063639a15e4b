#include "traces/readers/json_documents.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "traces/readers/fields.hpp"

namespace tokenyard::traces {

using simdjson::SUCCESS;

static_assert(LineFile::kPadding >= simdjson::SIMDJSON_PADDING);

JsonDocuments::JsonDocuments(const std::string& path, FaultLog& log, std::string_view what, std::string_view expected)
    : path_(path), log_(log), what_(what), expected_(expected), lines_(std::make_unique<LineFile>(path)) {}

bool JsonDocuments::next(Element& root) {
  for (std::string_view line; !whole_ && lines_->next(line);) {
    if (line.empty()) continue;
    const bool first = !begun_;
    begun_ = true;
    auto error = lines_->too_long() ? simdjson::CAPACITY : parser_.parse(line.data(), line.size(), false).get(root);
    if (error == SUCCESS) return true;
    const std::string shown = shown_text(line);                     // before the parser lets go of it
    const bool opens = line == "{" || line == "[" || line == "[{";  // no row of a table begins so: one document
    if (first) {
      const auto of_whole = parse_whole(root);
      whole_ = of_whole == SUCCESS || opens;
      if (of_whole == SUCCESS) return true;
      if (opens) error = of_whole;
    }
    if (opens && first && !can_be_read_again()) {
      refuse("", "a document of several lines that is no file", "a file, or one document a line");
    } else if (lines_->too_long()) {
      refuse("", shown, fmt::format("lines of at most {} bytes", LineFile::kMaxLine));
    } else {
      refuse("", fmt::format("{} in {}", simdjson::error_message(error), shown), expected_);
    }
  }
  return false;
}

bool JsonDocuments::can_be_read_again() const {
  std::error_code error;
  return std::filesystem::is_regular_file(path_, error);
}

simdjson::error_code JsonDocuments::parse_whole(Element& root) {
  if (!can_be_read_again()) return simdjson::IO_ERROR;
  std::optional<std::string> text = UnpackedFile(path_).read_all();
  if (!text) return simdjson::CAPACITY;
  text->reserve(text->size() + simdjson::SIMDJSON_PADDING);
  const std::size_t begin = text->starts_with(LineFile::kByteOrderMark) ? LineFile::kByteOrderMark.size() : 0;
  return parser_.parse(text->data() + begin, text->size() - begin, false).get(root);
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
