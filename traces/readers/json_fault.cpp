#include "traces/readers/json_fault.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sim/input/text.hpp"

namespace tokenyard::traces {

sim::Fault json_fault(std::string file, std::uint64_t first_line, std::string_view text, std::string_view reason,
                      std::string allowed) {
  std::string what(reason);
  std::size_t byte = 0;  // from 1, of the last one read; 0: not found
  try {
    const auto keep_nothing = [](int, nlohmann::json::parse_event_t, nlohmann::json&) { return false; };
    std::ignore = nlohmann::json::parse(text, keep_nothing);
  } catch (const nlohmann::json::parse_error& error) {
    byte = std::min(error.byte, text.size());  // where it ends too early, the last one
    // "[…] parse error at line 1, column 9: syntax error while parsing value - invalid literal; last read: '…'"
    const std::string_view all = error.what();
    const std::size_t from = all.find("syntax error");
    if (from != std::string_view::npos) what = all.substr(from, all.find("; last read:") - from);
  } catch (const nlohmann::json::exception&) {  // a number that fits in no double
  }
  if (byte == 0) {
    const bool one_line = text.find('\n') == std::string_view::npos;
    return {std::move(file), one_line ? fmt::format("line {}", first_line) : "",
            fmt::format("{} in {}", what, sim::shown_text(text)), std::move(allowed)};
  }
  const std::string_view before = text.substr(0, byte - 1);
  const auto line = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t column = byte - begin;
  // As much of the line as a message shows, with the byte in it.
  constexpr std::size_t kBefore = 60;
  std::size_t from = column > kBefore ? byte - kBefore : begin;
  while (from > begin && from < byte && !sim::begins_character(text[from])) ++from;
  std::string_view shown = text.substr(from, text.find('\n', byte - 1) - from);
  if (shown.ends_with('\r')) shown.remove_suffix(1);
  return {std::move(file), fmt::format("line {}, column {}", first_line + line, column),
          fmt::format("{} in {}{}", what, from > begin ? "…" : "", sim::shown_text(shown)), std::move(allowed)};
}

}  // namespace tokenyard::traces
