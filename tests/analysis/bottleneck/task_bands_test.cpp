#include "analysis/bottleneck/task_bands.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::Cause;
using sim::Time;

namespace {

platforms::CauseTimes task(double decode_s, double human_s) {
  platforms::CauseTimes causes;
  causes[Cause::kDecode] = Time::seconds(decode_s);
  causes[Cause::kHuman] = Time::seconds(human_s);
  return causes;
}

double of(const TaskBand& band, Cause cause) { return band.causes_s[static_cast<std::size_t>(cause)]; }

/// A thousand tasks of 1.001 to 2 s of decoding, of which the last fifty wait 100 s for a person.
TaskBands thousand() {
  TaskBands tasks;
  for (int i = 1; i <= 1000; ++i) tasks.add(task(1 + i / 1000.0, i > 950 ? 100 : 0));
  return tasks;
}

}  // namespace

TEST_CASE("Task bands: the median task and the slowest have causes of their own") {
  const TaskBands tasks = thousand();
  REQUIRE(tasks.count() == 1000);
  const TaskBand median = tasks.band(0.45, 0.55), slowest = tasks.band(0.98, 1);
  CHECK(median.tasks == Approx(100));
  CHECK(median.task_s() == Approx(1.5).epsilon(0.016));  // within a bucket
  CHECK(of(median, Cause::kHuman) == 0);
  CHECK(slowest.tasks == Approx(20));
  CHECK(of(slowest, Cause::kHuman) == Approx(100));
  CHECK(of(slowest, Cause::kDecode) == Approx(1.99).epsilon(0.016));
}

TEST_CASE("Task bands: all bands together are all tasks, merged or not") {
  const TaskBands whole = thousand();
  TaskBands merged;
  merged.merge(thousand());
  merged.merge(thousand());
  CHECK(merged.count() == 2000);
  CHECK(merged.band(0, 1).task_s() == Approx(whole.band(0, 1).task_s()));
  double sum = 0;
  for (int i = 0; i < 10; ++i) {
    const TaskBand band = whole.band(i / 10.0, (i + 1) / 10.0);
    sum += band.tasks * band.task_s();
  }
  CHECK(sum == Approx(1000 * 1.5005 + 50 * 100));
  CHECK(TaskBands().band(0, 1).tasks == 0);
}

TEST_CASE("Task bands: a task of no time, and one of a nanosecond") {
  TaskBands tasks;
  tasks.add({});
  platforms::CauseTimes brief;
  brief[Cause::kTool] = Time::nanoseconds(1);
  tasks.add(brief);
  CHECK(tasks.band(0, 0.5).task_s() == 0);
  CHECK(tasks.band(0.5, 1).task_s() == Approx(1e-9));
}
