/// `tokenyard report`: the page of a result folder, built again.

#include "analysis/report/report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"

namespace tokenyard::analysis {

void add_report(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("report", "(re)builds report.html of a result folder");
  const auto folder = std::make_shared<std::string>();
  sub->add_option("DIR", *folder, "the result folder of a run")->required();
  sub->footer("  tokenyard report results/demo");
  sub->callback([folder, &chosen] {
    chosen = [folder](const Surroundings& s) {
      write_report(*folder);
      fmt::print(s.out, "{}\n", (std::filesystem::path(*folder) / "report.html").string());
      return kDone;
    };
  });
}

}  // namespace tokenyard::analysis
