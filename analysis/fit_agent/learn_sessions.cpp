#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "analysis/fit_agent/learn.hpp"
#include "analysis/fit_agent/learned_json.hpp"

namespace tokenyard::analysis {
namespace {

using agents::StepKind;
using sim::Json;

constexpr std::array<std::size_t, 4> kPhases = {0, 1, 4, 16};  ///< calls from which on another phase is
constexpr std::size_t kFewestRestarts = 20, kFewestOfAClass = 40;
constexpr int kQuarters = 4;

/// A call of the one loop, and the wait before it.
struct Turn {
  double prompt = 0, output = 0, added = 0, seconds = 0;
  StepKind wait = StepKind::kCall;  ///< kCall: none
  bool restarts = false;
};
using Session = std::vector<Turn>;

/// Between calls there is nothing, tools or a person.
constexpr std::array<const char*, 3> kWaits = {"at-once", "tools", "user"};
std::size_t wait_of(const Turn& turn) {
  return turn.wait == StepKind::kCall ? 0 : turn.wait == StepKind::kHuman ? 2 : 1;
}

double peak_of(const Session& session) {
  double peak = 0;
  for (const Turn& turn : session) peak = std::max(peak, turn.prompt);
  return peak;
}

/// Where restarts set in: of all limits, that which both the share of the calls beyond it that restarted and the share
/// of the restarts that are beyond it are highest at (by their product).
struct Limit {
  double above = 0, p = 0, p_below = 0;
};
Limit limit_of(const std::vector<const Session*>& sessions) {
  std::vector<double> all, before;  // prompts that were followed by a call; by a restart
  for (const Session* session : sessions) {
    for (std::size_t i = 0; i + 1 < session->size(); ++i) {
      all.push_back((*session)[i].prompt);
      if ((*session)[i + 1].restarts) before.push_back((*session)[i].prompt);
    }
  }
  std::sort(all.begin(), all.end());
  std::sort(before.begin(), before.end());
  Limit best;
  double best_score = -1;
  const auto count_from = [](const std::vector<double>& sorted, double from) {
    return static_cast<double>(sorted.end() - std::lower_bound(sorted.begin(), sorted.end(), from));
  };
  for (const double limit : before) {
    const double beyond = count_from(all, limit), restarts = count_from(before, limit);
    const double score = restarts / beyond * restarts / static_cast<double>(before.size());
    if (score <= best_score) continue;
    best_score = score;
    const double below = static_cast<double>(all.size()) - beyond;
    best = {limit, restarts / beyond, below > 0 ? (static_cast<double>(before.size()) - restarts) / below : 0};
  }
  return best;
}

class SessionLearner {
 public:
  explicit SessionLearner(const Observed& observed) : o_(observed) {
    for (const ObservedTask& task : observed.tasks) {
      Session session;
      Turn next;
      for (const Visit& visit : task.visits) {
        const StepKind kind = observed.nodes[visit.node].kind;
        if (kind != StepKind::kCall) {
          next.wait = kind == StepKind::kHuman ? kind : StepKind::kTool;
          next.seconds += visit.seconds;
          continue;
        }
        next.prompt = visit.prompt;
        next.output = visit.output;
        next.added = visit.added;
        // What is neither a continuation nor much smaller goes on, too: its contents were changed, not dropped.
        next.restarts = !session.empty() && visit.prompt < 0.9 * session.back().prompt;
        if (!session.empty() && !next.restarts)
          next.added = std::max(0.0, visit.prompt - session.back().prompt - session.back().output);
        session.push_back(next);
        next = {};
      }
      if (session.empty()) continue;
      before_[wait_of(session.front())].push_back(session.front().seconds);
      after_[wait_of(next)].push_back(next.seconds);
      failed_ += task.failed ? 1 : 0;
      sessions_.push_back(std::move(session));
    }
  }

  Json learn(const std::string& name, const std::string& source) {
    Json agent = agent_head(o_, name, source, "as recorded, in classes of sessions", sessions_.size());
    agent["contexts"] = Json::object();
    agent["nodes"] = Json::object();
    agent["nodes"]["kind-of-session"] = {{"kind", "choice"}};
    Json& edges = agent["edges"] = Json::array();
    agent["start"] = add_waits_around(agent, "before", before_, "kind-of-session");
    leave_ = add_waits_around(agent, "after", after_, add_ends(agent));
    const std::vector<std::vector<const Session*>> classes = classes_of();
    std::vector<double> sizes;
    for (const auto& members : classes) sizes.push_back(static_cast<double>(members.size()));
    const std::vector<double> shares = probabilities_of(sizes);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const std::string prefix = fmt::format("{}-", static_cast<char>('a' + c));
      Json edge = {{"from", "kind-of-session"}, {"to", add_class(agent, prefix, classes[c])}};
      if (classes.size() > 1) {
        edge["p"] = shares[c];
        edge["evidence"] = fmt::format("M: {} of {}", classes[c].size(), sessions_.size());
      }
      edges.push_back(std::move(edge));
    }
    return agent;
  }

