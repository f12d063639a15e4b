#include "analysis/campaign/factors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <set>

#include "sim/input/json.hpp"
#include "sim/random/distribution.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {

using sim::Json;
using sim::ObjectReader;
using sim::Stream;
using sim::StreamName;

namespace {

/// An axis's values as a function of u in [0, 1).
class Axis {
 public:
  static Axis read(ObjectReader& block, const std::string& pointer, const Json& value, bool grid, sim::Faults& faults) {
    Axis axis;
    const std::string place = block.pointer_to(pointer);
    if (value.is_array()) {
      axis.values_ = value.get<std::vector<Json>>();
      if (axis.values_.empty()) faults.add(block.file(), place, "[]", "at least one value");
    } else if (value.is_object() && value.contains("low")) {
      ObjectReader range(value, block.file(), place, faults);
      axis.read_range(range, grid);
    } else {
      faults.add(block.file(), place, sim::shown(value), R"(an array of values, or a range: {"low": 1, "high": 8})");
    }
    return axis;
  }

  Json at(double u) const {
    if (!values_.empty())
      return values_[std::min(values_.size() - 1, static_cast<std::size_t>(u * static_cast<double>(values_.size())))];
    if (whole_ && !log_) return sim::integer_if_whole(low_ + std::floor(u * (high_ - low_ + 1)));
    return between(u);
  }
  /// The points of a grid's range, ends included; whole points only once each.
  std::vector<Json> points() const {
    if (!values_.empty()) return values_;
    std::vector<Json> list;
    for (std::int64_t i = 0; i < count_; ++i) {
      const Json point = between(count_ == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count_ - 1));
      if (list.empty() || list.back() != point) list.push_back(point);
    }
    return list;
  }

 private:
  Json between(double u) const {
    double value = log_ ? low_ * sim::portable_exp(u * sim::portable_log(high_ / low_)) : low_ + u * (high_ - low_);
    if (log_) value = std::strtod(fmt::format("{:.12g}", value).c_str(), nullptr);  // 10, not 10.000000000000002
    if (u == 1) value = high_;
    return sim::integer_if_whole(whole_ ? std::round(value) : value);
  }
  void read_range(ObjectReader& range, bool grid) {
    low_ = range.number("low");
    high_ = range.number("high");
    log_ = range.choice("scale", {"linear", "log"}, "linear") == "log";
    whole_ = range.boolean("whole", false);
    if (grid) count_ = range.integer("count", {.minimum = 1, .maximum = static_cast<double>(kMostCells)});
    if (high_ < low_) range.fault("high", fmt::format("{}", high_), fmt::format("at least low = {}", low_));
    if (log_ && low_ <= 0) range.fault("low", fmt::format("{}", low_), "above 0 on a log scale");
    if (whole_ && (low_ != std::floor(low_) || high_ != std::floor(high_)))
      range.fault("whole", "true, between ends that are not whole", "whole ends");
  }

  std::vector<Json> values_;
  double low_ = 0, high_ = 0;
  bool log_ = false, whole_ = false;
  std::int64_t count_ = 0;
};

void check_pointer(ObjectReader& reader, const std::string& pointer) {
  if (const auto fault = fault_of_pointer(pointer)) report(*fault, pointer, reader);
}

/// The axes of one block, in the order of the file.
std::vector<std::pair<std::string, Axis>> read_axes(ObjectReader& axes, bool grid) {
  std::vector<std::pair<std::string, Axis>> list;
  for (const auto& [pointer, value] : axes.value().items()) {
    axes.raw(pointer);
    check_pointer(axes, pointer);
    list.emplace_back(pointer, Axis::read(axes, pointer, value, grid, axes.faults()));
  }
  if (list.empty()) axes.fault("", "{}", "at least one JSON pointer");
  return list;
}

FactorBlock read_grid(ObjectReader& reader) {
  FactorBlock block{{{}}};
  reader.object("grid", [&](ObjectReader& axes) {
    const auto list = read_axes(axes, true);
    if (!axes.faults().empty()) return;
    for (const auto& [pointer, axis] : list) {
      const std::vector<Json> points = axis.points();
      if (block.settings.size() * points.size() > kMostCells) {
        axes.fault("", "more combinations", fmt::format("at most {} in a campaign", kMostCells));
        return;
      }
      std::vector<Setting> finer;
      for (const Setting& setting : block.settings) {
        for (const Json& point : points) {
          finer.push_back(setting);
          finer.back().emplace_back(pointer, point);
        }
      }
      block.settings = std::move(finer);
    }
  });
  return block;
}

FactorBlock read_zip(ObjectReader& reader) {
  FactorBlock block;
  reader.object("zip", [&](ObjectReader& axes) {
    const auto list = read_axes(axes, true);
    if (!axes.faults().empty()) return;
    const std::size_t length = list.front().second.points().size();
    block.settings.resize(length);
    for (const auto& [pointer, axis] : list) {
      const std::vector<Json> points = axis.points();
      if (points.size() != length) {
        axes.fault(pointer, fmt::format("{} values", points.size()),
                   fmt::format("{} values, as many as {} has", length, list.front().first));
        continue;
      }
      for (std::size_t i = 0; i < length; ++i) block.settings[i].emplace_back(pointer, points[i]);
    }
  });
  return block;
}

FactorBlock read_list(ObjectReader& reader) {
  FactorBlock block;
  reader.each("list", [&](ObjectReader& item) {
    Setting setting;
    for (const auto& [pointer, value] : item.value().items()) {
      item.raw(pointer);
      check_pointer(item, pointer);
      setting.emplace_back(pointer, value);
    }
    block.settings.push_back(std::move(setting));
  });
  if (block.settings.empty()) reader.fault("list", "[]", "at least one object of JSON pointers and values");
  return block;
}

