#include "analysis/page/roofline.hpp"

#include <nlohmann/json.hpp>

#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {

std::string roofline_html(const sim::Json& pools) {
  std::vector<ShareBar> bars;
  HtmlTable table{"Position under the roofline",
                  {"pool", "steps", "of step time", "FLOP per byte", "ridge of the chip", "MFU", "MBU"},
                  {},
                  2};
  if (pools.is_object()) {
    for (const auto& [name, pool] : pools.items()) {
      for (const char* phase : {"prefill", "decode"}) {
        const sim::Json& at = value_at(pool, {"roofline", phase});
        const std::optional<double> time = number_at(at, {"time"});
        if (!time || *time == 0) continue;
        ShareBar bar = share_bar(name + ", " + phase, value_at(at, {"bound"}), Unit::kShare);
        bar.total_text = human_number(time, Unit::kShare) + " of step time";
        bars.push_back(std::move(bar));
        const auto share = [&](const char* key) { return human_number(number_at(at, {key}), Unit::kShare); };
        table.rows.push_back({html_escaped(name), phase, share("time"),
                              human_number(number_at(at, {"flop_per_byte"}), Unit::kCount),
                              human_number(number_at(pool, {"roofline", "ridge_flop_per_byte"}), Unit::kCount),
                              share("mfu"), share("mbu")});
      }
    }
  }
  if (bars.empty()) return "<p class=\"none\">No pool has run a step.</p>\n";
  return "<p class=\"say\">Of the time of each pool's steps, what bound their kernels. Prefill: steps that computed "
         "prompts, with whatever decoded beside them; decode: steps that only decoded. Work of fewer FLOP per byte "
         "than "
         "the chip's ridge cannot use all its FLOP/s. MFU and MBU are those while the steps ran.</p>\n" +
         share_bars_html(bars) + table.html();
}

}  // namespace tokenyard::analysis
