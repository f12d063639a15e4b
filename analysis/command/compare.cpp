/// `tokenyard compare`.

#include "analysis/compare/compare.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/page/human_number.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

struct CompareArguments {
  std::vector<std::string> folders;
  bool json = false;
};

/// So many digits, never an exponent for what is large: "0.1234", "43,710".
std::string mean_text(double mean, int digits) {
  if (std::fabs(mean) < std::pow(10, digits - 1)) return fmt::format("{:.{}g}", mean, digits);
  return (std::signbit(mean) ? "-" : "") + count_text(std::llround(std::fabs(mean)));
}

/// "+0.123 ±0.004".
std::string difference_text(const sim::MeanInterval& difference) {
  return fmt::format("{}{}{}", std::signbit(difference.mean) ? "" : "+", mean_text(difference.mean, 4),
                     difference.half_width ? "\u00a0±" + mean_text(*difference.half_width, 2) : "");
}

std::string relative_text(double difference, double base) {
  return base != 0 ? fmt::format("{:+.1f} %", difference / base * 100) : "";
}

/// Whether the interval leaves 0 out.
bool certain(const sim::MeanInterval& difference) {
  return difference.half_width && std::fabs(difference.mean) > *difference.half_width;
}

/// Under one seed tasks arrive as they do; their calls, when what came before them was answered.
const char* what_moving_means(bool tasks, const PairedTable& table) {
  if (!tasks) return ", as what came before them ended at another";
  return 2 * table.moved > table.pairs ? ": other work, whose differences are no effects" : ": not quite the same work";
}

bool same(const sim::MeanInterval& difference) { return difference.mean == 0 && difference.half_width == 0.0; }

std::string table_text(const char* title, bool tasks, const PairedTable& table) {
  std::string text = fmt::format("\n  {}: {} pairs", title, count_text(table.pairs));
  if (table.only_base + table.only_other > 0)
    text +=
        fmt::format(", {} only in the base, {} only here", count_text(table.only_base), count_text(table.only_other));
  if (table.moved > 0)
    text += fmt::format("; {} arrive at another time{}", count_text(table.moved), what_moving_means(tasks, table));
  text += "\n\n";
  using enum TextTable::Align;
  TextTable rows({kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kLeft});
  rows.row({"", "mean: base", "here", "difference", "", "p95: base", "here", ""});
  for (const PairedFigure& figure : table.figures) {
    rows.row({figure.name, mean_text(figure.base_mean, 4), mean_text(figure.other_mean, 4),
              difference_text(figure.difference), relative_text(figure.difference.mean, figure.base_mean),
              mean_text(figure.base_p95, 4), mean_text(figure.other_p95, 4),
              certain(figure.difference) ? ""
              : same(figure.difference)  ? "(none)"
                                         : "(may be none)"});
  }
  return text + rows.text("    ");
}

/// Empty where both runs were judged by the same level.
std::string levels_text(const std::vector<LevelDifference>& levels) {
  std::string list;
  for (const LevelDifference& level : levels) {
    const auto side = [&](const std::optional<double>& value) {
      if (level.key == "judged_by_itself") return std::string(*value > 0 ? "yes" : "no");
      return value ? human_number(*value, unit_of(level.key)) : "no limit";
    };
    std::string words = words_of(level.key);
    if (level.key == "ttft_s" || level.key == "tpot_s") words = level.key == "ttft_s" ? "TTFT" : "TPOT";
    list += fmt::format("{}{}{} {} in the base, {} here", list.empty() ? "" : "; ",
                        level.agent.empty() ? "" : level.agent + ": ", words, side(level.base), side(level.other));
  }
  if (list.empty()) return {};
  return "\n" + wrapped(
                    "The runs were judged by different service levels, so attainment and goodput differ for that, "
                    "too: " +
                        list + ".",
                    "  ");
}

std::string run_text(const std::vector<RunFigure>& figures) {
  if (figures.empty()) return {};
  using enum TextTable::Align;
  TextTable rows({kLeft, kRight, kRight, kRight});
  rows.row({"", "base", "here", ""});
  for (const RunFigure& figure : figures) {
    const Unit unit = unit_of(figure.key);
    rows.row({figure.of + (figure.of.empty() ? "" : ": ") + words_of(figure.key), human_number(figure.base, unit),
              human_number(figure.other, unit), relative_text(figure.other - figure.base, figure.base)});
  }
  return "\n  the runs\n\n" + rows.text("    ");
}

/// Empty where both runs came to their end.
std::string partial_text(bool base, bool here) {
  if (!base && !here) return {};
  return "\n" + wrapped(fmt::format("Partial: {} interrupted before {} end, so tasks are missing and the runs' figures "
                                    "are of different times.",
                                    base && here ? "both runs were"
                                    : base       ? "the base was"
                                                 : "this run was",
                                    base && here ? "their" : "its"),
                        "  ");
}

int compare_folders(const CompareArguments& arguments, const Surroundings& surroundings) {
  if (arguments.folders.size() < 2)
    throw sim::InputError(
        {"", "tokenyard compare", "one folder", "the base's folder, then one or more to compare with it"});
  const Comparison comparison = compare({arguments.folders.begin(), arguments.folders.end()});
  if (arguments.json) {
    fmt::print(surroundings.out, "{}\n", sim::to_text(to_json(comparison), 2));
    return kDone;
  }
  for (const Comparison::Other& other : comparison.others) {
    fmt::print(surroundings.out, "{} against {}\n{}{}{}{}{}\n", other.folder, comparison.base,
               partial_text(comparison.base_partial, other.partial), levels_text(other.levels), run_text(other.run),
               table_text("tasks", true, other.tasks), table_text("calls", false, other.calls));
  }
  fmt::print(surroundings.out,
             "Pairs are of the whole run, its warm-up and failures among them; the runs' figures are of the measured "
             "time.\nDifferences are paired and have 95 % intervals; \"may be none\": the interval holds 0.\n");
  return kDone;
}

}  // namespace

void add_compare(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("compare", "paired differences between result folders of the same work");
  const auto a = std::make_shared<CompareArguments>();
  sub->add_option("DIR", a->folders, "result folders with tasks.csv and calls.csv; the first is the base")->required();
  sub->add_flag("--json", a->json, "as JSON");
  sub->footer(
      "  tokenyard run s.json --out base && tokenyard run s.json --set /pools/0/replicas=8 --out eight\n"
      "  tokenyard compare base eight\n"
      "Runs may differ in their service levels (slo), too: the table's head then says in what.");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return compare_folders(*a, s); }; });
}

}  // namespace tokenyard::analysis
