#include "analysis/command/answer_folder.hpp"

#include <cerrno>
#include <unistd.h>

#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& folder, std::error_code why) {
  throw traces::no_place_for_output(folder, why.message());
}

}  // namespace

AnswerFolder::AnswerFolder(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(path_);
  while (at.has_relative_path() && !std::filesystem::exists(at, error)) at = at.parent_path();
  if (!std::filesystem::is_directory(at, error)) refuse(path_, std::make_error_code(std::errc::not_a_directory));
  if (::access(at.c_str(), W_OK | X_OK) != 0) refuse(path_, {errno, std::generic_category()});
}

void AnswerFolder::write(const std::string& name, const std::string& text) const {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) refuse(path_, error);
  traces::OutputFile file(path_ / name);
  file.buffer().append(text.data(), text.data() + text.size());
  file.commit();
}

}  // namespace tokenyard::analysis
