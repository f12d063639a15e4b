#pragma once
/// The one file that knows which SimGrid this is: 3.32 (Debian 12), with the branches that later versions need where
/// they are known. Include it only in the .cpp files of this folder.
///
/// What differs: names of settings (3.34), completion signals per class (3.34), a root zone that is already there and
/// add_* instead of create_* (4.0), a network model without TCP's corrections (3.36). A zone of one's own routes, the
/// kernel timer and `next_occurring_event` have been the same since 2021.
///
/// Why these settings: transfers between accelerators are no TCP streams. CM02 without cross-traffic, without TCP's
/// window (gamma) and with zero latencies is max-min fairness and nothing else; the defaults are wrong by 2x to 13x.
/// The precision decides which ends are snapped to a clock stop: with 1e-12 s, running ahead visits fewer stops and
/// gives the same dates.
///
///   compat::silence();
///   simgrid::s4u::Engine* engine = compat::make_engine();

#include <algorithm>
#include <csignal>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/kernel/routing/NetPoint.hpp>
#include <simgrid/kernel/routing/NetZoneImpl.hpp>
#include <simgrid/s4u.hpp>
#include <simgrid/version.h>
#include <string>
#include <xbt/log.h>

namespace tokenyard::sim::compat {

namespace s4u = simgrid::s4u;
using Timer = simgrid::kernel::timer::Timer;

/// SimGrid catches SIGINT and SIGSEGV for itself; the program's own handlers are put back.
class KeepSignals {
 public:
  KeepSignals() {
    sigaction(SIGINT, nullptr, &interrupt_);
    sigaction(SIGSEGV, nullptr, &segmentation_);
  }
  ~KeepSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGSEGV, &segmentation_, nullptr);
  }
  KeepSignals(const KeepSignals&) = delete;
  KeepSignals& operator=(const KeepSignals&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction segmentation_ {};
};

/// Never deleted: taking its hosts apart costs as much as building them, and there is one per process anyway.
inline s4u::Engine* make_engine() {
  const KeepSignals keep;
  xbt_log_control_set("root.thresh:warning");
  auto* engine = new s4u::Engine("tokenyard");
#if SIMGRID_VERSION >= 33600
  s4u::Engine::set_config("network/model:raw");
#else
  s4u::Engine::set_config("network/model:CM02");
  s4u::Engine::set_config("network/TCP-gamma:1e18");
#endif
  s4u::Engine::set_config("network/crosstraffic:0");
#if SIMGRID_VERSION >= 33400
  s4u::Engine::set_config("precision/timing:1e-12");
#else
  s4u::Engine::set_config("surf/precision:1e-12");
#endif
  return engine;
}

inline s4u::Host* add_host(s4u::NetZone& zone, const std::string& name) {
#if SIMGRID_VERSION >= 40000
  return zone.add_host(name, 1.0)->seal();
#else
  return zone.create_host(name, 1.0)->seal();
#endif
}

inline simgrid::kernel::resource::StandardLinkImpl* add_link(s4u::NetZone& zone, const std::string& name,
                                                             double bytes_per_s) {
#if SIMGRID_VERSION >= 40000
  s4u::Link* link = zone.add_link(name, bytes_per_s);
#else
  s4u::Link* link = zone.create_link(name, bytes_per_s);
#endif
  return link->set_latency(0.0)->seal()->get_impl();
}

/// Calls `callback(const s4u::Activity&)` for every transfer that ends, whatever its state.
template <class Callback>
void on_transfer_end(Callback callback) {
#if SIMGRID_VERSION >= 33400
  s4u::Comm::on_completion_cb([callback](const s4u::Comm& comm) { callback(comm); });
#else
  s4u::Activity::on_completion_cb(callback);
#endif
}

/// Seconds until SimGrid itself can do something; negative: never. Asking changes nothing: its lazy models solve what
/// is due now either way.
inline double until_next_occurrence(const s4u::Engine& engine) {
  const double now = s4u::Engine::get_clock();
  double next = -1;
  for (auto* model : engine.get_all_models()) {
    const double delay = model->next_occurring_event(now);
    if (delay >= 0 && (next < 0 || delay < next)) next = delay;
  }
  return next;
}

}  // namespace tokenyard::sim::compat
