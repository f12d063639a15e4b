#pragma once
/// Checks of options that take a number or one of some words. CLI11's own say what is wrong in its words; these throw
/// sim::InputError with the option, what was found and what is allowed.
///
///   sub->add_option("--months", a->months, "…")->check(whole_number("--months", 1, 120));

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace tokenyard::analysis {

inline constexpr std::int64_t kMostWhole = std::int64_t{1} << 62;
inline constexpr std::int64_t kMostSeed = std::int64_t{1} << 53;  ///< as in scenarios

CLI::Validator number_above_zero(const std::string& option);
CLI::Validator number_between(const std::string& option, double low, double high);
CLI::Validator whole_number(const std::string& option, std::int64_t low, std::int64_t high);
/// In UTF-8: what goes into a document.
CLI::Validator text(const std::string& option);
/// The path of a file to write: "-", which elsewhere is standard output, is none.
CLI::Validator output_file(const std::string& option);
CLI::Validator one_of(const std::string& option, const std::vector<std::string>& words);

}  // namespace tokenyard::analysis
