#include "analysis/fit_agent/observed.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "sim/input/faults.hpp"

namespace tokenyard::analysis {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using platforms::Extent;

constexpr double kNearlyAll = 0.9;  ///< of an earlier prompt: a call that has it continues it
constexpr double kMostly = 0.5;     ///< of a node's calls
constexpr std::size_t kMostGroups = 20;

struct Prompt {
  std::vector<Extent> extents;
  double tokens = 0;
};

double common_prefix(const std::vector<Extent>& a, const std::vector<Extent>& b) {
  double tokens = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i].content != b[i].content || a[i].content == 0) break;
    tokens += static_cast<double>(std::min(a[i].tokens, b[i].tokens));
    if (a[i].tokens != b[i].tokens) break;
  }
  return tokens;
}

class Observer {
 public:
  Observer(agents::RecordedTaskSource& source, const std::string& agent, std::uint64_t limit)
      : source_(source), limit_(limit) {
    const agents::RecordedNames& names = source.names();
    std::vector<std::string> known = names.agents;
    const auto found = std::find(known.begin(), known.end(), agent);
    if (agent.empty() ? known.size() != 1 : found == known.end()) {
      throw sim::InputError(
          {"", "--agent", agent.empty() ? "nothing" : '"' + agent + '"',
           fmt::format("one of the trace's agents: {}{}", fmt::join(known, ", "), sim::did_you_mean(agent, known))});
    }
    agent_ = agent.empty() ? 0 : static_cast<std::uint32_t>(found - known.begin());
    observed_.agent = known[agent_];
    name_nodes(names);
  }

  Observed run() {
    RecordedTask task;
    sim::Time first = sim::Time::never(), last;
    while ((limit_ == 0 || observed_.tasks.size() < limit_) && source_.next(task)) {
      if (task.agent != agent_) continue;
      first = std::min(first, task.arrival);
      last = std::max(last, task.arrival);
      add(task);
    }
    if (std::all_of(observed_.tasks.begin(), observed_.tasks.end(),
                    [](const ObservedTask& seen) { return seen.visits.empty(); }))
      throw sim::InputError({"", "", "no step of the agent's tasks", "a trace with at least one"});
    observed_.span_s = (last - first).seconds();
    find_prefixes();
    find_contexts();
    find_pool_roles();
    return std::move(observed_);
  }

 private:
  void name_nodes(const agents::RecordedNames& names) {
    const std::vector<agents::RecordedNode>& nodes = names.nodes[agent_];
    observed_.nameless = std::all_of(nodes.begin(), nodes.end(), [&](const agents::RecordedNode& node) {
      return node.kind != StepKind::kCall ||
             std::find(names.models.begin(), names.models.end(), node.name) != names.models.end();
    });
    for (const agents::RecordedNode& node : nodes) {
      const std::string name = observed_.nameless && node.kind == StepKind::kCall ? "call" : node.name;
      const auto same = std::find_if(observed_.nodes.begin(), observed_.nodes.end(),
                                     [&](const ObservedNode& n) { return n.kind == node.kind && n.name == name; });
      node_of_.push_back(static_cast<std::uint32_t>(same - observed_.nodes.begin()));
      if (same == observed_.nodes.end()) observed_.nodes.push_back({name, node.kind});
    }
  }

  /// Where the root does nothing but call a sub-agent, that one's.
  static std::uint32_t main_branch_of(const RecordedTask& task) {
    const bool root =
        std::any_of(task.steps.begin(), task.steps.end(), [](const auto& step) { return step.branch == 0; });
    return root || task.steps.empty() ? 0 : task.steps.front().branch;
  }

  /// Tools side by side.
  struct ToolGroup {
    sim::Time begin, end;
    std::set<std::string> tools;
  };
  /// The node of a group that a visit of `node` just joined. A trace may have any number of combinations: from some on
  /// they are one node.
  std::uint32_t node_of(const ToolGroup& group, std::uint32_t node) {
    if (group.tools.size() == 1) return node;
    std::string name = fmt::format("{}", fmt::join(group.tools, "+"));
    if (!groups_.contains(name) && groups_.size() >= kMostGroups) name = "several-tools";
    const auto [at, is_new] = groups_.try_emplace(name, static_cast<std::uint32_t>(observed_.nodes.size()));
    if (is_new) observed_.nodes.push_back({name, StepKind::kTool});
    return at->second;
  }

  static double seconds_without_calls(RecordedTask task) {
    for (RecordedStep& step : task.steps) {
      if (step.kind == StepKind::kCall) step.duration = {};
    }
    const agents::RecordedTimes times = agents::recorded_times(task);
    return times.end.empty() ? 0 : (*std::max_element(times.end.begin(), times.end.end()) - task.arrival).seconds();
  }

