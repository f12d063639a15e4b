#pragma once
/// Campaigns of tiny simulations, in a folder that is removed with the test.

#include <nlohmann/json.hpp>

#include "analysis/campaign/local.hpp"
#include "analysis/campaign/tables.hpp"
#include "tests/analysis/scenario/test_catalogs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

namespace tokenyard::analysis {

inline const char* const kTinyScenario = R"({
  "name": "tiny", "seed": 7,
  "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]},
  "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 1}],
  "workload": {"requests": {"rate_per_s": 2, "prompt_tokens": {"dist": "lognormal", "median": 200, "sigma": 0.5},
                            "output_tokens": {"dist": "exponential", "mean": 20}}},
  "slo": {"ttft_s": 1}, "run": {"duration_s": 10}
})";

class CampaignFolder : public ScratchFolder {
 public:
  explicit CampaignFolder(const std::string& name) : ScratchFolder("campaign-" + name) {
    write("tiny.json", kTinyScenario);
  }

  std::string text(const std::filesystem::path& file) const { return whole_file(path / file); }
  /// A campaign of the tiny scenario; `keys`: the rest of its JSON object.
  Campaign campaign(const std::string& keys) const {
    write("campaign.json", "{\"scenario\": \"tiny.json\"" + (keys.empty() ? "" : ", " + keys) + "}");
    sim::Faults faults;
    Campaign read = Campaign::read(path / "campaign.json", {}, faults);
    for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
    return read;
  }
  /// What reading it complains of.
  std::string faults(const std::string& keys) const {
    write("campaign.json", "{" + keys + "}");
    sim::Faults faults;
    Campaign::read(path / "campaign.json", {}, faults);
    std::string all;
    for (const sim::Fault& fault : faults.list())
      all += fault.place + ": " + fault.found + " | " + fault.allowed + "\n";
    return all;
  }
};

/// Runs what is missing into FOLDER/`out`.
inline CampaignTally run_here(const Campaign& campaign, const std::filesystem::path& out, LocalOptions options = {}) {
  check_missing(campaign, TestCatalogs::get().view(), out / options.shard.file(), options.shard, options.settled);
  const ResultLock lock(out, options.shard);
  Results results(out / options.shard.file(), Database::Mode::kWrite);
  results.adopt(campaign);
  const CampaignTally tally = run_locally(campaign, TestCatalogs::get().view(), results, lock, options);
  results.close_log();
  return tally;
}

/// Everything in a result file but `provenance`, row by row.
inline std::string dump(const std::filesystem::path& file) {
  Database db(file, Database::Mode::kRead);
  std::string all;
  for (const char* table :
       {"SELECT name, value FROM campaign ORDER BY name", "SELECT cell, factors FROM cells ORDER BY cell",
        "SELECT key, cell || '/' || repetition || '/' || seed || '/' || failure || '/' || message || '/' || "
        "coalesce(outputs, '-') FROM runs ORDER BY key"}) {
    Statement select = db.prepare(table);
    select.bind_all();
    while (select.step()) all += select.text(0) + '|' + select.text(1) + '\n';
  }
  return all;
}

inline std::size_t count_runs(const std::filesystem::path& file) {
  std::size_t count = 0;
  Results(file, Database::Mode::kRead).each_run([&](const StoredRun&) { ++count; });
  return count;
}

}  // namespace tokenyard::analysis
