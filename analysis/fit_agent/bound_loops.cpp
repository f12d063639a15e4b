#include "analysis/fit_agent/bound_loops.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// Edges of a loop among those that `keep` takes; empty if there is none.
template <class Keep>
std::vector<std::size_t> find_loop(const Json& edges, Keep keep) {
  std::map<std::string, std::vector<std::size_t>> out;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (keep(edges[e])) out[edges[e]["from"].get<std::string>()].push_back(e);
  }
  std::map<std::string, int> state;  // 1: on the path, 2: done
  std::vector<std::size_t> path;
  std::vector<std::size_t> found;
  const std::function<bool(const std::string&)> visit = [&](const std::string& node) {
    state[node] = 1;
    for (const std::size_t e : out[node]) {
      const std::string to = edges[e]["to"].get<std::string>();
      path.push_back(e);
      if (state[to] == 1) {
        auto begin = std::find_if(path.begin(), path.end(), [&](std::size_t p) { return edges[p]["from"] == to; });
        found.assign(begin, path.end());
        return true;
      }
      if (state[to] == 0 && visit(to)) return true;
      path.pop_back();
    }
    state[node] = 2;
    return false;
  };
  for (const auto& [node, list] : std::map(out)) {
    if (state[node] == 0 && visit(node)) return found;
  }
  return {};
}

}  // namespace

void bound_loops(Json& edges, std::int64_t most) {
  const auto unbounded = [](const Json& e) { return !e.contains("count") && !e.contains("max"); };
  for (;;) {
    const std::vector<std::size_t> loop = find_loop(edges, unbounded);
    if (loop.empty()) return;
    std::size_t chosen = loop.front();
    double least = 2;
    for (const std::size_t e : loop) {
      const auto open = std::count_if(edges.begin(), edges.end(), [&](const Json& other) {
        return other["from"] == edges[e]["from"] && unbounded(other);
      });
      const double p = edges[e].value("p", 1.0);
      if (open < 2 || p >= least) continue;
      least = p;
      chosen = e;
    }
    edges[chosen]["max"] = most;
  }
}

}  // namespace tokenyard::analysis
