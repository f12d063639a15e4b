#pragma once
/// report.html: one run as a page that a person reads top-down: answer, why, evidence.
///
/// The page holds everything it needs: no request leaves it, it opens from the disk, prints, follows the reader's light
/// or dark scheme and fits a phone. Charts and tables are plain SVG and HTML; the script only shows values under the
/// pointer. It is made from manifest.json, summary.json and series.csv alone, and the same three files give the same
/// bytes. Size: below 1.5 MB however long the run was.
///
///   simulate(…);  write_report("results/demo");   // results/demo/report.html

#include <filesystem>

namespace tokenyard::analysis {

/// (Re)builds report.html in the folder. Throws sim::InputError if the folder holds no result, naming the files that
/// are missing or faulty, and traces::OutputError if the page cannot be written.
void write_report(const std::filesystem::path& result_folder);

}  // namespace tokenyard::analysis
