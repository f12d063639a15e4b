#include "agents/record/model_pools.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/text.hpp"

namespace tokenyard::agents {

ModelPools ModelPools::parse(std::string_view rules, std::vector<Pool> pools, std::uint32_t fallback,
                             sim::Faults& faults) {
  ModelPools result;
  std::vector<std::string> names = {"none"};
  for (const Pool& pool : pools) {
    if (!pool.name.empty()) names.push_back(pool.name);
  }
  for (const std::string_view rule : sim::comma_separated(rules)) {
    const std::size_t equals = rule.rfind('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == rule.size()) {
      faults.add("", "--pools", fmt::format("\"{}\"", rule),
                 "recorded model=pool, as in gpt-4o-mini=small,claude-*=main,*=none");
      continue;
    }
    const std::string_view name = rule.substr(equals + 1);
    const auto pool = std::find_if(pools.begin(), pools.end(), [&](const Pool& p) { return p.name == name; });
    if (name != "none" && pool == pools.end()) {
      faults.add("", "--pools", fmt::format("\"{}\"", name),
                 fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(name, names)));
      continue;
    }
    result.rules_.emplace_back(rule.substr(0, equals),
                               name == "none" ? kDropped : static_cast<std::uint32_t>(pool - pools.begin()));
  }
  result.pools_ = std::move(pools);
  result.fallback_ = fallback;
  return result;
}

void ModelPools::check(const std::vector<std::string>& models, sim::Faults& faults) const {
  for (const auto& [name, pool] : rules_) {
    const bool starts = name.ends_with('*');
    const std::string_view head = std::string_view(name).substr(0, name.size() - (starts ? 1 : 0));
    const auto is_meant = [&](const std::string& model) { return starts ? model.starts_with(head) : model == head; };
    if (name == "*" || std::any_of(models.begin(), models.end(), is_meant)) continue;
    constexpr std::size_t kShown = 10;
    const std::size_t count = std::min(kShown, models.size());
    std::vector<std::string> shown;
    for (std::size_t i = 0; i < count; ++i) shown.push_back(models[i].empty() ? "(no name)" : '"' + models[i] + '"');
    faults.add("", "--pools", fmt::format("\"{}\", which matches no recorded model", name),
               models.empty() ? "nothing but \"*\": no model was recorded"
                              : fmt::format("one of {}{}{}", fmt::join(shown, ", "), count < models.size() ? ", …" : "",
                                            sim::did_you_mean(name, models)));
  }
}

std::uint32_t ModelPools::pool(std::string_view model) const {
  for (const auto& [name, pool] : rules_) {
    if (name == model) return pool;
  }
  const std::pair<std::string, std::uint32_t>* longest = nullptr;
  const std::pair<std::string, std::uint32_t>* any = nullptr;
  for (const auto& rule : rules_) {
    const std::string_view name = rule.first;
    if (name == "*") {
      any = &rule;
    } else if (name.ends_with('*') && model.starts_with(name.substr(0, name.size() - 1)) &&
               (longest == nullptr || name.size() > longest->first.size())) {
      longest = &rule;
    }
  }
  if (longest != nullptr) return longest->second;
  for (std::uint32_t p = 0; p < pools_.size(); ++p) {
    if (!pools_[p].name.empty() && pools_[p].name == model) return p;
  }
  for (std::uint32_t p = 0; p < pools_.size(); ++p) {
    if (!pools_[p].name.empty() && pools_[p].model == model) return p;
  }
  return any != nullptr ? any->second : fallback_;
}

}  // namespace tokenyard::agents
