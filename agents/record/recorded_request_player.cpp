#include "agents/record/recorded_request_player.hpp"

namespace tokenyard::agents {

RecordedRequestPlayer::RecordedRequestPlayer(sim::Simulation& simulation, platforms::FrontDoor& door,
                                             RequestSource& source, std::uint32_t pool)
    : simulation_(simulation), door_(door), source_(source), pool_(pool) {}

void RecordedRequestPlayer::pull() {
  next_ = requests_.take();
  if (!source_.next(requests_[next_])) {
    exhausted_ = true;
    if (on_last_) on_last_();
    return;
  }
  simulation_.schedule(requests_[next_].arrival, sim::Priority::kArrival, entity_, *this, next_);
}

void RecordedRequestPlayer::on_event(sim::Time, std::uint64_t argument) {
  const RecordedRequest& recorded = requests_[static_cast<std::uint32_t>(argument)];
  platforms::CallRequest request;
  request.task = request.entity = tasks_++;
  request.task_arrival = simulation_.now();
  ++in_flight_;
  request.pool = pool_;
  request.prompt = recorded.prompt;
  request.output_tokens = recorded.output_tokens;
  request.listener = this;
  request.cookie = argument;
  pull();  // before the call: it may end at once, and its slot be reused
  door_.submit(request);
}

void RecordedRequestPlayer::on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) {
  TaskRecord task;
  task.task = record.task;
  task.arrival = record.arrival;
  task.finish = record.finish;
  task.status = record.status;
  task.add(record);
  task.causes = record.causes;
  requests_.give_back(static_cast<std::uint32_t>(cookie));
  --in_flight_;
  door_.forget(record.task);
  for (TaskObserver* observer : observers_) observer->on_task(task);
}

}  // namespace tokenyard::agents
