#pragma once

#include <string>
#include <vector>

namespace tokenyard {

/// Every tag that is opened is closed, in order; the few that need no end aside.
inline bool well_formed(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string::npos;) {
    if (html.compare(at, 2, "<!") == 0) {
      at = html.find('>', at);
      continue;
    }
    const bool ends = html[at + 1] == '/';
    const std::size_t from = at + (ends ? 2 : 1), to = html.find_first_of(" >/\n", from);
    const std::string tag = html.substr(from, to - from);
    at = html.find('>', at);
    if (tag == "meta" || tag == "path" || tag == "br" || html[at - 1] == '/') continue;
    if (!ends) {
      open.push_back(tag);
      if (tag == "script" || tag == "style") at = html.find("</" + tag, at);  // no tags in there
    } else {
      if (open.empty() || open.back() != tag) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace tokenyard
