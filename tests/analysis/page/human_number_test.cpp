#include "analysis/page/human_number.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("numbers are written as a person reads them") {
  const auto [value, unit, text] = GENERATE(table<double, Unit, const char*>({
      {0, Unit::kCount, "0"},
      {7, Unit::kCount, "7"},
      {6.4, Unit::kCount, "6.40"},
      {1234, Unit::kCount, "1,234"},
      {9999, Unit::kCount, "9,999"},
      {41'234, Unit::kCount, "41.2\u00a0k"},
      {999'600, Unit::kCount, "1.00\u00a0M"},
      {2e9, Unit::kCount, "2\u00a0G"},
      {4.8e16, Unit::kCount, "48,000\u00a0T"},
      {0.452, Unit::kPerSecond, "0.452/s"},
      {0, Unit::kSeconds, "0\u00a0s"},
      {0.0831, Unit::kSeconds, "83.1\u00a0ms"},
      {1.234, Unit::kSeconds, "1.23\u00a0s"},
      {0.9996, Unit::kSeconds, "1.00\u00a0s"},
      {95, Unit::kSeconds, "95\u00a0s"},
      {600, Unit::kSeconds, "10\u00a0min"},
      {9000, Unit::kSeconds, "2.50\u00a0h"},
      {3e-6, Unit::kSeconds, "3\u00a0µs"},
      {0, Unit::kShare, "0\u00a0%"},
      {0.6, Unit::kShare, "60\u00a0%"},
      {0.9644, Unit::kShare, "96.4\u00a0%"},
      {1, Unit::kShare, "100\u00a0%"},
      {0.99996, Unit::kShare, "over\u00a099.9\u00a0%"},
      {0.00001, Unit::kShare, "under\u00a00.01\u00a0%"},
      {0.0123, Unit::kUsd, "$0.0123"},
      {0.056, Unit::kUsd, "$0.056"},
      {18.5, Unit::kUsd, "$18.50"},
      {0, Unit::kUsd, "$0"},
      {12'345, Unit::kUsd, "$12,345"},
      {9.1e-5, Unit::kUsd, "$0.000091"},
      {17'510, Unit::kWatts, "17.5\u00a0kW"},
      {0.38, Unit::kJoules, "380\u00a0mJ"},
      {7.12e11, Unit::kBytes, "712\u00a0GB"},
      {512, Unit::kBytes, "512\u00a0B"},
      {-2, Unit::kCount, "−2"},
  }));
  CHECK(human_number(value, unit) == text);
}

TEST_CASE("things that were counted are exact below a million") {
  CHECK(counted_number(13'493) == "13,493");
  CHECK(counted_number(234'780) == "234,780");
  CHECK(counted_number(4'140'000) == "4.14\u00a0M");
  CHECK(counted_number(12) == "12");
  CHECK(counted_number(std::nullopt) == "–");
  CHECK(counted(13'493, "task", "tasks") == "13,493\u00a0tasks");
  CHECK(counted(1, "task", "tasks") == "one task");
}

TEST_CASE("values of JSON are written as other numbers, and counts to the last digit") {
  CHECK(duration_text(864'000) == "10\u00a0d");
  CHECK(share_text(0.9996) == "over\u00a099.9\u00a0%");
  CHECK(share_text(0.9725) == "97.2\u00a0%");
  CHECK(quantity_text(12345.0) == "12.3\u00a0k");
  CHECK(quantity_text(0.5) == "0.5");
  CHECK(count_text(36'457'321) == "36,457,321");
  CHECK(count_text(-1234) == "−1,234");
  CHECK(count_text(7) == "7");
}

TEST_CASE("a share has its interval before the unit") {
  CHECK(share_text(0.991, 0.002) == "99.1\u00a0±0.2\u00a0%");
  CHECK(share_text(0.991, std::nullopt) == "99.1\u00a0%");
  CHECK(share_text(0.9996, 0.0001) == "over\u00a099.9\u00a0±0.0\u00a0%");
  CHECK(share_text(1, 0.0) == "100.0\u00a0±0.0\u00a0%");
}

TEST_CASE("a number that does not exist is a dash") {
  CHECK(duration_text(nullptr) == "–");
  CHECK(count_text(nullptr) == "–");
  CHECK(quantity_text("none") == "–");
  CHECK(human_number(std::nullopt, Unit::kUsd) == "–");
  CHECK(human_number(std::numeric_limits<double>::infinity(), Unit::kWatts) == "–");
}

TEST_CASE("keys of the summary tell their unit and their words") {
  CHECK(unit_of("ttft_s") == Unit::kSeconds);
  CHECK(unit_of("goodput_tasks_per_s") == Unit::kPerSecond);
  CHECK(unit_of("attainment_calls") == Unit::kShare);
  CHECK(unit_of("usd_per_completed_task") == Unit::kUsd);
  CHECK(unit_of("prompt_tokens") == Unit::kCount);
  CHECK(words_of("prompt_tokens_per_task") == "prompt tokens per task");
  CHECK(words_of("kv_transfer") == "KV transfer");
}
