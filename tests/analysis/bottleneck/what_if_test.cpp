/// Six scenarios, each with a bottleneck planted: the ranking must put it first.

#include "analysis/bottleneck/what_if.hpp"

#include "tests/analysis/run/in_process.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

namespace {

/// Two calls around a tool and a person.
std::string agent(const std::string& tool_s, const std::string& human_s, const std::string& output_tokens,
                  int desk = 1000, int prompt_tokens = 500) {
  return R"({"schema": "tokenyard.agent/1", "name": "planted", "services": {"desk": {"capacity": )" +
         std::to_string(desk) + R"(}},
    "nodes": {
      "ask": {"kind": "llm", "prompt_tokens": )" +
         std::to_string(prompt_tokens) + R"(, "output_tokens": )" + output_tokens + R"(},
      "look": {"kind": "tool", "latency_s": )" +
         tool_s + R"(, "result_tokens": 200},
      "check": {"kind": "human", "service": "desk", "latency_s": )" +
         human_s + R"(},
      "answer": {"kind": "llm", "output_tokens": )" +
         output_tokens + R"(},
      "done": {"kind": "end"}},
    "edges": [{"from": "ask", "to": "look"}, {"from": "look", "to": "check"}, {"from": "check", "to": "answer"}, {"from": "answer", "to": "done"}],
    "start": "ask"})";
}

std::string scenario(const std::string& pools, double rate_per_s, int nodes = 2, const std::string& fabric = "") {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": )" + std::to_string(nodes) +
         R"(, "chips_per_node": 8}]}])" + fabric + R"(},
    "pools": )" +
         pools + R"(, "workload": {"agents": [{"agent": "planted", "rate_per_s": )" + std::to_string(rate_per_s) +
         R"(}]},
    "run": {"duration_s": 600, "warmup_s": 60}})";
}

std::string llama_8b(int replicas, const std::string& engine = "{}") {
  return R"([{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": )" + std::to_string(replicas) +
         R"(, "engine": )" + engine + "}]";
}

const Effect& first_resource(const WhatIf& study) {
  for (const Effect& effect : study.effects) {
    if (effect.improvement.lever == Lever::kResource) return effect;
  }
  FAIL("no resource among the improvements");
  return study.effects.front();
}

std::string found(const std::string& text, const std::string& planted) {
  const WhatIf study = what_if(read_scenario(text, true, {planted}), {});
  UNSCOPED_INFO(study.verdict);
  for (const Effect& effect : study.effects) UNSCOPED_INFO(effect.improvement.title << ": " << effect.score);
  return first_resource(study).improvement.kind;
}

constexpr const char* kShort = R"({"dist": "exponential", "mean": 0.2})";

}  // namespace

TEST_CASE("Planted: a slow tool") {
  CHECK(found(scenario(llama_8b(4), 2), agent(R"({"dist": "lognormal", "median": 20, "sigma": 0.5})", kShort, "50")) ==
        "tool-time");
}

TEST_CASE("Planted: slow people") {
  // 0.95 of the desk's time is taken. Faster people do all that more people do, and are quicker besides.
  CHECK(found(scenario(llama_8b(4), 1.9), agent(kShort, R"({"dist": "exponential", "mean": 10})", "50", 20)) ==
        "human-time");
}

TEST_CASE("Planted: starved HBM") {
  CHECK(found(scenario(llama_8b(8), 0.5), agent(kShort, kShort, "2000")) == "hbm-bandwidth");
}

TEST_CASE("Planted: a thin network") {
  const std::string pools = R"([
    {"name": "prefill", "role": "prefill", "decode_pool": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8},
    {"name": "decode", "role": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8}])";
  CHECK(found(scenario(pools, 2, 2, R"(, "fabric": {"bytes_per_s": 4e8})"), agent(kShort, kShort, "20", 1000, 2000)) ==
        "scale-out");
}

TEST_CASE("Planted: tight KV memory") {
  // 800 blocks of 16 tokens hold four first calls (175 blocks) or three second ones (207); a tenth more holds five, or
  // four.
  CHECK(found(scenario(llama_8b(10, R"({"num_gpu_blocks_override": 800})"), 29),
              agent(kShort, kShort, "300", 1000, 2500)) == "hbm-capacity");
}

TEST_CASE("Planted: few replicas") {
  CHECK(found(scenario(llama_8b(4), 62, 1), agent(kShort, kShort, "400")) == "replicas");
}
