#include <cmath>
#include <cstdlib>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/readers/trace_reader.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using Catch::Matchers::Contains;

namespace {

const char* kLengths = R"({"0": {"input_tokens": "{45: 0.25, 46: 0.75}", "output_tokens": "{7: 1.0}"},
                           "21600": {"input_tokens": "{}", "output_tokens": "{}"}})";

struct Drawn {
  std::vector<double> arrivals_s;
  std::vector<platforms::Tokens> prompts, outputs;
};

Drawn draw(const std::string& path, const TraceOptions& options = {}) {
  const auto trace = open_trace(path, "servegen", options);
  agents::RecordedRequest request;
  Drawn drawn;
  while (trace->next(request)) {
    drawn.arrivals_s.push_back(request.arrival.seconds());
    drawn.prompts.push_back(request.prompt.at(0).tokens);
    drawn.outputs.push_back(request.output_tokens);
  }
  CHECK(std::is_sorted(drawn.arrivals_s.begin(), drawn.arrivals_s.end()));
  return drawn;
}

std::vector<sim::Fault> faults_of(const std::string& path, const TraceOptions& options = {}) {
  sim::Faults faults;
  check_trace(path, "servegen", faults, options);
  return faults.list();
}

}  // namespace

TEST_CASE("ServeGen: every window keeps its mean rate, whatever the pattern of its gaps") {
  const ScratchFolder folder;
  folder.write("chunk-0-trace.csv",
               "0,4,2,Gamma,0.25,1\n6000,0,0,,0,0\n12000,1,1,,0,0\n18000,2,0.5,Weibull,2.1,0.56\n");
  folder.write("chunk-0-dataset.json", kLengths);
  const Drawn drawn = draw(folder / ".");
  std::array<double, 4> requests{};
  for (const double t : drawn.arrivals_s) requests[static_cast<std::size_t>(t / 6000)] += 1;
  // Counts of a renewal process scatter by its coefficient of variation times the root of their mean.
  CHECK(std::abs(requests[0] - 24000) < 4 * 2 * std::sqrt(24000));
  CHECK(requests[1] == 0);
  CHECK(std::abs(requests[2] - 6000) < 4 * std::sqrt(6000));
  CHECK(std::abs(requests[3] - 12000) < 4 * 0.5 * std::sqrt(12000));
  const auto share = static_cast<double>(std::count(drawn.prompts.begin(), drawn.prompts.end(), 45)) /
                     static_cast<double>(drawn.prompts.size());
  CHECK(share == Approx(0.25).margin(0.01));
  CHECK(std::count(drawn.outputs.begin(), drawn.outputs.end(), 7) == static_cast<std::ptrdiff_t>(drawn.outputs.size()));
}

TEST_CASE("ServeGen: a client's requests depend on the seed and on it alone") {
  const ScratchFolder folder, with_other;
  for (const ScratchFolder* at : {&folder, &with_other}) {
    at->write("chunk-3-trace.csv", "0,1,1,Gamma,1,1\n600,0.5,1,,0,0\n");
    at->write("chunk-3-dataset.json", kLengths);
  }
  with_other.write("chunk-10-trace.csv", "0,1,1,,0,0\n600,1,1,,0,0\n");
  with_other.write("chunk-10-dataset.json", R"({"0": {"input_tokens": "{900: 1}", "output_tokens": "{9: 1}"}})");
  const Drawn alone = draw(folder / "."), again = draw(folder / "."), other_seed = draw(folder / ".", {.seed = 2});
  CHECK(alone.arrivals_s == again.arrivals_s);
  CHECK(alone.arrivals_s != other_seed.arrivals_s);
  const Drawn both = draw(with_other / ".");
  std::vector<double> of_the_first;
  for (std::size_t i = 0; i < both.prompts.size(); ++i) {
    if (both.prompts[i] != 900) of_the_first.push_back(both.arrivals_s[i]);
  }
  CHECK(of_the_first == alone.arrivals_s);
  CHECK(draw(folder / ".", {.limit = 10}).arrivals_s.size() == 10);
  CHECK(draw(folder / ".", {.speed = 2}).arrivals_s[5] == Approx(alone.arrivals_s[5] / 2));
}

