#include "analysis/campaign/mpi/run_server.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "sim/core/error.hpp"

namespace tokenyard::analysis {
namespace {

/// False at the end of the stream.
bool read_all(int socket, void* data, std::size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::read(socket, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int socket, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(socket, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// Runs what it is told, one after the other, until nobody is there to tell.
void serve(int socket, const RunLimits& limits, const std::function<RunOutcome(RunId)>& work) {
  RunProcesses processes(1, limits, work);
  processes.close_in_children(socket);
  RunId run;
  while (read_all(socket, &run, sizeof run)) {
    processes.start(run);
    std::optional<RunProcesses::Finished> finished;
    while (!finished) finished = processes.wait(1000);
    const std::string text = finished->result.to_text();
    const std::size_t size = text.size();
    if (!write_all(socket, &size, sizeof size) || !write_all(socket, text.data(), size)) return;
  }
}

}  // namespace

RunServer::RunServer(const RunLimits& limits, const std::function<RunOutcome(RunId)>& work) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  const int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::close(ends[0]);
    int code = 0;
    try {
      serve(ends[1], limits, work);
    } catch (...) {  // the rank finds the stream at its end
      code = 1;
    }
    ::_exit(code);
  }
  ::close(ends[1]);
  socket_ = ends[0];
}

RunServer::~RunServer() {
  ::close(socket_);
  if (busy_) ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void RunServer::start(RunId run) {
  if (!write_all(socket_, &run, sizeof run)) throw sim::InternalError("the process that makes runs has ended");
  busy_ = true;
}

std::optional<RunOutcome> RunServer::poll(int timeout_ms) {
  pollfd polled{socket_, POLLIN, 0};
  if (::poll(&polled, 1, timeout_ms) <= 0) return {};
  std::size_t size = 0;
  if (!read_all(socket_, &size, sizeof size)) throw sim::InternalError("the process that makes runs has ended");
  std::string text(size, '\0');
  if (!read_all(socket_, text.data(), size)) throw sim::InternalError("the process that makes runs has ended");
  busy_ = false;
  return RunOutcome::from_text(text);
}

}  // namespace tokenyard::analysis