 private:
  /// Returns where a session that is over goes.
  std::string add_ends(Json& agent) const {
    const double all = static_cast<double>(sessions_.size());
    agent["nodes"]["end"] = {{"kind", "end"}};
    if (failed_ == 0) return "end";
    agent["nodes"]["failed"] = {{"kind", "end"}, {"status", "failed"}};
    agent["nodes"]["outcome"] = {{"kind", "choice"}};
    const std::vector<double> shares = probabilities_of({failed_, all - failed_});
    agent["edges"].push_back({{"from", "outcome"},
                              {"to", "failed"},
                              {"p", shares[0]},
                              {"evidence", fmt::format("M: {:.0f} of {:.0f}", failed_, all)}});
    agent["edges"].push_back({{"from", "outcome"}, {"to", "end"}, {"p", shares[1]}});
    return "outcome";
  }

  /// What was waited for before the first calls or after the last ones, on the way to `then`. Returns where it begins.
  static std::string add_waits_around(Json& agent, const std::string& when,
                                      const std::array<std::vector<double>, kWaits.size()>& seconds,
                                      const std::string& then) {
    if (seconds[1].empty() && seconds[2].empty()) return then;
    std::vector<double> counts;
    for (const std::vector<double>& waits : seconds) counts.push_back(static_cast<double>(waits.size()));
    const std::vector<double> shares = probabilities_of(counts);
    agent["nodes"][when] = {{"kind", "choice"}};
    for (std::size_t k = 0; k < kWaits.size(); ++k) {
      if (seconds[k].empty()) continue;
      std::string to = then;
      if (k > 0) {
        to = fmt::format("{}-{}", when, kWaits[k]);
        const FittedDistribution took = fit_sizes(seconds[k]);
        agent["nodes"][to] = {
            {"kind", k == 2 ? "human" : "tool"}, {"latency_s", took.dist}, {"evidence", measured(took)}};
        agent["edges"].push_back({{"from", to}, {"to", then}});
      }
      agent["edges"].push_back(
          {{"from", when}, {"to", to}, {"p", shares[k]}, {"evidence", fmt::format("M: {:.0f}", counts[k])}});
    }
    return when;
  }

  /// Those beyond the compaction's reach apart from the others, each in quarters by length.
  std::vector<std::vector<const Session*>> classes_of() const {
    std::vector<double> before;
    for (const Session& session : sessions_) {
      for (std::size_t i = 1; i < session.size(); ++i) {
        if (session[i].restarts) before.push_back(session[i - 1].prompt);
      }
    }
    std::sort(before.begin(), before.end());
    std::vector<std::vector<const Session*>> kinds(2);
    const double reach = before.size() < kFewestRestarts
                             ? std::numeric_limits<double>::infinity()
                             : before[static_cast<std::size_t>(0.95 * static_cast<double>(before.size()))];
    for (const Session& session : sessions_) kinds[peak_of(session) > 1.05 * reach ? 1 : 0].push_back(&session);
    std::vector<std::vector<const Session*>> classes;
    for (std::vector<const Session*>& kind : kinds) {
      if (kind.empty()) continue;
      std::stable_sort(kind.begin(), kind.end(),
                       [](const Session* a, const Session* b) { return a->size() < b->size(); });
      const auto parts = std::clamp<std::size_t>(kind.size() / kFewestOfAClass, 1, kQuarters);
      for (std::size_t i = 0; i < parts; ++i) {
        classes.emplace_back(kind.begin() + static_cast<std::ptrdiff_t>(i * kind.size() / parts),
                             kind.begin() + static_cast<std::ptrdiff_t>((i + 1) * kind.size() / parts));
      }
    }
    return classes;
  }

  /// Phases that all sessions of the class reach.
  static std::vector<std::size_t> phases_of(const std::vector<const Session*>& sessions) {
    std::size_t shortest = sessions.front()->size();
    for (const Session* session : sessions) shortest = std::min(shortest, session->size());
    std::vector<std::size_t> phases;
    for (const std::size_t phase : kPhases) {
      if (phase < shortest) phases.push_back(phase);
    }
    return phases;
  }

  /// A stretch of the sessions of a class whose calls are alike.
  struct Phase {
    std::string prefix, tail;  ///< around the names of its nodes: of its class, and its number
    /// Before its calls, after nothing, tools or a person: tokens that came, and time that went by.
    std::array<std::vector<double>, 3> added, seconds;
    std::string node(const char* what) const { return prefix + what + tail; }
  };

