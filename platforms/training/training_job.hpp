#pragma once
/// A training job beside the serving pools: data-parallel workers that compute a step, then all-reduce its gradients
/// over the network, where they share links with whatever else moves.
///
/// A worker is a group of chips with a copy of the model (tensor- and pipeline-parallel inside), one host of the
/// network. A step's
///   compute = 6 · active parameters · tokens of the step / (chips · peak FLOP/s · MFU)
/// (Kaplan et al. 2020: two for the forward pass and four for the backward pass), and its gradients go round a ring:
/// each worker sends 2 · (workers - 1) / workers · parameters · bytes of a gradient to the next, as one flow, which is
/// the ring algorithm's traffic without its 2 · (workers - 1) latencies. A share `overlap` of the compute time may hide
/// it: the flows start at compute · (1 - overlap), the step ends when both are done. The slowest flow holds up all.
///
/// A step that begins before `until` is finished. Cost: one flow per worker and step, two events per step.
///
///   TrainingJob job(simulation, network, options);
///   job.start();
///   job.done().steps;

#include <string>
#include <vector>

#include "sim/core/simulation.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::platforms {

struct TrainingOptions {
  std::string name;
  std::vector<sim::HostId> hosts;  ///< of each worker
  double step_compute_s = 0;
  double gradient_bytes = 0;  ///< of a whole model: what each worker has to reduce
  double overlap = 0;         ///< in [0, 1]
  double tokens_per_step = 0;
  sim::Time until;
};

class TrainingJob final : private sim::EventHandler {
 public:
  struct Done {
    std::int64_t steps = 0;
    sim::Time time;     ///< of those steps together
    sim::Time exposed;  ///< of it, waiting for gradients after the compute was over
    double bytes = 0;   ///< sent
  };

  /// `number` tells the jobs of a simulation apart.
  TrainingJob(sim::Simulation& simulation, sim::Network& network, TrainingOptions options, std::uint64_t number);
  void start();
  const Done& done() const { return done_; }
  const TrainingOptions& options() const { return options_; }

 private:
  enum : std::uint64_t { kReduce, kComputed, kDelivered };
  void begin_step();
  void on_event(sim::Time now, std::uint64_t what) override;
  void send_gradients();

  sim::Simulation& simulation_;
  sim::Network& network_;
  TrainingOptions options_;
  sim::Entity entity_;
  sim::Time begin_, computed_;
  std::size_t waiting_ = 0;  ///< for deliveries, and for the end of the compute
  Done done_;
};

}  // namespace tokenyard::platforms
