/// `tokenyard calibrate`: a chip's or an engine's entry fitted to a measured table.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fmt/format.h>

#include "analysis/calibrate/serving_calibration.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/option_checks.hpp"
#include "sim/input/json.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

struct CalibrateArguments {
  CalibrateOptions options{.tp = 0};  ///< 0: not said
  std::string table, format = "aiconfigurator", out;
  std::vector<std::string> catalogs;
};

/// Letters and digits alone, in lower case.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

/// The name that a file's name has in it, whole or its first parts with a number: "h100_sxm__gemm" has h100-sxm,
/// "llm_serving_h100" has it, too, "profile_RTXPRO6000_Llama-3.1-8B_tp1" has rtx-pro-6000 and llama-3.1-8b. Empty: none,
/// or two alike.
std::string named_in(std::string_view file, const std::vector<std::string>& names) {
  const std::string text = plain(file);
  std::string best;
  std::size_t longest = 0;
  for (const std::string& name : names) {
    for (std::size_t end = name.size(); end != std::string::npos && end > 0; end = name.rfind('-', end - 1)) {
      const std::string part = plain(std::string_view(name).substr(0, end));
      const bool telling = end == name.size() || part.find_first_of("0123456789") != std::string::npos;
      if (!telling || part.size() < longest || text.find(part) == std::string::npos) continue;
      best = part.size() > longest ? name : best == name ? best : "";
      longest = part.size();
      break;
    }
  }
  return best;
}

/// What was not said is looked for in the names of the entry and of the table.
void complete(CalibrateOptions& options, const std::string& out, const platforms::Catalog& catalog) {
  const std::string table = options.table.filename().string();
  if (options.base.empty()) {
    const std::vector<std::string> chips = catalog.names(platforms::CatalogKind::kChip);
    const std::string stem = std::filesystem::path(out).stem().string();
    options.base = std::find(chips.begin(), chips.end(), stem) != chips.end() ? stem : named_in(table, chips);
    if (options.base.empty())
      throw sim::InputError({"", "--chip", "nothing, and no chip in the table's name",
                             "a chip of the catalogue, as `tokenyard catalog chips` lists them"});
  }
  const std::size_t tp = table.rfind("_tp");
  if (options.tp == 0) options.tp = tp == std::string::npos ? 1 : std::max(1, std::atoi(table.c_str() + tp + 3));
  if (options.model.empty()) options.model = named_in(table, catalog.names(platforms::CatalogKind::kModel));
}

/// What a benchmark is to explain, the chip or the engine, follows from where the entry is to lie.
CalibratedEntry calibrate_served(const CalibrateArguments& a, const CalibrateOptions& options,
                                 const platforms::Catalog& catalog) {
  const std::string folder = std::filesystem::absolute(a.out).parent_path().filename().string();
  return folder == "engines" ? calibrate_engine(options, catalog) : calibrate_served_chip(options, catalog);
}

/// No table gives way to the entry that is made of it.
void keep_inputs(const std::filesystem::path& output, const std::filesystem::path& table) {
  traces::keep_input(output, table, "--output");
  if (!std::filesystem::is_directory(table)) return;
  for (const auto& entry : std::filesystem::directory_iterator(table))
    traces::keep_input(output, entry.path(), "--output");
}

/// What a run would refuse is not written.
void read_back(const CalibratedEntry& made, const std::string& text, const std::string& file) {
  sim::Faults faults;
  platforms::Catalog().add(text, file, made.kind, faults);
  faults.throw_if_any();
}

int run_calibrate(const CalibrateArguments& a, const Surroundings& surroundings) {
  CalibrateOptions options = a.options;
  options.table = a.table;
  if (!options.table.has_filename()) options.table = options.table.parent_path();  // "my-gpu/"
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  complete(options, a.out, catalogs.platforms);
  keep_inputs(a.out, options.table);
  traces::OutputFile file(a.out);  // before the fit, which takes its time
  const CalibratedEntry chip = a.format == "llmservingsim" ? take_profile(options, catalogs.platforms)
                               : a.format == "mlenergy"    ? calibrate_power(options, catalogs.platforms)
                               : a.format == "serving"     ? calibrate_served(a, options, catalogs.platforms)
                                                           : calibrate(options, catalogs.platforms);
  const std::string entry = sim::to_text(chip.entry, 2);  // a path is any bytes
  read_back(chip, entry, a.out);
  fmt::format_to(file.out(), "{}\n", entry);
  file.commit();
  const char* end = chip.what.find('\n') == std::string::npos ? ". " : "\n";
  fmt::print(surroundings.out, "{}, {}{}Written to {}\n", options.base, chip.what, end, a.out);
  return kDone;
}

}  // namespace

