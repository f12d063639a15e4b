#include "platforms/spec/media_model.hpp"

#include <nlohmann/json.hpp>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/fact.hpp"

namespace tokenyard::platforms {
namespace {

using sim::NumberRule;
using sim::ObjectReader;

constexpr NumberRule kPositive = {.fallback = {}, .minimum = 0, .exclusive = true};
constexpr NumberRule kCount = {.fallback = {}, .minimum = 1, .maximum = 1e9};
constexpr NumberRule kCountOrNone = {.fallback = {}, .minimum = 0, .maximum = 1e9};
constexpr NumberRule kShare = {.fallback = {}, .minimum = 0, .maximum = 1, .exclusive = true};

}  // namespace

std::int64_t MediaModel::tokens(const MediaFormat& format) const {
  const std::int64_t pixels = format.width * format.height;
  const std::int64_t grid = (pixels + pixels_per_token - 1) / pixels_per_token;
  return grid * (1 + (format.frames - 1 + frames_per_token - 1) / frames_per_token);
}

MediaModel::StepFlop MediaModel::step_flop(const MediaFormat& format) const {
  const auto n = static_cast<double>(tokens(format) + text_tokens);
  const auto passes = static_cast<double>(passes_per_step);
  return {passes * 2 * parameters_per_token * n,
          passes * 4 * static_cast<double>(layers) * static_cast<double>(hidden) * n * n};
}

double MediaModel::efficiency_of(const Chip& chip) const {
  auto found = efficiency_on.find(chip.name);
  if (found == efficiency_on.end()) found = efficiency_on.find(chip.base);
  return found == efficiency_on.end() ? efficiency : found->second;
}

std::optional<double> MediaModel::share(std::int64_t chips) const {
  if (chips == 1) return 1;
  const auto found = sharing.find(chips);
  return found == sharing.end() ? std::nullopt : std::optional(found->second);
}

MediaModel MediaModel::read(ObjectReader& reader) {
  MediaModel model;
  model.name = reader.string("name");
  for (const char* key : {"title", "vendor", "note"}) reader.string(key, "");  // the entry itself shows them
  model.parameters_total = required_fact(reader, "parameters_total", kPositive);
  model.parameters_per_token = required_fact(reader, "parameters_per_token", kPositive);
  model.layers = required_count(reader, "layers", kCount);
  model.hidden = required_count(reader, "hidden", kCount);
  model.text_tokens = optional_count(reader, "text_tokens", kCountOrNone).value_or(0);
  model.pixels_per_token = required_count(reader, "pixels_per_token", kCount);
  model.frames_per_token = optional_count(reader, "frames_per_token", kCount).value_or(1);
  model.passes_per_step = optional_count(reader, "passes_per_step", kCount).value_or(1);
  model.efficiency = required_fact(reader, "efficiency", kShare);
  reader.object("efficiency_on", [&](ObjectReader& on) {
    for (const auto& [chip, value] : on.value().items()) model.efficiency_on[chip] = required_fact(on, chip, kShare);
  });
  reader.object("sharing", [&](ObjectReader& by_chips) {
    for (const auto& [chips, value] : by_chips.value().items()) {
      const double share = required_fact(by_chips, chips, kShare);
      if (chips.empty() || chips.size() > 4 || chips.find_first_not_of("0123456789") != std::string::npos) {
        by_chips.fault(chips, '"' + chips + '"', "a number of chips that make one picture together: \"2\", \"4\", …");
      } else {
        model.sharing[std::stoll(chips)] = share;
      }
    }
  });
  return model;
}

}  // namespace tokenyard::platforms
