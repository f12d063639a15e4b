/// `tokenyard campaign`.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <thread>

#include "analysis/campaign/local.hpp"
#include "analysis/campaign/slurm.hpp"
#include "analysis/campaign/tables.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/page/human_number.hpp"
#include "sim/input/json.hpp"
#include "sim/input/shell_quoted.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

const std::vector<std::string> kActions = {"run", "list", "status", "merge", "export"};

struct CampaignArguments {
  std::string action, file, out, shard, emit;
  std::vector<std::string> catalogs;
  std::size_t jobs = 0;
  bool quiet = false, json = false;
};

Shard read_shard(const std::string& text, sim::Faults& faults) {
  if (text.empty()) return {};
  Shard shard;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%zu/%zu%c", &shard.index, &shard.of, &rest) != 2 || shard.index < 1 ||
      shard.index > shard.of || shard.of > kMostCells) {
    faults.add("", "--shard", '"' + text + '"', "K/N with K from 1 to N, as in 2/8");
    return {};
  }
  return shard;
}

std::string progress_text(const CampaignTally& tally) {
  const std::size_t ended = tally.done + tally.failed, settled = tally.before + ended, all = settled + tally.left;
  std::string text = fmt::format("{}  {} of {} runs",
                                 progress_bar(static_cast<double>(settled) / static_cast<double>(all)), settled, all);
  if (tally.failed > 0) text += fmt::format(", {} failed", tally.failed);
  if (ended > 0 && tally.left > 0)
    text += fmt::format(", about {} left",
                        duration_text(tally.elapsed_s / static_cast<double>(ended) * static_cast<double>(tally.left)));
  return text;
}

/// Empty where nothing is left.
std::string unfinished_text(const Campaign& campaign, const Agenda& agenda) {
  if (agenda.left() == 0) return {};
  return fmt::format("Unfinished: {} of {}{} runs are there; `tokenyard campaign run` does the rest.\n",
                     agenda.settled(), campaign.repetitions().fixed() ? "" : "at least ",
                     agenda.settled() + agenda.left());
}

class CampaignCommand {
 public:
  CampaignCommand(const CampaignArguments& arguments, const Surroundings& surroundings)
      : arguments_(arguments),
        surroundings_(surroundings),
        campaign_(read(arguments)),
        folder_(arguments.out.empty() ? std::filesystem::path("results") / campaign_.name()
                                      : std::filesystem::path(arguments.out)) {}

  int act() {
    if (arguments_.action == "run") return arguments_.emit.empty() ? run() : emit_slurm();
    if (arguments_.action == "list") return list();
    if (arguments_.action == "status") return status();
    return arguments_.action == "merge" ? merge() : export_csv();
  }

 private:
  Campaign read(const CampaignArguments& arguments) {
    sim::Faults faults;
    shard_ = read_shard(arguments.shard, faults);
    Campaign campaign = Campaign::read(arguments.file, {arguments.catalogs.begin(), arguments.catalogs.end()}, faults);
    faults.throw_if_any();
    return campaign;
  }

  /// What the result files of the folder hold of this campaign.
  SettledRuns settled() const {
    SettledRuns runs;
    for (const auto& file : result_files(folder_)) Results(file, Database::Mode::kRead).add_settled(campaign_, runs);
    return runs;
  }

  /// What a shard need not run, as an earlier merge has it.
  SettledRuns merged_before() const {
    SettledRuns runs;
    const std::filesystem::path merged = folder_ / Shard{}.file();
    if (shard_.whole() || !has_results(merged)) return runs;
    Results(merged, Database::Mode::kRead).add_settled(campaign_, runs);
    return runs;
  }

  int run() {
    const LoadedCatalogs catalogs = load_catalogs(arguments_.catalogs);
    check_missing(campaign_, catalogs.view(), folder_ / shard_.file(), shard_, merged_before());
    const ResultLock lock(folder_, shard_);
    Results results(folder_ / shard_.file(), Database::Mode::kWrite);
    results.adopt(campaign_);
    ProgressLine progress(surroundings_.err, !arguments_.quiet);
    LocalOptions options;
    options.jobs = arguments_.jobs > 0 ? arguments_.jobs : std::max(1U, std::thread::hardware_concurrency());
    options.shard = shard_;
    options.settled = merged_before();
    options.make_network = surroundings_.make_simgrid_network;
    options.version = TOKENYARD_VERSION;
    options.stop = surroundings_.interrupted;
    options.progress = [&](const CampaignTally& tally) { progress.show([&] { return progress_text(tally); }); };
    surroundings_.catch_interrupts();
    const CampaignTally tally = run_locally(campaign_, catalogs.view(), results, lock, options);
    results.close_log();
    progress.wipe();
    const std::size_t failures = results.failures();
    if (arguments_.json) {
      fmt::print(
          surroundings_.out, "{}\n",
          sim::to_text(
              counts_json(tally.before + tally.done + tally.failed - failures, failures, tally.left, tally.wide), 2));
    } else if (!arguments_.quiet) {
      fmt::print(surroundings_.out, "{}: {} runs now, {} before; {} failed, {} left. Results in {}\n", campaign_.name(),
                 tally.done + tally.failed, tally.before, failures, tally.left, (folder_ / shard_.file()).string());
      fmt::print(surroundings_.out, "{}", wide_text(campaign_, tally.wide));
    }
    if (failures > 0 && !arguments_.quiet) print_failures(results);
    if (tally.interrupted) {
      fmt::print(surroundings_.err,
                 "Interrupted: what was finished is kept, and the same command goes on from there.\n");
      return kInterrupted;
    }
    return failures > 0 ? kSomeFailed : kDone;
  }

