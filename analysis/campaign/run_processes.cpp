#include "analysis/campaign/run_processes.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tokenyard::analysis {
namespace {

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void limit(__rlimit_resource resource, double amount) {
  const auto value = static_cast<rlim_t>(std::ceil(amount));
  rlimit now{};
  ::getrlimit(resource, &now);
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) return;
  const rlimit bound{value, now.rlim_max};
  ::setrlimit(resource, &bound);
}

/// False if nobody reads.
bool send(int pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(pipe, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// The end of what a child printed, on one line.
std::string last_words(int printed) {
  constexpr off_t kMost = 500;
  const off_t size = ::lseek(printed, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, kMost)), '\0');
  const ssize_t got = ::pread(printed, text.data(), text.size(), std::max<off_t>(0, size - kMost));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

RunProcesses::RunProcesses(std::size_t slots, const RunLimits& limits, std::function<RunOutcome(RunId)> work)
    : slots_(slots), limits_(limits), work_(std::move(work)) {}

RunProcesses::~RunProcesses() { kill_all(); }

void RunProcesses::start(RunId run) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
  const int printed = ::memfd_create("printed", MFD_CLOEXEC);
  // What is buffered would be written by both processes.
  std::fflush(nullptr);
  const int parent = ::getpid();
  const int pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    be_child(run, ends[1], printed, parent);
  }
  ::close(ends[1]);
  if (pid < 0) {
    const int reason = errno;
    ::close(ends[0]);
    ::close(printed);
    errno = reason;
    throw_errno("fork");
  }
  children_.push_back({run, pid, ends[0], printed, std::chrono::steady_clock::now(), false, {}});
}

void RunProcesses::be_child(RunId run, int pipe, int printed, int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  // An interrupt from the terminal reaches the whole group: the parent decides.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);
  for (const Child& sibling : children_) {
    ::close(sibling.pipe);
    ::close(sibling.printed);
  }
  for (const int descriptor : not_for_children_) ::close(descriptor);
  if (printed >= 0) {
    ::dup2(printed, 1);
    ::dup2(printed, 2);
  }
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits_.time_s + 2);
  if (limits_.memory_mb) limit(RLIMIT_DATA, *limits_.memory_mb * 1e6);
  bool sent = false;
  try {
    sent = send(pipe, work_(run).to_text());
  } catch (...) {  // not even the result could be made; the parent says so
  }
  std::fflush(nullptr);
  ::_exit(sent ? 0 : 1);
}

std::optional<RunProcesses::Finished> RunProcesses::wait(int timeout_ms) {
  if (children_.empty()) return {};
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  std::vector<pollfd> polled;
  for (;;) {
    polled.clear();
    for (const Child& child : children_) polled.push_back({child.pipe, POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::max<long>(0, left)));
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    for (std::size_t i = 0; ready > 0 && i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      char buffer[1 << 14];
      const ssize_t got = ::read(polled[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        children_[i].text.append(buffer, static_cast<std::size_t>(got));
      } else if (got == 0) {
        return reap(i);
      }
    }
    enforce_time_limit();
    if (ready < 0 || std::chrono::steady_clock::now() >= end) return {};
  }
}

void RunProcesses::enforce_time_limit() {
  const auto now = std::chrono::steady_clock::now();
  for (Child& child : children_) {
    if (child.timed_out || std::chrono::duration<double>(now - child.started).count() <= limits_.time_s) continue;
    child.timed_out = true;
    ::kill(child.pid, SIGKILL);
  }
}

RunProcesses::Finished RunProcesses::reap(std::size_t index) {
  Child child = std::move(children_[index]);
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
  int status = 0;
  rusage usage{};
  while (::wait4(child.pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  Finished finished{child.run, {}};
  RunOutcome& result = finished.result;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    result = RunOutcome::from_text(child.text);
  } else {
    const bool cpu_limit = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
    if (child.timed_out || cpu_limit) {
      result.failure = RunFailure::kTime;
      result.message = fmt::format("took longer than time_s = {}", limits_.time_s);
    } else {
      result.failure = RunFailure::kCrash;
      result.message = WIFSIGNALED(status)
                           ? fmt::format("ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                           : fmt::format("ended with status {}", WEXITSTATUS(status));
      const std::string words = last_words(child.printed);
      if (!words.empty()) result.message += ": " + words;
    }
    result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - child.started).count();
  }
  if (result.failure == RunFailure::kMemory && limits_.memory_mb)
    result.message = fmt::format("needed more than memory_mb = {}", *limits_.memory_mb);
  result.memory_mb = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  ::close(child.pipe);
  ::close(child.printed);
  return finished;
}

void RunProcesses::kill_all() {
  for (const Child& child : children_) {
    ::kill(child.pid, SIGKILL);
    ::close(child.pipe);
    ::close(child.printed);
  }
  for (const Child& child : children_) {
    while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  children_.clear();
}

}  // namespace tokenyard::analysis