  void find_pool_roles() {
    if (tokens_.size() < 2) return;
    const std::vector<std::string>& models = source_.names().models;
    std::uint32_t main = tokens_.begin()->first;
    for (const auto& [model, tokens] : tokens_) {
      if (tokens > tokens_.at(main)) main = model;
    }
    const auto named = std::find(models.begin(), models.end(), "default");
    if (named != models.end() && tokens_.contains(static_cast<std::uint32_t>(named - models.begin())))
      main = static_cast<std::uint32_t>(named - models.begin());
    const auto role_of = [&](std::uint32_t model) { return model == main ? std::string() : models[model]; };
    std::map<std::uint32_t, std::uint64_t> most, all;  // calls, by node
    for (const auto& [place, calls] : calls_) {
      const auto& [node, model] = place;
      all[node] += calls;
      if (calls <= most[node]) continue;
      most[node] = calls;
      observed_.nodes[node].pool_role = role_of(model);
    }
    for (const auto& [node, calls] : all) observed_.calls_of_other_roles += calls - most[node];
    for (const auto& [model, tokens] : tokens_) {
      const std::string role = role_of(model);
      observed_.pool_roles.emplace_back(role.empty() ? "default" : role, models[model]);
    }
  }

  void add(const RecordedTask& task) {
    ObservedTask& walk = observed_.tasks.emplace_back();
    walk.failed = task.status == platforms::CallStatus::kFailed;
    walk.seconds = seconds_without_calls(task);
    std::vector<Prompt>& prompts = prompts_.emplace_back();
    const std::uint32_t main = main_branch_of(task);
    const agents::RecordedTimes times = agents::recorded_times(task);
    std::set<std::uint32_t> left_out;
    ToolGroup group;
    for (std::size_t s = 0; s < task.steps.size(); ++s) {
      const RecordedStep& step = task.steps[s];
      if (step.branch != main) {
        ++observed_.left_out_steps;
        left_out.insert(step.branch);
        continue;
      }
      const bool tool = step.kind == StepKind::kTool;
      if (tool && !group.tools.empty() && times.begin[s] < group.end) {
        group.begin = std::min(group.begin, times.begin[s]);
        group.end = std::max(group.end, times.end[s]);
        group.tools.insert(observed_.nodes[node_of_[step.node]].name);
        walk.visits.back().node = node_of(group, node_of_[step.node]);
        walk.visits.back().seconds = (group.end - group.begin).seconds();
        continue;
      }
      Visit visit;
      visit.node = node_of_[step.node];
      group = {};
      if (tool) group = {times.begin[s], times.end[s], {observed_.nodes[visit.node].name}};
      Prompt prompt;
      if (step.kind == StepKind::kCall) {
        ++calls_[{visit.node, step.model}];
        tokens_[step.model] += static_cast<double>(task.prompt_tokens(step) + step.output_tokens);
        visit.output = static_cast<double>(step.output_tokens);
        visit.prompt = static_cast<double>(task.prompt_tokens(step));
        const auto begin = task.extents.begin() + step.first_extent;
        prompt = {{begin, begin + step.extents}, visit.prompt};
      } else {
        visit.seconds = step.duration.seconds();
      }
      walk.visits.push_back(visit);
      prompts.push_back(std::move(prompt));
    }
    observed_.left_out_branches += left_out.size();
  }

  /// The first extent of a node's prompts that most tasks agree in, the longer of two; at least two tasks do.
  void find_prefixes() {
    std::vector<std::map<std::pair<std::uint64_t, platforms::Tokens>, std::uint64_t>> first(observed_.nodes.size());
    for (std::size_t t = 0; t < observed_.tasks.size(); ++t) {
      std::vector<bool> seen(observed_.nodes.size());
      for (std::size_t i = 0; i < prompts_[t].size(); ++i) {
        const std::uint32_t node = observed_.tasks[t].visits[i].node;
        const std::vector<Extent>& extents = prompts_[t][i].extents;
        if (extents.empty() || extents[0].content == 0 || seen[node]) continue;
        seen[node] = true;
        ++first[node][{extents[0].content, extents[0].tokens}];
      }
    }
    for (std::size_t n = 0; n < first.size(); ++n) {
      std::pair<std::uint64_t, platforms::Tokens> most;  // tasks, tokens
      for (const auto& [extent, tasks] : first[n]) most = std::max(most, {tasks, extent.second});
      if (most.first >= 2 && 2 * most.first > observed_.tasks.size() / 10)
        observed_.nodes[n].role_prefix_tokens = static_cast<double>(most.second);
    }
  }

