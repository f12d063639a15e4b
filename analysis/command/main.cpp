/// The executable: SimGrid, the signals and the process's exit code; everything else is the command's (command.hpp).
///
/// While a simulation runs, SIGINT, SIGTERM and SIGHUP ask it to stop, keep what was done and mark it partial; a second
/// one ends the process at once, as does the first one at any other time. Commands that run many simulations say then
/// what was kept. A SIGHUP that was ignored on entry (nohup) stays ignored.

#include <atomic>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <unistd.h>

#include "analysis/command/command.hpp"
#include "sim/network/simgrid/simgrid_network.hpp"

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not lock");

void on_signal(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

std::atomic<const std::string*> last_words{nullptr};

void end_on_signal(int) {
  const std::string& words = *last_words.load();
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, words.data(), words.size());
  ::_exit(tokenyard::analysis::kInterrupted);
}

void catch_signals(void (*handler)(int)) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (std::signal(signal, handler) == SIG_IGN && signal == SIGHUP) std::signal(signal, SIG_IGN);
  }
}

/// A signal may come while the words change: those that were said before stay where they are.
void end_on_interrupt(const std::string& words) {
  static auto& all = *new std::deque<std::string>;  // to the last: a signal may come at the very end
  const char* wipe = ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  last_words = &all.emplace_back(wipe + words + '\n');
  catch_signals(end_on_signal);
}

/// Who starts us may have closed standard output or error: their numbers must not become a result file's.
void hold_standard_streams() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= 2) descriptor = ::open("/dev/null", O_RDONLY);
  if (descriptor > 2) ::close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tokenyard;
  hold_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // `tokenyard catalog chips | head` ends quietly
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is then an error like a full disk
  analysis::Surroundings surroundings;
  surroundings.catch_interrupts = [] { catch_signals(on_signal); };
  surroundings.interrupted = [] { return interrupted.load(); };
  surroundings.end_on_interrupt = end_on_interrupt;
  surroundings.make_simgrid_network = [](const sim::Topology& topology,
                                         sim::Simulation& simulation) -> std::unique_ptr<sim::Network> {
    return std::make_unique<sim::SimgridNetwork>(topology, simulation);
  };
  return analysis::run_command({argv + 1, argv + argc}, std::move(surroundings));
}
