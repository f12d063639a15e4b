#include "analysis/validate/agentic_sessions.hpp"

#include <algorithm>
#include <charconv>

#include "analysis/measured/measured_table.hpp"
#include "sim/input/json.hpp"
#include "sim/random/stream.hpp"
#include "traces/readers/line_file.hpp"

namespace tokenyard::analysis {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using platforms::Tokens;
using sim::Time;

constexpr double kAnswerKept = 0.54;       // of an answer's tokens
constexpr double kServerTokens = 1.03;     // for each of the client's, in users' messages
constexpr double kGeneratedTokens = 0.97;  // the server's for each that the client counts, in answers
constexpr Tokens kSharedTokens = 11621, kMostTokens = 128000, kBlockTokens = 64;
constexpr double kLongestThinkS = 60;
constexpr std::uint64_t kSharedContent = 1;

Tokens rounded(double tokens) { return std::max<Tokens>(1, std::llround(tokens)); }

std::size_t common(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j])
      ++count, ++i, ++j;
    else if (a[i] < b[j])
      ++i;
    else
      ++j;
  }
  return count;
}

/// What the client believes to have sent, and what it is at the server.
class Conversation {
 public:
  explicit Conversation(std::uint64_t session) : next_content_(session << 20) {}

  void add(Tokens client_tokens, double server_tokens, std::uint64_t content = 0) {
    messages_.push_back({client_tokens, {content != 0 ? content : ++next_content_, rounded(server_tokens)}});
  }
  /// Whole messages of at most so many tokens stay.
  void cut(Tokens client_tokens) {
    std::size_t stay = 0;
    for (Tokens sum = 0; stay < messages_.size() && sum + messages_[stay].client_tokens <= client_tokens; ++stay)
      sum += messages_[stay].client_tokens;
    messages_.resize(stay);
  }
  bool empty() const { return messages_.empty(); }
  void put(std::vector<platforms::Extent>& extents) const {
    for (const Message& message : messages_) extents.push_back(message.extent);
  }

 private:
  struct Message {
    Tokens client_tokens;
    platforms::Extent extent;
  };
  std::vector<Message> messages_;
  std::uint64_t next_content_;
};

}  // namespace

AgenticSessions::AgenticSessions(const std::filesystem::path& data) {
  traces::LineFile sessions(data / "kv_cache_tester_agentic" / "traces_710_rle.jsonl.xz");
  for (std::string_view line; sessions.next(line);) {
    const sim::Json json = sim::parse_json(line).value();
    std::vector<Turn>& turns = traces_[json.at("id").get<std::string>()];
    for (const auto& request : json.at("requests")) {
      Turn& turn = turns.emplace_back();
      turn.is_request = request.at("type") != "subagent";
      if (!turn.is_request) continue;
      turn.in = request.at("in").get<Tokens>();
      turn.out = request.at("out").get<Tokens>();
      turn.think_s = std::min(kLongestThinkS, request.value("think_time", 0.0));
      for (const auto& run : request.at("hash_runs")) {
        for (std::uint64_t i = 0, first = run[0].get<std::uint64_t>(); i < run[1].get<std::uint64_t>(); ++i)
          turn.blocks.push_back(first + i);
      }
      std::sort(turn.blocks.begin(), turn.blocks.end());
      turn.blocks.erase(std::unique(turn.blocks.begin(), turn.blocks.end()), turn.blocks.end());
    }
  }

  const MeasuredTable requests(data / "inferencex_agentic" / "b200_dsr1_fp4_vllm_agentic_requests.csv");
  // The first request of each user in each run; of the runs' firsts, the one furthest into the session.
  std::map<std::pair<std::string, std::int64_t>, std::pair<double, Start>> firsts;
  for (std::size_t row = 0; row < requests.rows(); ++row) {
    const std::string run(requests.text(row, "run"));
    const Start start{std::string(requests.text(row, "trace_id")),
                      static_cast<std::size_t>(requests.number(row, "request_idx"))};
    const auto tokens = static_cast<Tokens>(requests.number(row, "output_tokens_actual"));
    if (requests.text(row, "success") == "True" && tokens > 0) {
      answers_[{start.trace, start.turn}].push_back({run, tokens});
      all_answers_.push_back(tokens);
    }
    const std::string_view user = requests.text(row, "user_id");  // User-001; a sub-agent: User-001-SA1
    std::int64_t number = 0;
    if (user.size() != 8 || std::from_chars(user.data() + 5, user.data() + 8, number).ec != std::errc()) continue;
    const double date = requests.number(row, "request_start_time");
    auto& first = firsts.try_emplace({run, number}, date, start).first->second;
    if (date < first.first) first = {date, start};
  }
  std::sort(all_answers_.begin(), all_answers_.end());
  for (const auto& [key, first] : firsts) {
    Start& start = starts_[key.second];
    if (start.trace.empty() || first.second.turn > start.turn) start = first.second;
  }
}

