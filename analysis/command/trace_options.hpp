#pragma once
/// The options that say what a trace is and how it is read, alike in every command that takes one.
///
///   add_format_option(*sub, a->format)->required();
///   add_skip_bad_rows_option(*sub, a->skip_faulty)->group("Traces");

#include <CLI/CLI.hpp>
#include <string>

#include "analysis/command/option_checks.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::analysis {

inline CLI::Option* add_format_option(
    CLI::App& sub, std::string& format,
    const std::string& help = "what the trace is; tokenyard catalog formats lists them") {
  return sub.add_option("--format", format, help)->option_text("FORMAT");
}

inline CLI::Option* add_map_option(CLI::App& sub, std::string& map) {
  return sub.add_option("--map", map, "other names of a CSV file's columns: arrival_s=ts,prompt_tokens=in")
      ->option_text("column=name,…");
}

inline CLI::Option* add_skip_bad_rows_option(CLI::App& sub, bool& skip_faulty) {
  return sub.add_flag("--skip-bad-rows", skip_faulty,
                      "leaves what is faulty out and counts it, instead of refusing the trace");
}

inline CLI::Option* add_block_tokens_option(CLI::App& sub, platforms::Tokens& block_tokens) {
  return sub
      .add_option("--block-tokens", block_tokens, "tokens of a hash id, where the trace does not say (default: 512)")
      ->option_text("N")
      ->check(whole_number("--block-tokens", 1, traces::kMaxTokens));
}

}  // namespace tokenyard::analysis
