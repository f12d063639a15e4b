/// `tokenyard calibrate`: a chip's or an engine's entry fitted to a measured table.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/calibrate/serving_calibration.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/option_checks.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

struct CalibrateArguments {
  CalibrateOptions options;
  std::string table, format = "aiconfigurator", out;
  std::vector<std::string> catalogs;
};

/// What a benchmark is to explain, the chip or the engine, follows from where the entry is to lie.
CalibratedEntry calibrate_served(const CalibrateArguments& a, const CalibrateOptions& options,
                                 const platforms::Catalog& catalog) {
  const std::string folder = std::filesystem::absolute(a.out).parent_path().filename().string();
  if (folder == "engines") return calibrate_engine(options, catalog);
  if (folder == "chips") return calibrate_served_chip(options, catalog);
  throw sim::InputError({"", "--output", '"' + a.out + '"',
                         "a file in a folder \"engines\", for the engine's host times, or \"chips\", for what the chip "
                         "reaches of its peaks"});
}

/// What a run would refuse is not written.
void read_back(const CalibratedEntry& made, const std::string& text, const std::string& file) {
  sim::Faults faults;
  platforms::Catalog().add(text, file, made.kind, faults);
  faults.throw_if_any();
}

int run_calibrate(const CalibrateArguments& a, const Surroundings& surroundings) {
  if (a.format != "aiconfigurator" && a.format != "llmservingsim" && a.format != "mlenergy" && a.format != "serving") {
    throw sim::InputError({"", "--format", '"' + a.format + '"', "aiconfigurator, llmservingsim, mlenergy or serving"});
  }
  CalibrateOptions options = a.options;
  options.table = a.table;
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  traces::OutputFile file(a.out);  // before the fit, which takes its time
  const CalibratedEntry chip = a.format == "llmservingsim" ? take_profile(options, catalogs.platforms)
                               : a.format == "mlenergy"    ? calibrate_power(options, catalogs.platforms)
                               : a.format == "serving"     ? calibrate_served(a, options, catalogs.platforms)
                                                           : calibrate(options, catalogs.platforms);
  const std::string entry = chip.entry.dump(2, ' ', false, sim::Json::error_handler_t::replace);  // a path is any bytes
  read_back(chip, entry, a.out);
  fmt::format_to(file.out(), "{}\n", entry);
  file.commit();
  fmt::print(surroundings.out, "{}, {}. Written to {}\n", options.base, chip.what, a.out);
  return kDone;
}

}  // namespace

void add_calibrate(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("calibrate", "brings measurements into a chip's or an engine's entry");
  const auto a = std::make_shared<CalibrateArguments>();
  sub->add_option("PROFILE", a->table,
                  "a table of kernels, .csv or .csv.xz; of a profile, the part of the names before _dense.csv, "
                  "_attention.csv, …")
      ->required();
  sub->add_option(
         "--format", a->format,
         "aiconfigurator (default): one table, to which figures are fitted; llmservingsim: a profile of one "
         "model, taken as it is; mlenergy: watts of serving, to which the chip's power is fitted (how output "
         "lengths spread is read from output_length_distributions.json beside the table, if it is there); serving: "
         "concurrency, prompt_tokens, "
         "output_tokens, ttft_s, tpot_s of a benchmark, to which the engine's host times (-o DIR/engines/…) or "
         "the chip's shares of its peaks (-o DIR/chips/…) are fitted")
      ->option_text("NAME");
  sub->add_option("--chip", a->options.base, "the chip whose peaks and other figures stay")
      ->required()
      ->option_text("NAME");
  sub->add_option("--name", a->options.name, "of the new entry (default: the chip's)")
      ->check(text("--name"))
      ->option_text("NAME");
  sub->add_option("--stack", a->options.stack, "the software it was measured with, for the entry's sources")
      ->check(text("--stack"))
      ->option_text("TEXT");
  sub->add_option("--precision", a->options.precision, "bf16 (default), fp8, …")->option_text("NAME");
  sub->add_option("--model", a->options.model, "of a profile or a benchmark: the model it is of")->option_text("NAME");
  sub->add_option("--tp", a->options.tp, "of a profile or a benchmark: its tensor parallelism (default 1)")
      ->check(whole_number("--tp", 1, 4096))
      ->option_text("N");
  sub->add_option("--engine", a->options.engine, "of a benchmark: the engine that served (default vllm)")
      ->option_text("NAME");
  sub->add_flag(
      "--lower", a->options.lower,
      "of collectives: keep the chip's own times at the sizes where they are lower, as an engine that has both");
  sub->add_option("-o,--output", a->out, "the entry's file; its folder's parent goes to --catalog")
      ->required()
      ->option_text("FILE.json");
  sub->add_option("--catalog", a->catalogs, kCatalogHelp)->option_text("DIR")->expected(1)->take_all();
  sub->footer(
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
