#include "analysis/page/limits_text.hpp"

#include <fmt/format.h>

#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {

std::string limits_text(const SloLimits& limits) {
  std::string text;
  for (const auto& [name, limit] :
       {std::pair{"TTFT", limits.ttft_s}, {"TPOT", limits.tpot_s}, {"call", limits.e2e_s}, {"task", limits.task_s}}) {
    if (limit) text += fmt::format("{}{} ≤ {}", text.empty() ? "" : ", ", name, human_number(limit, Unit::kSeconds));
  }
  return text;
}

}  // namespace tokenyard::analysis