  /// Returns the node at which a session of the class begins.
  std::string add_class(Json& agent, const std::string& prefix, const std::vector<const Session*>& sessions) {
    Json& nodes = agent["nodes"];
    Json& edges = agent["edges"];
    const std::vector<std::size_t> phases = phases_of(sessions);
    std::vector<double> openings, lengths;
    for (const Session* session : sessions) {
      openings.push_back(session->front().prompt);
      lengths.push_back(static_cast<double>(session->size() - phases.back() - 1));
    }
    const FittedDistribution opening = fit_sizes(openings), length = fit_counts(lengths);
    agent["contexts"][prefix + "context"] = {{"opening_tokens", opening.dist}, {"evidence", measured(opening)}};
    const Limit limit = limit_of(sessions);
    for (std::size_t p = 0; p < phases.size(); ++p) {
      Phase phase{prefix, phases.size() > 1 ? fmt::format("-{}", p + 1) : "", {}, {}};
      const std::size_t begin = phases[p], end = p + 1 < phases.size() ? phases[p + 1] : sessions.back()->size();
      std::vector<double> outputs, after;
      for (const Session* session : sessions) {
        for (std::size_t i = begin; i < std::min(end, session->size()); ++i) {
          const Turn& turn = (*session)[i];
          outputs.push_back(turn.output);
          if (turn.restarts) after.push_back(turn.prompt);
          if (i == 0) continue;
          const std::size_t kind = wait_of(turn);
          if (!turn.restarts) phase.added[kind].push_back(turn.added);
          phase.seconds[kind].push_back(turn.seconds);
        }
      }
      const std::string call = phase.node("call"), next = phase.node("next");
      const FittedDistribution answer = fit_sizes(outputs);
      nodes[call] = {{"kind", "llm"},
                     {"context", prefix + "context"},
                     {"output_tokens", answer.dist},
                     {"evidence", measured(answer)}};
      if (!after.empty()) {
        nodes[call]["compact"] = {{"above", static_cast<std::int64_t>(limit.above)},
                                  {"p", std::round(limit.p * 1e6) / 1e6},
                                  {"p_below", std::round(limit.p_below * 1e6) / 1e6},
                                  {"to", fit_sizes(after).dist}};
      }
      const bool last = p + 1 == phases.size();
      const std::string following = last ? leave_ : fmt::format("{}next-{}", prefix, p + 2);
      const bool loops = end - begin > 1;  // the last one's end is that of the longest session
      if (loops) {
        Json count = last ? length.dist : Json(end - begin - 1);
        edges.push_back({{"from", call}, {"to", next}, {"count", count}});
        if (last) edges.back()["evidence"] = measured(length);
      }
      edges.push_back({{"from", call}, {"to", following}});
      if (p > 0 || loops) add_waits(phase, nodes, edges);
    }
    return phases.size() > 1 ? prefix + "call-1" : prefix + "call";
  }

  /// What may lie between two calls of a phase.
  static void add_waits(const Phase& phase, Json& nodes, Json& edges) {
    std::vector<std::size_t> kinds;
    std::vector<double> counts;
    for (std::size_t k = 0; k < kWaits.size(); ++k) {
      if (phase.seconds[k].empty()) continue;
      kinds.push_back(k);
      counts.push_back(static_cast<double>(phase.seconds[k].size()));
    }
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    const std::vector<double> shares = probabilities_of(counts);
    const std::string next = phase.node("next");
    nodes[next] = {{"kind", "choice"}};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::size_t k = kinds[i];
      const std::string node = phase.node(kWaits[k]);
      const FittedDistribution took = fit_sizes(phase.seconds[k]), brought = fit_sizes(phase.added[k]);
      nodes[node] = {{"kind", k == 2 ? "human" : "tool"},
                     {"context", phase.prefix + "context"},
                     {"latency_s", k == 0 ? Json(0) : took.dist},
                     {"result_tokens", brought.dist},
                     {"evidence", measured(took)},
                     {"note", "result_tokens " + measured(brought)}};
      edges.push_back({{"from", next},
                       {"to", node},
                       {"p", shares[i]},
                       {"evidence", fmt::format("M: {} of {:.0f}", phase.seconds[k].size(), sum)}});
      edges.push_back({{"from", node}, {"to", phase.node("call")}});
    }
  }

  const Observed& o_;
  std::vector<Session> sessions_;
  std::array<std::vector<double>, kWaits.size()> before_, after_;  ///< seconds around the calls of each
  double failed_ = 0;
  std::string leave_;  ///< the node after the last call
};

}  // namespace

Json learn_sessions(const Observed& observed, const std::string& name, const std::string& source) {
  return SessionLearner(observed).learn(name, source);
}

}  // namespace tokenyard::analysis
