#pragma once
/// A small study for tests: how many chips a rate of requests needs, and what they cost.

#include <nlohmann/json.hpp>

#include "analysis/studies/study.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::analysis {

inline sim::Json small() {
  return sim::Json::parse(R"json({
    "schema": "tokenyard.study/1", "name": "small", "title": "Small", "question": "How much?",
    "claim": {"text": "It costs something.", "source": "a test", "date": "2026-11"},
    "inputs": {
      "rate": {"title": "Rate", "value": 4, "unit": "/s", "assumed": true, "low": 2, "high": 8, "source": "a test"},
      "price": {"title": "Price", "value": 2, "unit": "USD", "source": "a test", "date": "2026-11", "low": 1, "high": 4},
      "fixed": {"title": "Fixed", "value": 10, "source": "a test", "date": "2026-11"}},
    "scenarios": {"one": {
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2, "chips_per_node": 8}]}]},
      "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": "= floor(replicas)"}],
      "workload": {"requests": {"rate_per_s": "= rate", "prompt_tokens": 500, "output_tokens": 50}},
      "run": {
  "duration_s" : 20, "warmup_s" : 5
}
}
}
,
    "cases": {
      "few": {"title": "Few", "scenario": "one", "let": {"replicas": 1}},
      "many": {"title": "Many", "scenario": "one", "let": {"replicas": 2}, "set": {"/name": "many"}}},
    "measures": {
      "chips": {"title": "chips", "is": "pools.main.chips"},
      "usd": {"title": "cost", "unit": "USD/h", "is": "chips * price"},
      "tokens": {"title": "tokens", "is": "counts.output_tokens"}},
    "quantities": {
      "extra": {"title": "Extra cost", "unit": "USD", "is": "many.usd - few.usd + fixed * (few.tokens / many.tokens)"}},
    "outcome": "extra", "tiles": ["extra", "few.usd"],
    "verdicts": [{"if": "extra > 13", "badge": "dear", "say": "Dear: {extra}."}, {"badge": "cheap", "say": "Cheap: {extra}, {price}."}],
    "says": ["Two cost {many.usd}."],
    "tables": [{"title": "Both", "measures": ["chips", "usd"]}],
    "bars": [{"title": "Cost", "measure": "usd", "cases": ["few", "many"]}],
    "curves": [{"title": "By x", "x_title": "x", "from": 1, "to": 100, "lines": [{"title": "line", "is": "extra * x"}]}]
})json");
}

inline Study read_study(const sim::Json& document) {
  sim::Faults faults;
  Study study = Study::read(sim::JsonFile::from(document, "small.json"), faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return study;
}

}  // namespace tokenyard::analysis