  /// The earlier call of the task that a call continues; none: its own place.
  std::size_t continued(std::size_t t, std::size_t i) const {
    const ObservedTask& task = observed_.tasks[t];
    const Prompt& prompt = prompts_[t][i];
    std::vector<bool> tried(observed_.nodes.size());
    for (std::size_t j = i; j-- > 0;) {
      const std::uint32_t node = task.visits[j].node;
      if (observed_.nodes[node].kind != StepKind::kCall || tried[node]) continue;
      tried[node] = true;
      const double prefix = std::min(observed_.nodes[node].role_prefix_tokens, prompts_[t][j].tokens - 1);
      const double common = common_prefix(prompt.extents, prompts_[t][j].extents);
      if (common - prefix >= kNearlyAll * (prompts_[t][j].tokens - prefix)) return j;
    }
    return i;
  }

  void find_contexts() {
    const std::size_t nodes = observed_.nodes.size();
    std::vector<std::vector<double>> joins(nodes, std::vector<double>(nodes));
    std::vector<double> calls(nodes), going_on(nodes);
    std::vector<std::vector<std::size_t>> from(observed_.tasks.size());
    for (std::size_t t = 0; t < observed_.tasks.size(); ++t) {
      std::vector<bool> seen(nodes);
      const std::vector<Visit>& visits = observed_.tasks[t].visits;
      for (std::size_t i = 0; i < visits.size(); ++i) {
        const std::uint32_t node = visits[i].node;
        from[t].push_back(i);
        if (observed_.nodes[node].kind != StepKind::kCall) continue;
        from[t].back() = continued(t, i);
        const bool continues = from[t].back() != i;
        if (continues) joins[node][visits[from[t].back()].node] += 1;
        if (continues || seen[node]) {  // the first may open the context
          calls[node] += 1;
          going_on[node] += continues ? 1 : 0;
        }
        seen[node] = true;
      }
    }
    std::vector<std::uint32_t> context(nodes);
    std::iota(context.begin(), context.end(), 1U);
    for (std::size_t a = 0; a < nodes; ++a) {
      for (std::size_t b = 0; b < nodes; ++b) {
        if (calls[a] == 0 || joins[a][b] <= 0.05 * calls[a] || going_on[a] <= kMostly * calls[a]) continue;
        const std::uint32_t into = std::min(context[a], context[b]), other = std::max(context[a], context[b]);
        std::replace(context.begin(), context.end(), other, into);
      }
    }
    for (std::size_t n = 0; n < nodes; ++n) {
      const bool shares = std::count(context.begin(), context.end(), context[n]) > 1;
      const bool alone = calls[n] > 0 && going_on[n] > kMostly * calls[n];
      observed_.nodes[n].context = observed_.nodes[n].kind == StepKind::kCall && (shares || alone) ? context[n] : 0;
    }
    for (std::size_t t = 0; t < observed_.tasks.size(); ++t) tell(observed_.tasks[t].visits, from[t]);
    prompts_.clear();
  }

  void tell(std::vector<Visit>& visits, const std::vector<std::size_t>& from) const {
    std::map<std::uint32_t, bool> opened;
    for (std::size_t i = 0; i < visits.size(); ++i) {
      Visit& visit = visits[i];
      const ObservedNode& node = observed_.nodes[visit.node];
      if (node.kind != StepKind::kCall) continue;
      const bool continues = node.context != 0 && from[i] != i;
      visit.opens = node.context != 0 && !opened[node.context];
      visit.restarts = node.context != 0 && !visit.opens && !continues;
      if (node.context != 0) opened[node.context] = true;
      visit.added = continues && !visit.opens ? visit.prompt - visits[from[i]].prompt - visits[from[i]].output
                                              : visit.prompt - node.role_prefix_tokens;
      visit.added = std::max(0.0, visit.added);
    }
  }

  agents::RecordedTaskSource& source_;
  std::uint64_t limit_;
  std::uint32_t agent_ = 0;
  std::vector<std::uint32_t> node_of_;
  std::map<std::string, std::uint32_t> groups_;                             ///< of tools side by side: their nodes
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> calls_;  ///< by node and model
  std::map<std::uint32_t, double> tokens_;                                  ///< by model
  Observed observed_;
  std::vector<std::vector<Prompt>> prompts_;  ///< by task and visit, while contexts are being found
};

}  // namespace

Observed observe(agents::RecordedTaskSource& source, const std::string& agent, std::uint64_t limit) {
  return Observer(source, agent, limit).run();
}

}  // namespace tokenyard::analysis
