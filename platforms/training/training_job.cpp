#include "platforms/training/training_job.hpp"

#include <algorithm>

namespace tokenyard::platforms {

using sim::Time;

namespace {

constexpr std::uint64_t kFirstEntity = std::uint64_t{1} << 34;  // beyond those of replicas and tasks

}  // namespace

TrainingJob::TrainingJob(sim::Simulation& simulation, sim::Network& network, TrainingOptions options,
                         std::uint64_t number)
    : simulation_(simulation), network_(network), options_(std::move(options)), entity_{kFirstEntity + number} {}

void TrainingJob::start() { begin_step(); }

void TrainingJob::begin_step() {
  begin_ = simulation_.now();
  if (begin_ >= options_.until) return;
  const bool reduces = options_.hosts.size() > 1 && options_.gradient_bytes > 0;
  waiting_ = 1 + (reduces ? options_.hosts.size() : 0);
  // At least the clock's resolution: a job always gets on.
  computed_ = begin_ + std::max(Time::seconds(options_.step_compute_s), Time::nanoseconds(1));
  simulation_.schedule(computed_, sim::Priority::kStepEnd, entity_, *this, kComputed);
  if (!reduces) return;
  const Time reduce = begin_ + Time::seconds(options_.step_compute_s * (1 - options_.overlap));
  simulation_.schedule(reduce, sim::Priority::kWake, entity_, *this, kReduce);
}

void TrainingJob::send_gradients() {
  const std::size_t workers = options_.hosts.size();
  const double bytes = 2 * options_.gradient_bytes * static_cast<double>(workers - 1) / static_cast<double>(workers);
  for (std::size_t i = 0; i < workers; ++i) {
    network_.transfer({.from = options_.hosts[i],
                       .to = options_.hosts[(i + 1) % workers],
                       .bytes = bytes,
                       .on_delivered = this,
                       .argument = kDelivered,
                       .entity = &entity_});
    done_.bytes += bytes;
  }
}

void TrainingJob::on_event(Time now, std::uint64_t what) {
  if (what == kReduce) return send_gradients();
  if (--waiting_ > 0) return;
  ++done_.steps;
  done_.time += now - begin_;
  done_.exposed += now - computed_;
  begin_step();
}

}  // namespace tokenyard::platforms
