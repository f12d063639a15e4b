#include "analysis/campaign/slurm.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace tokenyard::analysis {
namespace {

/// As the shell takes it whole.
std::string quoted(const std::string& text) {
  std::string inside = "'";
  for (const char c : text) inside += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return inside + "'";
}

}  // namespace

std::size_t slurm_tasks(std::size_t runs) {
  constexpr std::size_t kRunsPerTask = 50, kMostTasks = 500;
  return std::clamp<std::size_t>((runs + kRunsPerTask - 1) / kRunsPerTask, 1, kMostTasks);
}

std::string slurm_script(const SlurmArray& array) {
  return fmt::format(R"(#!/bin/sh
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --output={folder}/slurm-%A_%a.log
# Submit:  sbatch {script}
# Then:    {program} campaign merge {campaign} --out {quoted_folder}
# Submitted again, it runs only what is missing. Options of your site (--partition, --time, --cpus-per-task) may follow here
# or on sbatch's command line.
exec {program} campaign run {campaign} --out {quoted_folder}{catalogs} \
  --shard "$SLURM_ARRAY_TASK_ID/{tasks}" --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --quiet
)",
                     fmt::arg("name", array.name), fmt::arg("tasks", array.tasks), fmt::arg("folder", array.folder),
                     fmt::arg("script", quoted(array.folder + "/campaign.sbatch")),
                     fmt::arg("program", quoted(array.program)), fmt::arg("campaign", quoted(array.campaign)),
                     fmt::arg("quoted_folder", quoted(array.folder)), fmt::arg("catalogs", array.catalogs));
}

}  // namespace tokenyard::analysis
