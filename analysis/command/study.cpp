/// `tokenyard study`: the studies of the design, evaluated now.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/command/answer_folder.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/command/study_text.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/studies/findings.hpp"
#include "analysis/studies/page.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

struct StudyArguments {
  std::string name, out;
  std::vector<std::string> catalogs;
  bool list = false, all = false, quick = false, json = false, quiet = false;
};

Study find_study(const std::string& name) {
  if (!name.ends_with(".json")) return load_study(name);
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::load(name, faults);
  faults.throw_if_any();
  Study study = Study::read(file, faults);
  faults.throw_if_any();
  study.file = name;
  return study;
}

int list_studies(const StudyArguments& a, const Surroundings& surroundings) {
  if (a.json) {
    sim::Json list = sim::Json::array();
    for (const std::string& name : study_names()) {
      const Study study = load_study(name);
      list.push_back({{"name", name}, {"title", study.title}, {"question", study.question}});
    }
    fmt::print(surroundings.out, "{}\n", sim::to_text(list, 2));
    return kDone;
  }
  TextTable table({TextTable::kLeft, TextTable::kLeft});
  for (const std::string& name : study_names()) table.row({name, load_study(name).question});
  fmt::print(surroundings.out, "{}", table.text("  "));
  return kDone;
}

Findings examine(const Study& study, const Catalogs& catalogs, const StudyArguments& a, const Surroundings& s) {
  ProgressLine progress(s.err, !a.quiet);
  EvaluateOptions options;
  options.vary = !a.quick;
  options.progress = [&](std::size_t done, std::size_t known) {
    progress.show([&] { return fmt::format("{}: {} of {} simulated cases", study.name, done, known); });
  };
  return evaluate(study, catalogs, options);
}

int study(const StudyArguments& a, const Surroundings& surroundings) {
  if (a.list) return list_studies(a, surroundings);
  if (a.name.empty() == !a.all) {
    throw sim::InputError({"", "tokenyard study", a.all ? "a name beside --all" : "no name",
                           fmt::format("--list, --all, or one of {}", fmt::join(study_names(), ", "))});
  }
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  std::vector<Study> studies;
  if (a.all) {
    for (const std::string& name : study_names()) studies.push_back(load_study(name));
  } else {
    studies.push_back(find_study(a.name));
  }
  const std::filesystem::path out =
      a.out.empty() ? std::filesystem::path("results") / (a.all ? "studies" : "study-" + studies[0].name)
                    : std::filesystem::path(a.out);
  const AnswerFolder folder(out);
  surroundings.end_on_interrupt("Interrupted: nothing was kept.");
  std::vector<Findings> book;
  for (const Study& of : studies) {
    const Findings& findings = book.emplace_back(examine(of, catalogs.view(), a, surroundings));
    const sim::Json json = to_json(findings);
    folder.write(of.name + ".json", sim::to_text(json, 2) + '\n');
    surroundings.end_on_interrupt(
        fmt::format("Interrupted: of {} studies the findings of {} are kept in {}, without a page.", studies.size(),
                    book.size(), out.string()));
    if (a.json) {
      fmt::print(surroundings.out, "{}\n", sim::to_text(json, 2));
    } else if (!a.quiet) {
      fmt::print(surroundings.out, "{}", study_text(findings));
    }
  }
  const std::string page = a.all ? "studies.html" : studies[0].name + ".html";
  folder.write(page, studies_page(book, surroundings.command_line));
  if (!a.quiet && !a.json)
    fmt::print(surroundings.out, "\n  {}: {}\n", a.all ? "The book" : "The page", (out / page).string());
  return kDone;
}

}  // namespace

void add_study(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("study", "examines a claim by simulation: result, band, what would change it");
  const auto a = std::make_shared<StudyArguments>();
  sub->add_option("NAME", a->name, "a study, or a file of your own");
  sub->add_flag("--list", a->list, "lists the studies");
  sub->add_flag("--all", a->all, "all of them, as one book");
  sub->add_flag("--quick", a->quick, "the result alone: assumptions are not varied");
  sub->add_option("--out", a->out, "the folder for pages and figures (default: results/study-NAME, results/studies)")
      ->option_text("DIR");
  add_catalog_option(*sub, a->catalogs);
  sub->add_flag("--json", a->json, "prints the findings (with --list: the studies) as JSON");
  sub->add_flag("--quiet", a->quiet, "prints nothing");
  sub->footer(
      "  tokenyard study --list\n"
      "  tokenyard study token-surge\n"
      "  tokenyard study --all --out book");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return study(*a, s); }; });
}

}  // namespace tokenyard::analysis