traces::TaskList AgenticSessions::play(std::int64_t users, const std::string& run) const {
  traces::TaskList list;
  list.all_names.node(list.all_names.agent("session"), StepKind::kCall, "request");
  list.all_names.model("deepseek-r1");
  for (const auto& [number, start] : starts_) {
    const auto trace = traces_.find(start.trace);
    if (trace == traces_.end()) continue;
    RecordedTask task =
        session(trace->second, number <= users ? start.turn : 0, start, run, static_cast<std::uint64_t>(number));
    if (!task.steps.empty()) list.tasks.push_back(std::move(task));
  }
  return list;
}

Tokens AgenticSessions::answer(const std::string& trace, std::size_t turn, const std::string& run) const {
  const auto known = answers_.find({trace, turn});
  if (known != answers_.end()) {
    for (const Answer& answer : known->second) {
      if (answer.run.find(run) != std::string::npos) return answer.tokens;
    }
    return known->second.front().tokens;
  }
  std::uint64_t hash = turn;
  for (const char c : trace) hash = hash * 131 + static_cast<unsigned char>(c);
  sim::Stream stream(1, sim::StreamName("agentic/answer"), hash);
  return all_answers_[stream.below(all_answers_.size())];
}

RecordedTask AgenticSessions::session(const std::vector<Turn>& turns, std::size_t first, const Start& start,
                                      const std::string& run, std::uint64_t number) const {
  RecordedTask task;
  Conversation conversation(number + 1);
  const std::vector<std::uint64_t> none;
  const std::vector<std::uint64_t>* before = &none;
  Tokens before_in = 0, stored = 0, shortfall = 0;
  if (first > 0) {
    before = &turns[first - 1].blocks;
    before_in = turns[first - 1].in;
    conversation.add(turns[first].in, kServerTokens * static_cast<double>(turns[first].in));
  }
  for (std::size_t i = first; i < turns.size(); ++i) {
    const Turn& turn = turns[i];
    if (!turn.is_request) continue;
    if (turn.in > kMostTokens) break;
    const std::size_t kept = common(*before, turn.blocks);
    const std::size_t removed = before->size() - kept;
    const auto say = [&](Tokens tokens) {
      if (tokens > 0) conversation.add(tokens, kServerTokens * static_cast<double>(tokens));
    };
    if (i == 0) {
      const Tokens shared = std::min(kSharedTokens, turn.in);
      conversation.add(shared, kServerTokens * static_cast<double>(shared), kSharedContent);
      say(turn.in - shared);
    } else if (10 * removed > before->size()) {
      const Tokens kept_tokens = static_cast<Tokens>(kept) * kBlockTokens;
      conversation.cut(kept_tokens);
      shortfall = 0;
      say(turn.in - kept_tokens);
    } else if (removed > 0 || turn.blocks.size() > kept) {
      say(turn.in - before_in - stored + shortfall);
      shortfall = 0;
    }
    if (conversation.empty()) say(std::max<Tokens>(100, turn.in));
    before = &turn.blocks;
    before_in = turn.in;

    if (!task.steps.empty()) {
      RecordedStep& wait = task.steps.emplace_back();
      wait.kind = StepKind::kHuman;
      wait.cause = Cause::kHuman;
      wait.duration = Time::seconds(turn.think_s);
      task.depend({static_cast<std::uint32_t>(task.steps.size() - 2), Trigger::kCompletion, Cause::kOther, {}});
    }
    RecordedStep& call = task.steps.emplace_back();
    const Tokens made = answer(start.trace, i, run);
    call.output_tokens = rounded(kGeneratedTokens * static_cast<double>(made));
    call.first_extent = static_cast<std::uint32_t>(task.extents.size());
    conversation.put(task.extents);
    call.extents = static_cast<std::uint32_t>(task.extents.size()) - call.first_extent;
    if (task.steps.size() == 1) {
      call.not_before = Time::seconds(i > 0 ? turn.think_s : 0);
    } else {
      task.depend({static_cast<std::uint32_t>(task.steps.size() - 2), Trigger::kCompletion, Cause::kOther, {}});
    }

    conversation.add(made, kAnswerKept * static_cast<double>(made));
    stored = made;
    if (static_cast<double>(made) < 0.8 * static_cast<double>(turn.out)) shortfall = turn.out - made;
  }
  return task;
}

}  // namespace tokenyard::analysis
