#pragma once
/// The folder of `--out`, of commands that answer after minutes of simulations: whether it can be written is known
/// before them, and it is made when there is something to keep.
///
///   const AnswerFolder folder(a.out);
///   … simulations …
///   folder.write("demand.json", sim::to_text(json, 2) + '\n');

#include <filesystem>
#include <string>

namespace tokenyard::analysis {

class AnswerFolder {
 public:
  /// Empty: nothing is kept. Throws traces::OutputError where there is no such folder and none can be made.
  explicit AnswerFolder(std::filesystem::path path);
  /// Throws traces::OutputError.
  void write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tokenyard::analysis