  void print_failures(Results& results) {
    constexpr std::size_t kShown = 5;
    std::size_t count = 0;
    results.each_run([&](const StoredRun& run) {
      if (run.failure.empty() || ++count > kShown) return;
      fmt::print(surroundings_.err, "  failed: cell {}, repetition {}: {}: {}\n", run.id.cell, run.id.repetition,
                 run.failure, run.message);
    });
    if (count > kShown)
      fmt::print(surroundings_.err, "  … and {} more: tokenyard campaign export writes them all to runs.csv\n",
                 count - kShown);
  }

  int emit_slurm() {
    const SettledRuns runs = settled();
    const Agenda agenda(campaign_, runs, {});
    std::vector<std::string> catalogs;
    for (const std::string& folder : arguments_.catalogs)
      catalogs.push_back(std::filesystem::absolute(folder).string());
    std::filesystem::create_directories(folder_);
    traces::OutputFile script(folder_ / "campaign.sbatch");
    fmt::format_to(
        script.out(), "{}",
        slurm_script({std::filesystem::absolute(arguments_.file).string(), std::filesystem::absolute(folder_).string(),
                      std::filesystem::read_symlink("/proc/self/exe").string(), campaign_.name(), catalogs,
                      slurm_tasks(agenda.left())}));
    script.commit();
    if (!arguments_.quiet) {
      fmt::print(surroundings_.out, "{} for {}. Submit with: sbatch {}\n",
                 counted(static_cast<double>(slurm_tasks(agenda.left())), "array task", "array tasks"),
                 counted(static_cast<double>(agenda.left()), "run", "runs"), sim::shell_quoted(script.path().string()));
    }
    return kDone;
  }

  int list() {
    const SettledRuns runs = settled();
    const Agenda agenda(campaign_, runs, shard_);
    sim::Json rows = sim::Json::array();
    for (const RunId run : agenda.ready()) {
      std::string factors;
      sim::Json values = sim::Json::object();
      for (const auto& [pointer, value] : campaign_.factors(run.cell)) {
        factors += fmt::format("  {}={}", campaign_.column(pointer), sim::shown(value));
        values[pointer] = value;
      }
      if (arguments_.json) {
        rows.push_back({{"cell", run.cell},
                        {"repetition", run.repetition},
                        {"seed", campaign_.seed(run)},
                        {"key", campaign_.key(run)},
                        {"factors", values}});
      } else {
        fmt::print(surroundings_.out, "cell {} repetition {} seed {}{}\n", run.cell, run.repetition,
                   campaign_.seed(run), factors);
      }
    }
    if (arguments_.json) {
      fmt::print(surroundings_.out, "{}\n", sim::to_text(rows, 2));
    } else if (!arguments_.quiet) {
      const Repetitions& repetitions = campaign_.repetitions();
      fmt::print(surroundings_.err, "{} runs to do in {} cells, {} done{}{}\n", agenda.left(), campaign_.cells(),
                 agenda.settled(),
                 campaign_.duplicates() > 0
                     ? fmt::format("; {} cells are left out, as they are equal to others", campaign_.duplicates())
                     : "",
                 repetitions.fixed()
                     ? ""
                     : fmt::format("; up to {} repetitions a cell, until {} is within {:.3g} %", repetitions.maximum,
                                   repetitions.metric, repetitions.half_width * 100));
    }
    return kDone;
  }

  /// `wide`: cells that stopped at `max` repetitions with too wide an interval.
  static sim::Json counts_json(std::size_t done, std::size_t failed, std::size_t missing, std::size_t wide) {
    return {{"done", done}, {"failed", failed}, {"missing", missing}, {"wide_cells", wide}};
  }

