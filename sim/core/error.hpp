#pragma once
/// What is thrown when an invariant of ours is broken: a bug of Tokenyard, never the user's fault (exit code 1).
/// The user's faults are collected in sim/input/faults.hpp; a simulated failure is an event.

#include <stdexcept>

namespace tokenyard::sim {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace tokenyard::sim
