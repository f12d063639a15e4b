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
    const auto error =
        lines_->too_long() ? simdjson::CAPACITY : parser_.parse(line.data(), line.size(), false).get(root);
    if (error == SUCCESS) return true;
    std::string shown = shown_text(line);  // before the parser lets go of it
    if (first && parse_whole(root)) return true;
    if (lines_->too_long()) {
      refuse("", std::move(shown), fmt::format("lines of at most {} bytes", LineFile::kMaxLine));
    } else {
      refuse("", fmt::format("{} in {}", simdjson::error_message(error), shown), expected_);
    }
  }
  return false;
}

bool JsonDocuments::parse_whole(Element& root) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path_, error) || std::filesystem::file_size(path_, error) > kMaxWhole)
    return false;
  simdjson::padded_string text;
  if (simdjson::padded_string::load(path_).get(text) != SUCCESS || parser_.parse(text).get(root) != SUCCESS)
    return false;
  return whole_ = true;
}

void JsonDocuments::rewind() {
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
