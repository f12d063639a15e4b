#pragma once
/// Where work enters the serving floor. `Fleet` implements it; tests of the floors above use a stand-in.

#include "platforms/serving/call.hpp"

namespace tokenyard::platforms {

class FrontDoor {
 public:
  virtual ~FrontDoor() = default;
  /// The call arrives now. Its listener hears of its end from a later event, or, if it is rejected, or a part of a
  /// prompt that is there, before this returns.
  virtual void submit(const CallRequest& request) = 0;
  /// The task has ended: no call of it will come. What a router remembers of it goes.
  virtual void forget(std::uint64_t /*task*/) {}
};

}  // namespace tokenyard::platforms
