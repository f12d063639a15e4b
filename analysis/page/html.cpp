#include "analysis/page/html.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/core/error.hpp"
#include "sim/input/json.hpp"

#include "embedded/page_assets.hpp"

namespace tokenyard::analysis {

std::string page_asset(std::string_view path) {
  for (const embedded::File& file : embedded::page_assets()) {
    if (file.path == path) return std::string(file.text);
  }
  throw sim::InternalError(fmt::format("{} is not embedded", path));
}

std::string without_tags(std::string_view html, std::string_view on, std::string_view off) {
  const std::pair<std::string_view, std::string_view> known[] = {{"<strong>", on}, {"</strong>", off}, {"&amp;", "&"},
                                                                 {"&lt;", "<"},    {"&gt;", ">"},      {"&quot;", "\""},
                                                                 {"&#39;", "'"}};
  std::string text;
  while (!html.empty()) {
    const auto* match =
        std::find_if(std::begin(known), std::end(known), [&](const auto& k) { return html.starts_with(k.first); });
    if (match != std::end(known)) {
      text += match->second;
      html.remove_prefix(match->first.size());
    } else {
      text += html.front();
      html.remove_prefix(1);
    }
  }
  return text;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string json_for_html(const sim::Json& value) {
  const std::string text = sim::to_text(value);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";  // '<' occurs only inside JSON strings
    } else {
      out += c;
    }
  }
  return out;
}

std::string HtmlTable::html() const {
  std::string out = fmt::format("<div class=\"scroll\" tabindex=\"0\"><table><caption>{}</caption><thead><tr>",
                                html_escaped(caption));
  const auto kind = [this](std::size_t column) { return column < text_columns ? " class=\"text\"" : ""; };
  for (std::size_t i = 0; i < head.size(); ++i) out += fmt::format("<th scope=\"col\"{}>{}</th>", kind(i), head[i]);
  out += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : rows) {
    out += "\n<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", row[i]) : fmt::format("<td{}>{}</td>", kind(i), row[i]);
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_tile(std::string_view label, std::string_view value, std::string_view below, std::string_view kind) {
  return fmt::format("<div class=\"tile{}{}\"><dt>{}</dt><dd><b>{}</b>{}</dd></div>\n", kind.empty() ? "" : " ", kind,
                     label, value, below.empty() ? "" : fmt::format("<small>{}</small>", below));
}

std::string html_answer(std::string_view title, std::string_view answer, std::string_view tiles) {
  return fmt::format(
      "<h1>{}</h1>\n<section class=\"answer\" aria-label=\"Answer\">\n<p class=\"lead\">{}</p>\n<dl "
      "class=\"tiles\">\n{}</dl>\n</section>\n",
      title, answer, tiles);
}

std::string html_details(std::string_view title, const std::string& content) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n", html_escaped(title), content);
}

std::string fill_template(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string out;
  for (;;) {
    const std::size_t open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = text.find("}}", open);
    const std::string_view name =
        close == std::string_view::npos ? text.substr(open) : text.substr(open + 2, close - open - 2);
    const auto it = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.first == name; });
    if (it == values.end())
      throw sim::InternalError(fmt::format("the page template asks for \"{}\", which has no value", name));
    out += it->second;
    text.remove_prefix(close + 2);
  }
}

std::string html_page(const HtmlPage& page, const sim::Json& charts) {
  return fill_template(page_asset("page/page.html.in"),
                       {{"title", page.title},
                        {"style", page_asset("page/page.css") + page_asset("page/findings.css")},
                        {"brand", page.brand},
                        {"links", page.links},
                        {"body", page.body},
                        {"command", html_escaped(page.command)},
                        {"data", json_for_html({{"summary", nullptr}, {"charts", charts}})},
                        {"script", page_asset("page/page.js")}});
}

}  // namespace tokenyard::analysis
