#pragma once
/// The little HTML that our pages need. Text from outside (names, notes, paths) enters a page through `html_escaped`
/// or `json_for_html`, nowhere else.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// Safe between tags and inside quoted attributes.
std::string html_escaped(std::string_view text);

/// The text of HTML made here: `<strong>` and its end replaced by `on` and `off`, entities by what they stand for.
std::string without_tags(std::string_view html, std::string_view on, std::string_view off);

/// JSON that may stand inside <script type="application/json">: no "</" and no "<!--" can occur in it. Bytes that are
/// not UTF-8 are replaced.
std::string json_for_html(const sim::Json& value);

/// A table whose first column heads its rows and whose other columns hold numbers. Cells are HTML already; rows may be
/// shorter than the head. It scrolls by itself where the screen is narrow.
struct HtmlTable {
  std::string caption;  ///< plain text, read out by screen readers and shown above the table
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  std::size_t text_columns = 1;  ///< so many columns from the left are text, set to the left

  std::string html() const;
};

/// One figure of a `<dl class="tiles">`, of HTML; `below` may be empty. `kind` colours it: "good" or "bad".
std::string html_tile(std::string_view label, std::string_view value, std::string_view below,
                      std::string_view kind = {});

/// What a page of findings begins with: its title, the answer in words, and tiles; of HTML.
std::string html_answer(std::string_view title, std::string_view answer, std::string_view tiles);

/// What is folded away: `content`, of HTML, under a title of plain text. The text alternative of a chart, for one.
std::string html_details(std::string_view title, const std::string& content);

/// A file that the binary holds for pages, by its path under analysis/: "page/page.css".
std::string page_asset(std::string_view path);

/// Replaces each {{name}} of the template by its value, once: what is inserted is not looked at again. A name without a
/// value is an InternalError.
std::string fill_template(std::string_view text, const std::vector<std::pair<std::string_view, std::string>>& values);

/// A page of findings (studies, bottlenecks, demand), which holds all it needs.
struct HtmlPage {
  std::string title, brand, links, body;  ///< HTML
  std::string command;                    ///< plain text: what made it
};
std::string html_page(const HtmlPage& page, const sim::Json& charts);

}  // namespace tokenyard::analysis
