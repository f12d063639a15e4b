#pragma once
/// A Slurm job array for a campaign: each array task is one shard, and a shard runs many simulations in one go, as
/// starting an array task costs seconds. Submitted again, the script runs only what is missing.

#include <cstddef>
#include <string>
#include <vector>

namespace tokenyard::analysis {

struct SlurmArray {
  std::string campaign;  ///< absolute paths: jobs start elsewhere
  std::string folder;
  std::string program;
  std::string name;
  std::vector<std::string> catalogs;
  std::size_t tasks = 1;
};

/// The array tasks for so many runs: some 50 runs each, at most 500 tasks (Slurm's own limit is 1001 by default).
std::size_t slurm_tasks(std::size_t runs);

/// The text of the sbatch script.
std::string slurm_script(const SlurmArray& array);

}  // namespace tokenyard::analysis