  int status() {
    const SettledRuns runs = settled();
    const Agenda agenda(campaign_, runs, shard_);
    std::set<std::string> failed;
    for (const auto& file : result_files(folder_)) {
      Results results(file, Database::Mode::kRead);
      if (!results.is_of(campaign_)) continue;
      results.each_run([&](const StoredRun& run) {
        const auto known = runs.find(run.key);
        if (!run.failure.empty() && (known == runs.end() || !known->second.done)) failed.insert(run.key);
      });
    }
    double run_s = 0;
    std::size_t done = 0;
    for (const auto& [key, run] : runs) {
      if (!run.done) continue;
      run_s += run.wall_s;
      ++done;
    }
    const auto jobs =
        static_cast<double>(arguments_.jobs > 0 ? arguments_.jobs : std::max(1U, std::thread::hardware_concurrency()));
    const sim::Json left_s =
        done > 0 ? sim::Json(run_s / static_cast<double>(done) * static_cast<double>(agenda.left()) / jobs)
                 : sim::Json(nullptr);
    if (arguments_.json) {
      sim::Json json = counts_json(done, failed.size(), agenda.left(), agenda.wide());
      json["left_s"] = left_s;
      fmt::print(surroundings_.out, "{}\n", sim::to_text(json, 2));
    } else {
      fmt::print(surroundings_.out, "{}: {} done, {} failed, {}{} missing", campaign_.name(), done, failed.size(),
                 campaign_.repetitions().fixed() || agenda.left() == 0 ? "" : "at least ", agenda.left());
      if (agenda.left() > 0 && done > 0)
        fmt::print(surroundings_.out, "; about {} on {}", duration_text(left_s),
                   counted(static_cast<double>(jobs), "core", "cores"));
      fmt::print(surroundings_.out, "\n{}", wide_text(campaign_, agenda.wide()));
    }
    return kDone;
  }

  int merge() {
    if (result_files(folder_).empty())
      throw sim::InputError({folder_.string(), "", "no results", "the folder in which shards ran (--out)"});
    const ResultLock lock(folder_, {});
    Results results(folder_ / Shard{}.file(), Database::Mode::kWrite);
    results.adopt(campaign_);
    std::size_t shards = 0;
    for (const auto& file : result_files(folder_)) {
      if (file.filename() == Shard{}.file()) continue;
      results.merge(file);
      ++shards;
    }
    results.close_log();
    SettledRuns runs;
    results.add_settled(campaign_, runs);
    const Agenda agenda(campaign_, runs, {});
    const std::size_t failures = results.failures();
    if (!arguments_.quiet) {
      fmt::print(surroundings_.out, "{} shards merged into {}: {} runs settled, {} missing, {} failed\n", shards,
                 (folder_ / Shard{}.file()).string(), agenda.settled(), agenda.left(), failures);
    }
    return failures > 0 ? kSomeFailed : kDone;
  }

  int export_csv() {
    const std::filesystem::path file = folder_ / Shard{}.file();
    if (!has_results(file))
      throw sim::InputError({file.string(), "", std::filesystem::exists(file) ? "no results yet" : "no such file",
                             "the results of `tokenyard campaign run`, or of `merge` after shards"});
    Results results(file, Database::Mode::kRead);
    if (!results.is_of(campaign_))
      throw sim::InputError(
          {file.string(), "", "the results of another form of this campaign", "`tokenyard campaign run` first"});
    SettledRuns runs;
    results.add_settled(campaign_, runs);
    const Agenda agenda(campaign_, runs, {});
    export_tables(campaign_, results, folder_);
    if (!arguments_.quiet) {
      fmt::print(surroundings_.out, "{}, aggregates.csv and differences.csv\n{}{}", (folder_ / "runs.csv").string(),
                 unfinished_text(campaign_, agenda), wide_text(campaign_, agenda.wide()));
    }
    return kDone;
  }

  const CampaignArguments& arguments_;
  const Surroundings& surroundings_;
  Shard shard_;
  Campaign campaign_;
  std::filesystem::path folder_;
};

}  // namespace

void add_campaign(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("campaign", "many simulations: a scenario, factors that vary, repetitions");
  const auto a = std::make_shared<CampaignArguments>();
  sub->add_option("ACTION", a->action,
                  "run: what is missing; list: what would run; status; merge: shards; export: to CSV")
      ->required()
      ->check(one_of("ACTION", kActions));
  sub->add_option("CAMPAIGN", a->file, "the campaign, a JSON file (tokenyard schema campaign)")->required();
  sub->add_option("--out", a->out, "the result folder (default: results/NAME)")->option_text("DIR");
  sub->add_option("--jobs", a->jobs, "simulations at a time (default: one per core)")
      ->option_text("N")
      ->check(whole_number("--jobs", 1, 100000));
  sub->add_option("--shard", a->shard, "only part K of N, into a file of its own for merge")->option_text("K/N");
  sub->add_option("--emit", a->emit, "writes a job array for many nodes instead of running")
      ->option_text("slurm")
      ->check(one_of("--emit", {"slurm"}));
  add_catalog_option(*sub, a->catalogs);
  sub->add_flag("--json", a->json, "prints counts or the list as JSON");
  sub->add_flag("--quiet", a->quiet, "prints nothing");
  sub->footer(
      "  tokenyard campaign run campaign.json --jobs 8       # again after a kill: only what is missing runs\n"
      "  tokenyard campaign run campaign.json --emit slurm   # a job array for many nodes\n"
      "  tokenyard campaign export campaign.json             # runs.csv, aggregates.csv, differences.csv");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return CampaignCommand(*a, s).act(); }; });
}

}  // namespace tokenyard::analysis
