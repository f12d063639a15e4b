#include "analysis/drawing/drawing.hpp"

#include <fmt/format.h>

#include "analysis/drawing/node_look.hpp"

namespace tokenyard::analysis {

using agents::Agent;
using agents::Edge;
using agents::kNone;
using agents::Node;
using agents::NodeKind;
using agents::ServiceSpec;

namespace {

/// At most two decimals, none from 100 on: "0.35", "12.5", "129", "12000".
std::string number(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string seconds(double s) {
  if (s < 1) return number(s * 1000) + " ms";
  if (s < 120) return number(s) + " s";
  if (s < 7200) return number(s / 60) + " min";
  return number(s / 3600) + " h";
}

std::string joined(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

std::string dot_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string dot_attributes(NodeKind kind) {
  const NodeLook& look = look_of(kind);
  return fmt::format(R"(shape={}, style={}, fillcolor="{}", color="{}", fontcolor="{}"{})", look.dot_shape,
                     kind == NodeKind::kLlm ? R"("rounded,filled")" : "filled", look.fill, look.stroke, look.text,
                     kind == NodeKind::kEnd ? ", peripheries=2" : "");
}

}  // namespace

std::string edge_label(const Node& from, const Edge& edge) {
  std::vector<std::string> parts;
  if (edge.spends_usd_each > 0) {
    parts.push_back(fmt::format("{} of the budget at {:g} USD", number(edge.spends_share), edge.spends_usd_each));
    if (edge.plus != 0) parts.push_back(fmt::format("{:+}", edge.plus));
  } else if (edge.count.given) {
    parts.push_back(number(edge.count.of.mean() + static_cast<double>(edge.plus)) + " of the urn");
  } else if (edge.on_error) {
    parts.emplace_back("on error");
  } else if (edge.otherwise) {
    parts.emplace_back("else");
  } else if (from.urn) {
    parts.push_back("when empty" + (edge.p < 1 ? ": " + number(edge.p) : std::string()));
  } else if (edge.p < 1) {
    parts.push_back(number(edge.p));
  }
  if (edge.last) parts.emplace_back("one last");
  if (edge.max != kNone) parts.push_back(fmt::format("at most {}", edge.max));
  return joined(parts);
}

std::string node_detail(const Agent& agent, const Node& node) {
  std::vector<std::string> parts;
  if (node.calls_model()) {
    if (node.prompt_tokens.given) parts.push_back(number(node.prompt_tokens.of.mean()) + " tokens in");
    if (node.output_tokens.given) parts.push_back(number(node.output_tokens.of.mean()) + " out");
    if (node.thinking_tokens.given && node.thinking_tokens.of.mean() > 0)
      parts.push_back(number(node.thinking_tokens.of.mean()) + " thought");
  }
  if (node.compact) parts.push_back(fmt::format("compacts above {}", node.compact->above));
  if (node.kind == NodeKind::kMedia) {
    parts.push_back(fmt::format("{}x{}", node.picture.width, node.picture.height));
    if (node.picture.frames > 1) parts.push_back(fmt::format("{} frames", node.picture.frames));
    parts.push_back(number(node.steps.of.mean()) + " steps");
  }
  if (node.waits()) parts.push_back(seconds(node.latency_s.of.mean()));
  if (node.service != kNone) {
    const ServiceSpec& service = agent.services[node.service];
    parts.push_back(fmt::format("{} {}", service.capacity, service.name));
  }
  if (node.kind == NodeKind::kSubAgent) parts.push_back(agent.sub_agents[node.sub_agent].name);
  if (node.parallel.given && node.parallel.of.mean() != 1)
    parts.push_back(number(node.parallel.of.mean()) + " at once");
  if (node.kind == NodeKind::kEnd && node.failed) parts.emplace_back("the task failed");
  return joined(parts);
}

std::string to_text(const Agent& agent) {
  std::string text = agent.title + '\n';
  for (std::uint32_t v = 0; v < agent.nodes.size(); ++v) {
    const Node& node = agent.nodes[v];
    const std::string detail = node_detail(agent, node);
    text += fmt::format("\n{} {} [{}]{}{}\n", v == agent.start ? "▶" : " ", node.name, name_of(node.kind),
                        detail.empty() ? "" : "  ", detail);
    for (const Edge& edge : node.edges) {
      const std::string label = edge_label(node, edge);
      text += fmt::format("    → {}{}{}\n", agent.nodes[edge.target].name, label.empty() ? "" : "  ",
                          label.empty() ? "" : '(' + label + ')');
    }
  }
  return text;
}

std::string to_dot(const Agent& agent) {
  std::string text = fmt::format(
      "digraph {} {{\n  label={}; labelloc=t; fontname=\"sans-serif\";\n"
      "  node [fontname=\"sans-serif\", fontsize=11]; edge [fontname=\"sans-serif\", fontsize=10];\n",
      dot_quoted(agent.name), dot_quoted(agent.title));
  for (const Node& node : agent.nodes) {
    const std::string detail = node_detail(agent, node);
    text += fmt::format("  {} [label={}, {}];\n", dot_quoted(node.name),
                        dot_quoted(node.title + (detail.empty() ? "" : "\n" + detail)), dot_attributes(node.kind));
  }
  for (const Node& node : agent.nodes) {
    for (const Edge& edge : node.edges) {
      text +=
          fmt::format("  {} -> {} [label={}{}];\n", dot_quoted(node.name), dot_quoted(agent.nodes[edge.target].name),
                      dot_quoted(edge_label(node, edge)), edge.on_error ? ", style=dashed" : "");
    }
  }
  return text + "}\n";
}

}  // namespace tokenyard::analysis
