#pragma once
/// A campaign's results as CSV. `runs.csv`: one row for each run, with its factors and outputs as columns.
/// `aggregates.csv`: one row for each cell and output, over the repetitions that have the number. `differences.csv`: one
/// for each cell but the first and each output, over the repetitions that ran under a seed of the first cell and so saw
/// the same work (common random numbers): base (the first cell's mean), mean, and the mean of the paired differences.
///
///   runs.csv        cell,repetition,seed,FACTORS…,status,message,OUTPUTS…,key
///   aggregates.csv  cell,FACTORS…,output,runs,mean,deviation,low_95,high_95
///   differences.csv cell,FACTORS…,output,pairs,base,mean,difference,low_95,high_95
///
/// The 95 % intervals are Student's; those of shares (attainment, busy, hit rates, …) are clipped to [0, 1]. Numbers
/// have as many digits as it takes to read them back exactly; what does not exist is empty.

#include <filesystem>

#include "analysis/campaign/results.hpp"

namespace tokenyard::analysis {

/// Writes the files into the folder.
void export_tables(const Campaign& campaign, Results& results, const std::filesystem::path& folder);

}  // namespace tokenyard::analysis