TEST_CASE("ServeGen: a faulty client is refused with its file and line, or left out and counted") {
  const ScratchFolder folder;
  CHECK_THAT(faults_of(folder / ".").at(0).found, Contains("no request"));
  CHECK_THAT(faults_of(folder / "missing").at(0).found, Contains("No such file"));
  folder.write("chunk-0-trace.csv", "0,1,1,,0,0\n600,1,1,,0,0\n");
  folder.write("chunk-0-dataset.json", kLengths);
  folder.write("chunk-1-trace.csv", "0,1,1,,0,0\n600,1,1,Pareto,1,1\n");
  folder.write("chunk-2-trace.csv", "0,1,1,,0,0\n");
  folder.write("chunk-3-trace.csv", "0,1,1,,0,0\n");
  folder.write("chunk-3-dataset.json", R"({"0": {"input_tokens": "{45: x}", "output_tokens": "{7: 1.0}"}})");
  const auto faults = faults_of(folder / ".");
  REQUIRE(faults.size() == 3);
  CHECK_THAT(faults[0].message(), Contains("chunk-1-trace.csv") && Contains("line 2") && Contains("Pareto"));
  CHECK_THAT(faults[1].message(), Contains("chunk-2-dataset.json: found no such file, allowed: the token counts"));
  CHECK_THAT(faults[2].message(), Contains("chunk-3-dataset.json") && Contains("/0/input_tokens"));
  const auto skipped = faults_of(folder / ".", {.skip_faulty = true});  // a file that is not there is no faulty row
  REQUIRE(skipped.size() == 1);
  CHECK_THAT(skipped[0].message(), Contains("chunk-2-dataset.json: found no such file"));
  folder.write("chunk-2-dataset.json", "[]");
  const auto trace = open_trace(folder / ".", "servegen", {.skip_faulty = true});
  REQUIRE(trace->left_out().size() == 2);
  CHECK(trace->left_out()[0].count == 2);  // malformed
  CHECK(trace->left_out()[1].count == 1);  // token counts
  agents::RecordedRequest request;
  CHECK(trace->next(request));
}

TEST_CASE("ServeGen: gaps that would sum to nothing are refused") {
  const ScratchFolder folder;
  folder.write("chunk-0-dataset.json", kLengths);
  folder.write("chunk-0-trace.csv", "0,5,1,Gamma,1e-300,0.5\n");
  const auto faults = faults_of(folder / ".");
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0].message(), Contains("line 1") && Contains("Gamma with a shape of at least 0.0004"));
  folder.write("chunk-0-trace.csv", "0,5,50,Gamma,4e-4,0.5\n");
  const std::size_t requests = draw(folder / ".").arrivals_s.size();  // 3,000 are expected, in clusters of 2,500
  CHECK(requests < 3000 + 4 * 50 * 55);
}

TEST_CASE("ServeGen: token counts that are no JSON are refused with line and column") {
  const ScratchFolder folder;
  folder.write("chunk-0-trace.csv", "0,1,1,,0,0\n");
  folder.write("chunk-0-dataset.json",
               "{\n  \"0\": {\"input_tokens\": \"{45: 1}\" \"output_tokens\": \"{7: 1}\"}\n}\n");
  const auto faults = faults_of(folder / ".");
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].place == "line 2, column 49");
  CHECK_THAT(faults[0].found, Contains("syntax error while parsing object"));
}

TEST_CASE("ServeGen: in strict mode twenty faults are collected; skipped, all are counted") {
  const ScratchFolder folder;
  folder.write("chunk-0-trace.csv", "0,1,1,,0,0\n");
  folder.write("chunk-0-dataset.json", kLengths);
  for (int client = 1; client <= 25; ++client)
    folder.write("chunk-" + std::to_string(client) + "-trace.csv", "0,1,1,Pareto,1,1\n");
  CHECK(faults_of(folder / ".").size() == 21);
  const auto trace = open_trace(folder / ".", "servegen", {.skip_faulty = true});
  REQUIRE(trace->left_out().size() == 1);
  CHECK(trace->left_out()[0].count == 25);
}

TEST_CASE("ServeGen: a client sends nothing before its first window") {
  const ScratchFolder folder;
  folder.write("chunk-0-trace.csv", "0,1,1,,0,0\n600,0,1,,0,0\n");
  folder.write("chunk-1-trace.csv", "3600,1,1,,0,0\n4200,0,1,,0,0\n");
  for (const char* name : {"chunk-0-dataset.json", "chunk-1-dataset.json"}) folder.write(name, kLengths);
  const std::vector<double> arrivals_s = draw(folder / ".").arrivals_s;
  const auto in = [&](double from, double to) {
    return std::count_if(arrivals_s.begin(), arrivals_s.end(), [&](double t) { return t >= from && t < to; });
  };
  CHECK(std::abs(static_cast<double>(in(0, 600)) - 600) < 4 * std::sqrt(600));
  CHECK(in(600, 3600) == 0);
  CHECK(std::abs(static_cast<double>(in(3600, 4200)) - 600) < 4 * std::sqrt(600));
}
