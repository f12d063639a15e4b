#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using namespace tokenyard::agents::catalog;

namespace {

const double kMessage = weibull(46, 1.49);
const double kReply = 3.0 * 28.9;
const double kToolCall = lognormal(32, 0.57);
const double kToolsATurn = 0.9 * 1 + 0.035 * 2 + 0.03 * 3 + 0.02 * 4 + 0.015 * 5;
const double kResult = 0.98 * (0.25 * 7 + 0.75 * lognormal(270, 0.55, 2000)) + 0.02 * lognormal(20, 0.6);
const double kToolGrowth = kTemplate + kToolCall + kToolsATurn * kResult;
constexpr double kPrefix = 3600;

/// How often people leave, messages are stopped, and the knowledge base is asked.
struct Manners {
  double leaves = 0, stopped = 0, asks = 0;
};

/// A walk with a share of all tasks: how likely it is here, and the expected context of those that are.
struct Alive {
  double weight = 0, context = 0;
};

/// Expected work of conversations with `tools` tool rounds and `replies` before the closing one, in every order.
/// Agent's calls go to `agent`, those of guardrails and the wrap-up to `others`.
void converse(int tools, int replies, const Manners& manners, double share, Work& agent, Work& others) {
  const auto check = [&](double weight, double text) { others += weight * Work{1, 0, 400 + text, 12.5}; };
  // The customer writes until a message passes: a geometric count, or leaves.
  const double visits = 1 / (1 - (1 - manners.leaves) * manners.stopped);
  const double passes = (1 - manners.leaves) * (1 - manners.stopped) * visits;
  const auto customer = [&](Alive before) {
    check(before.weight * (1 - manners.leaves) * visits, kMessage);
    return Alive{before.weight * passes, (before.context + before.weight * visits * kMessage) * passes};
  };
  check(share, kMessage);
  const Alive refused = customer({share * manners.stopped, share * manners.stopped * kMessage});
  const double knowledge = lognormal(1212, 0.235);
  const double admitted = share * (1 - manners.stopped);
  others.tools += admitted * manners.asks;

  std::vector<std::vector<Alive>> at(tools + 1, std::vector<Alive>(replies + 1));
  at[tools][replies] = {admitted + refused.weight, admitted * (kMessage + manners.asks * knowledge) + refused.context};
  for (int t = tools; t >= 0; --t) {
    for (int r = replies; r >= 0; --r) {
      const Alive here = at[t][r];
      agent += {here.weight, 0, here.weight * (kPrefix + kTemplate) + here.context, 0};
      const auto grown = [&](double by, double p) {
        return Alive{p * here.weight, p * (here.context + here.weight * by)};
      };
      if (t > 0) {
        const double p = 1.0 * t / (t + r);
        const Alive next = grown(kToolGrowth, p);
        at[t - 1][r].weight += next.weight;
        at[t - 1][r].context += next.context;
        agent += {0, next.weight * kToolsATurn, 0, next.weight * kToolCall};
      }
      if (r > 0) {
        const Alive replied = grown(kTemplate + kReply, 1.0 * r / (t + r));
        agent.output += replied.weight * kReply;
        check(replied.weight, kReply);
        const Alive next = customer(replied);
        at[t][r - 1].weight += next.weight;
        at[t][r - 1].context += next.context;
      }
    }
  }
  const Alive end = at[0][0];
  agent.output += end.weight * kReply;
  check(end.weight, kReply);
  others += {end.weight, end.weight, end.weight * (kPrefix + 2 * kTemplate + kReply + kMessage) + end.context,
             end.weight * lognormal(120, 0.4)};
}

void expect(const Manners& manners, Work& agent, Work& others) {
  for (const auto& [tools, p] : poisson(5.65)) {
    for (const auto& [messages, q] : rounded_gamma(11.3, 0.64, 2)) {
      if (p * q > 1e-9) converse(tools, messages - 2, manners, p * q, agent, others);
    }
  }
}

}  // namespace

TEST_CASE("Customer service: means of 10,000 tasks are those of the distributions") {
  Work agent, others;
  expect({0.01, 0.01, 0.5}, agent, others);
  check_means(play("customer-service"), agent + others);
}

