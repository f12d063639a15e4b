#include "analysis/campaign/slurm.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/faults.hpp"
#include "sim/input/shell_quoted.hpp"

namespace tokenyard::analysis {

std::size_t slurm_tasks(std::size_t runs) {
  constexpr std::size_t kRunsPerTask = 50, kMostTasks = 500;
  return std::clamp<std::size_t>((runs + kRunsPerTask - 1) / kRunsPerTask, 1, kMostTasks);
}

std::string slurm_script(const SlurmArray& array) {
  using sim::shell_quoted;
  std::string catalogs;
  for (const std::string& folder : array.catalogs) catalogs += " --catalog " + shell_quoted(folder);
  for (const std::string& path : {array.campaign, array.folder}) {
    if (path.find('\n') != std::string::npos)
      throw sim::InputError({path, "", "a line break in the path", "a path that Slurm's lines can hold"});
  }
  return fmt::format(R"(#!/bin/sh
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --output={log}
# Submit:  sbatch {script}
# Then:    {program} campaign merge {campaign} --out {folder}
# Submitted again, it runs only what is missing. Options of your site (--partition, --time, --cpus-per-task) may follow here
# or on sbatch's command line.
exec {program} campaign run {campaign} --out {folder}{catalogs} \
  --shard "$SLURM_ARRAY_TASK_ID/{tasks}" --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --quiet
)",
                     fmt::arg("name", array.name), fmt::arg("tasks", array.tasks),
                     fmt::arg("log", shell_quoted(array.folder + "/slurm-%A_%a.log")),
                     fmt::arg("script", shell_quoted(array.folder + "/campaign.sbatch")),
                     fmt::arg("program", shell_quoted(array.program)),
                     fmt::arg("campaign", shell_quoted(array.campaign)), fmt::arg("folder", shell_quoted(array.folder)),
                     fmt::arg("catalogs", catalogs));
}

}  // namespace tokenyard::analysis