std::int64_t read_count(ObjectReader& reader) {
  return reader.integer("count", {.minimum = 1, .maximum = static_cast<double>(kMostCells)});
}

FactorBlock read_random(ObjectReader& reader, std::uint64_t seed) {
  FactorBlock block;
  block.settings.resize(static_cast<std::size_t>(read_count(reader)));
  reader.object("random", [&](ObjectReader& axes) {
    for (const auto& [pointer, value] : axes.value().items()) {
      axes.raw(pointer);
      check_pointer(axes, pointer);
      const StreamName name("campaign/random" + pointer);
      const bool dist = value.is_object() && value.contains("dist");
      sim::Distribution distribution;
      Axis axis;
      if (dist) {
        distribution = sim::Distribution::read(value, axes.file(), axes.pointer_to(pointer), axes.faults());
      } else {
        axis = Axis::read(axes, pointer, value, false, axes.faults());
      }
      if (!axes.faults().empty()) continue;
      for (std::size_t i = 0; i < block.settings.size(); ++i) {
        Stream stream(seed, name, i);
        block.settings[i].emplace_back(
            pointer, dist ? sim::integer_if_whole(distribution.sample(stream)) : axis.at(stream.uniform()));
      }
    }
    if (axes.value().empty()) axes.fault("", "{}", "at least one JSON pointer");
  });
  return block;
}

FactorBlock read_latin_hypercube(ObjectReader& reader, std::uint64_t seed) {
  FactorBlock block;
  block.settings.resize(static_cast<std::size_t>(read_count(reader)));
  reader.object("latin-hypercube", [&](ObjectReader& axes) {
    const auto list = read_axes(axes, false);
    if (!axes.faults().empty()) return;
    const std::size_t n = block.settings.size();
    for (const auto& [pointer, axis] : list) {
      const StreamName name("campaign/latin-hypercube" + pointer);
      std::vector<std::size_t> strata(n);
      std::iota(strata.begin(), strata.end(), std::size_t{0});
      Stream shuffle(seed, name, n);
      for (std::size_t i = n; i > 1; --i) std::swap(strata[i - 1], strata[shuffle.below(i)]);
      for (std::size_t i = 0; i < n; ++i) {
        Stream within(seed, name, i, 1);
        const double u = (static_cast<double>(strata[i]) + within.uniform()) / static_cast<double>(n);
        block.settings[i].emplace_back(pointer, axis.at(std::min(u, 1 - 0x1p-53)));
      }
    }
  });
  return block;
}

}  // namespace

std::vector<FactorBlock> read_factors(ObjectReader& reader, std::string_view key, std::uint64_t seed) {
  std::vector<FactorBlock> blocks;
  std::set<std::string> taken;
  reader.each(key, [&](ObjectReader& block) {
    const std::vector<std::string> kinds = {"grid", "zip", "list", "random", "latin-hypercube"};
    std::vector<std::string> given;
    for (const std::string& kind : kinds) {
      if (block.has(kind)) given.push_back(kind);
    }
    if (given.size() != 1) {
      std::vector<std::string> keys;
      for (const auto& [name, value] : block.value().items()) {
        block.raw(name);
        keys.push_back(name);
      }
      block.fault("", given.empty() ? sim::shown(block.value()) : fmt::format("{} together", fmt::join(given, " and ")),
                  fmt::format("one of {}{}", fmt::join(kinds, ", "),
                              keys.size() == 1 ? sim::did_you_mean(keys[0], kinds) : ""));
      return;
    }
    const std::string& kind = given.front();
    FactorBlock read = kind == "grid"     ? read_grid(block)
                       : kind == "zip"    ? read_zip(block)
                       : kind == "list"   ? read_list(block)
                       : kind == "random" ? read_random(block, seed)
                                          : read_latin_hypercube(block, seed);
    read.place = block.pointer_to(kind);
    read.list = kind == "list";
    std::set<std::string> own;
    for (const Setting& setting : read.settings) {
      for (const auto& [pointer, value] : setting) own.insert(pointer);
    }
    for (const std::string& pointer : own) {
      if (!taken.insert(pointer).second)
        block.fault(kind, "\"" + pointer + "\" again", "each JSON pointer in one block");
    }
    blocks.push_back(std::move(read));
    if (combinations(blocks) > kMostCells)
      block.fault("", "more combinations", fmt::format("at most {} in a campaign", kMostCells));
  });
  return blocks;
}

std::uint64_t combinations(const std::vector<FactorBlock>& blocks) {
  std::uint64_t product = 1;
  for (const FactorBlock& block : blocks) product = std::min(product, kMostCells + 1) * block.settings.size();
  return product;
}

Setting combination(const std::vector<FactorBlock>& blocks, std::uint64_t index) {
  std::uint64_t below = combinations(blocks);
  Setting all;
  for (const FactorBlock& block : blocks) {
    below /= block.settings.size();
    const Setting& chosen = block.settings[index / below];
    index %= below;
    all.insert(all.end(), chosen.begin(), chosen.end());
  }
  return all;
}

std::optional<UnsetFactor> set_values(const Setting& setting, Json& document) {
  for (const auto& [pointer, value] : setting) {
    if (auto fault = set_at(document, pointer, value)) return UnsetFactor{pointer, std::move(*fault)};
  }
  return {};
}

std::optional<std::string> FactorBlock::place_of(const std::string& pointer) const {
  for (std::size_t i = 0; i < settings.size(); ++i) {
    for (const auto& [known, value] : settings[i]) {
      if (known == pointer)
        return place + (list ? fmt::format("/{}/", i) : "/") + (Json::json_pointer() / pointer).to_string().substr(1);
    }
  }
  return {};
}

}  // namespace tokenyard::analysis