TEST_CASE("Customer service: the benchmark variant reproduces what was measured of gpt-4.1 in retail") {
  // Measured were the calls of the agent alone; the benchmark has no retrieval, guardrails or wrap-up, and nobody
  // leaves.
  const Played played = play("customer-service", {"benchmark"});
  const std::uint32_t node = played.agent->find("agent");
  struct Task {
    double calls = 0, prompt = 0, output = 0, last = 0, reused = 0;
  };
  std::vector<Task> tasks(played.tasks.size());
  for (const auto& [record, prompt, content] : played.calls) {
    if (record.node != node) continue;
    Task& task = tasks[record.task];
    task.calls += 1;
    task.prompt += static_cast<double>(record.prompt_tokens);
    task.output += static_cast<double>(record.output_tokens);
    task.reused += task.last;  // all of the prompt before: contexts only grow
    task.last = static_cast<double>(record.prompt_tokens);
  }
  Task sum;
  double squares = 0;
  std::vector<double> last;
  for (const Task& task : tasks) {
    sum.calls += task.calls;
    squares += task.calls * task.calls;
    sum.prompt += task.prompt;
    sum.output += task.output;
    sum.reused += task.reused;
    last.push_back(task.last);
  }
  const double n = static_cast<double>(tasks.size());
  std::sort(last.begin(), last.end());
  CHECK(sum.calls / n == Approx(11.9).epsilon(0.05));
  CHECK(std::sqrt(squares / n - sum.calls / n * sum.calls / n) == Approx(3.2).epsilon(0.05));
  CHECK(sum.prompt / n == Approx(61'000).epsilon(0.05));
  CHECK(sum.output / n == Approx(760).epsilon(0.05));
  CHECK(last[last.size() / 2] == Approx(6'800).epsilon(0.15));
  CHECK(last[last.size() * 9 / 10] == Approx(8'900).epsilon(0.15));
  CHECK(sum.reused / sum.prompt == Approx(0.90).epsilon(0.15));

  Work agent, others;
  expect({}, agent, others);
  CHECK(sum.calls / n == Approx(agent.calls).epsilon(0.02));
  CHECK(sum.prompt / n == Approx(agent.prompt).epsilon(0.02));
  CHECK(sum.output / n == Approx(agent.output).epsilon(0.02));
}

TEST_CASE("Customer service: tool results land in the conversation, guardrails leave nothing in it") {
  const Played played = play("customer-service", {"benchmark"}, 200);
  const std::uint32_t node = played.agent->find("agent");
  std::map<std::uint64_t, platforms::Extent> context;
  for (const auto& [record, prompt, content] : played.calls) {
    if (record.node != node) continue;
    REQUIRE(prompt.size() == 2);  // the role's prefix, the conversation
    CHECK(prompt[0].tokens == 3600);
    platforms::Extent& before = context[record.task];
    if (before.tokens > 0) {
      CHECK(prompt[1].content == before.content);
      CHECK(prompt[1].tokens >= before.tokens);
    }
    before = {prompt[1].content, prompt[1].tokens + record.output_tokens};
  }
}

TEST_CASE("Customer service: variants change what they name") {
  const Work retail = play("customer-service", {"benchmark"}).mean();
  CHECK(play("customer-service", {"benchmark", "airline"}).mean().calls < retail.calls);
  CHECK(play("customer-service", {"benchmark", "telecom"}).mean().calls > 1.3 * retail.calls);
  CHECK(play("customer-service", {"benchmark", "faq"}).mean().calls < 0.6 * retail.calls);
  // Thinking of 478 tokens a call, dropped from the context.
  const Played light = play("customer-service", {"benchmark", "reasoning-light"});
  CHECK(light.mean().prompt == Approx(retail.prompt));
  double thinking_calls = 0;
  for (const auto& call : light.calls) {
    const std::string& name = light.agent->nodes[call.record.node].name;
    thinking_calls += name == "agent" || name == "wrap-up" ? 1 : 0;
  }
  CHECK(light.mean().output - retail.output == Approx(lognormal(347, 0.8) * thinking_calls / 10'000).epsilon(0.02));
}
