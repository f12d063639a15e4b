#pragma once
/// The sessions that a benchmark client played against a server, as tasks to replay: InferenceX's agentic benchmark
/// (trace_replay_tester.py of callanjfox/kv-cache-tester, options `--recycle --max-delay 60 --advance-min 0
/// --advance-max 0.7 --seed 42 --no-max-tokens`, from the run's benchmark_command.txt and logs).
///
/// The client keeps a conversation of its own: it adds a user's message of as many tokens as the recorded prompt grew,
/// less the length of the model's last answer, and the answer itself; where more than a tenth of the recorded blocks
/// went, it cuts the conversation back to what was kept. The first users begin in the midst of their session with one
/// message as long as its prompt, after its think time; who comes later begins with 11,621 tokens that all share.
/// Sessions end at a recorded prompt of more than 128,000 tokens. Think times are cut at 60 s. The model ends its
/// answers itself: their lengths are those measured, of the same request if it is known.
///
/// Two figures that are not in the data follow from the prompt tokens the servers counted, with 1 to 8 users (within
/// 5 %): 54 % of an answer's tokens stay in the conversation (DeepSeek-R1's template drops its thinking), and a user's
/// tokens are 1.03 of the server's. With them, the shares of prompts that could be reused follow within 0.003.
///
/// Left out: sub-agents (16 of 2,242 requests) and sessions that are absent from the data.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "traces/readers/task_list.hpp"

namespace tokenyard::analysis {

class AgenticSessions {
 public:
  /// Reads both folders of measurements.
  explicit AgenticSessions(const std::filesystem::path& data);

  /// The sessions in the order in which users take them up: the first of each of `users`, then those that follow.
  /// `run`: the measured run, whose own answers count first ("tp4_bs16_offloadoff").
  traces::TaskList play(std::int64_t users, const std::string& run) const;

 private:
  struct Turn {
    bool is_request = false;
    platforms::Tokens in = 0, out = 0;
    double think_s = 0;
    std::vector<std::uint64_t> blocks;  ///< sorted
  };
  struct Start {
    std::string trace;
    std::size_t turn = 0;
  };
  struct Answer {
    std::string run;
    platforms::Tokens tokens = 0;  ///< by the client's count
  };

  agents::RecordedTask session(const std::vector<Turn>& turns, std::size_t first, const Start& start,
                               const std::string& run, std::uint64_t number) const;
  platforms::Tokens answer(const std::string& trace, std::size_t turn, const std::string& run) const;

  std::map<std::string, std::vector<Turn>> traces_;
  std::map<std::int64_t, Start> starts_;  ///< by number of the user
  std::map<std::pair<std::string, std::size_t>, std::vector<Answer>> answers_;
  std::vector<platforms::Tokens> all_answers_;  ///< sorted
};

}  // namespace tokenyard::analysis