void add_calibrate(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("calibrate", "brings measurements into a chip's or an engine's entry");
  const auto a = std::make_shared<CalibrateArguments>();
  sub->add_option(
         "PROFILE", a->table,
         "a table of kernels, .csv or .csv.xz, or a folder of such, as measure_gpu.py writes it; of a profile, "
         "the part of the names before _dense.csv, _attention.csv, …")
      ->required();
  sub->add_option(
         "--format", a->format,
         "aiconfigurator (default): tables, to which figures are fitted; llmservingsim: a profile of one "
         "model, taken as it is; mlenergy: watts of serving, to which the chip's power is fitted (how output "
         "lengths spread is read from output_length_distributions.json beside the table, if it is there); serving: "
         "concurrency, prompt_tokens, "
         "output_tokens, ttft_s, tpot_s of a benchmark, to which the chip's shares of its peaks are fitted, or, with "
         "-o DIR/engines/…, the engine's host times")
      ->option_text("NAME")
      ->check(one_of("--format", {"aiconfigurator", "llmservingsim", "mlenergy", "serving"}));
  sub->add_option("--chip", a->options.base,
                  "the chip whose peaks and other figures stay (default: the one that the entry's or the table's name "
                  "has in it)")
      ->option_text("NAME");
  sub->add_option("--name", a->options.name, "of the new entry (default: the chip's)")
      ->check(text("--name"))
      ->option_text("NAME");
  sub->add_option("--stack", a->options.stack, "the software it was measured with, for the entry's sources")
      ->check(text("--stack"))
      ->option_text("TEXT");
  sub->add_option("--precision", a->options.precision, "of a table: bf16 (default), fp8, …; of a folder: all it has")
      ->option_text("NAME");
  sub->add_option("--model", a->options.model,
                  "of a profile or a benchmark: the model it is of (default: taken from the file name)")
      ->option_text("NAME");
  sub->add_option("--tp", a->options.tp,
                  "of a profile or a benchmark: its tensor parallelism (default: taken from the file name, or 1)")
      ->check(whole_number("--tp", 1, 4096))
      ->option_text("N");
  sub->add_option("--engine", a->options.engine, "of a benchmark: the engine that served (default vllm)")
      ->option_text("NAME");
  sub->add_flag(
      "--lower", a->options.lower,
      "of collectives: keep the chip's own times at the sizes where they are lower, as an engine that has both");
  sub->add_option("-o,--output", a->out, "the entry's file; its folder's parent goes to --catalog")
      ->required()
      ->option_text("FILE.json")
      ->check(output_file("--output"));
  add_catalog_option(*sub, a->catalogs);
  sub->footer(
      "  tokenyard calibrate my-gpu --chip h100-sxm --name my-h100 -o mine/chips/my-h100.json\n"
      "  tokenyard calibrate my_gemm.csv --chip h100-sxm --name my-h100 -o mine/chips/my-h100.json\n"
      "  tokenyard calibrate profiles/llama_tp1 --format llmservingsim --model llama-3.1-8b --chip rtx-pro-6000 -o "
      "mine/chips/rtx.json\n"
      "  tokenyard calibrate llm_serving_h100.csv --format mlenergy --chip h100-sxm -o mine/chips/h100-sxm.json\n"
      "  tokenyard calibrate bench.csv --format serving --chip h100-sxm --model llama-3.1-8b --engine vllm-0.18 --name "
      "my-vllm -o mine/engines/my-vllm.json\n"
      "  tokenyard run scenario.json --catalog mine");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return run_calibrate(*a, s); }; });
}

}  // namespace tokenyard::analysis
