#pragma once
/// The formats of one kind of trace: what each is called, and what opens it.
///
///   static const FormatTable<Opener> kTable({{{"azure", "Azure's traces (CSV: …)"}, make_azure_reader}});
///   kTable.opener("azure")(path, options);

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

/// `Opener`: a pointer to a function.
template <typename Opener>
class FormatTable {
 public:
  struct Entry {
    TraceFormat format;
    Opener open;
  };
  explicit FormatTable(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
      formats_.push_back(entry.format);
      openers_.push_back(entry.open);
    }
  }

  const std::vector<TraceFormat>& formats() const { return formats_; }
  bool has(std::string_view name) const { return place_of(name) < formats_.size(); }
  /// Throws sim::InputError with the names that there are, if this is none of them.
  Opener opener(const std::string& name) const {
    if (has(name)) return openers_[place_of(name)];
    std::vector<std::string> names;
    for (const TraceFormat& format : formats_) names.emplace_back(format.name);
    throw sim::InputError({"", "--format", fmt::format("\"{}\"", name),
                           fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(name, names))});
  }

 private:
  std::size_t place_of(std::string_view name) const {
    const auto at =
        std::find_if(formats_.begin(), formats_.end(), [&](const TraceFormat& format) { return format.name == name; });
    return static_cast<std::size_t>(at - formats_.begin());
  }

  std::vector<TraceFormat> formats_;
  std::vector<Opener> openers_;  ///< of each
};

}  // namespace tokenyard::traces
