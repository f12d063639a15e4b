#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

/// Three calls a message: two with a tool, one that answers.
Work chat() {
  const double message = weibull(46, 1.49);
  const double tool_call = lognormal(32, 0.57);
  const double reply = 3.0 * 28.9;
  const double result = 0.98 * (0.25 * 7 + 0.75 * lognormal(270, 0.55, 2000)) + 0.02 * lognormal(20, 0.6);
  const double after_tool = kTemplate + tool_call + result;
  const double round = 2 * after_tool + kTemplate + reply + message;
  return over(rounded_gamma(4, 1.5, 2), [&](int messages) {
    const double n = messages - 1;
    const double first = 2400 + message + kTemplate;
    return Work{3 * n, 3 * n, 3 * n * first + 3 * round * n * (n - 1) / 2 + 3 * n * after_tool,
                n * (2 * tool_call + reply)};
  });
}

/// Think, search, read one to three pages; LN(900, 0.9) more in every prompt.
Work research() {
  const double pages = 0.5 * 1 + 0.3 * 2 + 0.2 * 3;
  const Work page = {1, 1, lognormal(10'000, 1.2, 90'000), lognormal(110, 0.9)};
  const double thought = lognormal(75, 0.7);
  return over(geometric(2, 0.22, 13), [&](int n) {
    Work work = loop(n, 2500, lognormal(900, 0.9), thought, 1) + (n - 1) * pages * page;
    work.output += lognormal(350, 0.5) - thought;  // the last call writes the brief
    return work;
  });
}

Work outbound() {
  const double qualified = 0.35;
  const double verdict = lognormal(350, 0.5);
  const double mail = lognormal(260, 0.4);
  const double copies = 0.6 * 1 + 0.2 * 2 + 0.2 * 3;
  Work work =
      Work{1, 0, 1250, lognormal(17, 0.5)} + research() + Work{0, 3, 0, 0};  // route; two enrichments and the history
  work += {1, 0, lognormal(7000, 0.5) + kTemplate, verdict};
  // Revised by compliance (0.25) or, when asked (0.375), by the approver (0.2): a geometric number of drafts.
  const double again = 0.25 + 0.375 * 0.2;
  double reached = qualified;
  for (int d = 0; d < 50; ++d, reached *= again) {
    const double prompt = lognormal(7000, 0.5) + kTemplate + verdict + kTemplate + d * (kTemplate + copies * mail);
    work += reached * Work{copies, 0, copies * prompt, copies * mail};
    work += reached * Work{1, 0, 400 + mail, 12.5};
  }
  work.tools += qualified * 2 + (1 - qualified) * 1;  // send and record, or park
  return work + qualified * 0.05 * chat();
}

Work analytics() {
  const double query = 8.8 * 19;
  const double result =
      0.98 * (0.5 * lognormal(300, 0.9, 60'000) + 0.2 * lognormal(5000, 1.3, 60'000)) + 0.02 * lognormal(20, 0.6);
  const double first = 4700 + lognormal(60, 0.5) + kTemplate;
  return over(geometric(2, 0.3, 18), [&](int n) { return loop(n, first, kTemplate + query + result, query, 1); });
}

Work report() {
  const double searches = 5.5, places = 16, media = 2;
  const Work stage = {1, 0, lognormal(2500, 1.1), lognormal(520, 1.1, 6200) + lognormal(280, 1.0)};
  return 6 * stage + Work{0, searches + places + media, 0, 0};
}

}  // namespace

TEST_CASE("Sales, outbound lead: means of 10,000 tasks are those of the distributions") {
  check_means(play("sales-outbound"), outbound());
}
TEST_CASE("Sales, inbound chat: means of 40,000 tasks are those of the distributions") {
  check_means(play("sales-chat", {}, 40'000),
              chat());  // prompts grow with the square of a spread count: more tasks for 2 %
}
TEST_CASE("Sales, analytics: means of 10,000 tasks are those of the distributions") {
  check_means(play("sales-analytics"), analytics());
}
TEST_CASE("Sales, market report: means of 10,000 tasks are those of the distributions") {
  check_means(play("sales-report"), report());
}

TEST_CASE("Sales: means of 10,000 tasks are those of its four kinds of work") {
  const Played played = play("sales");
  check_means(played, 0.4 * outbound() + 0.3 * chat() + 0.2 * analytics() + 0.1 * report());
  CHECK(played.share_failed() == Approx(0.2 * 0.42).epsilon(0.1));
}

TEST_CASE("Sales: contexts of analytics end as large as CRMArena-Pro's") {
  // Derived from sizes of published files: median of 8k to 12k, above 40k in a tenth of the tasks.
  const Played played = play("sales-analytics");
  std::vector<double> last(played.tasks.size());
  for (const auto& call : played.calls) {
    last[call.record.task] = static_cast<double>(call.record.prompt_tokens + call.record.output_tokens);
  }
  std::sort(last.begin(), last.end());
  CHECK(last[last.size() / 2] > 8'000);
  CHECK(last[last.size() / 2] < 12'000);
  CHECK(last[last.size() * 9 / 10] > 28'000);
  CHECK(last[last.size() * 9 / 10] < 52'000);
}
