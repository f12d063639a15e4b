#pragma once
/// Recorded requests, one after the other in order of arrival. Trace readers implement it.

#include <vector>

#include "agents/record/left_out.hpp"
#include "platforms/kv/extent.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::agents {

struct RecordedRequest {
  sim::Time arrival;                      ///< from the start of the trace, not decreasing
  std::vector<platforms::Extent> prompt;  ///< reused by the caller from request to request
  platforms::Tokens output_tokens = 1;
};

class RequestSource {
 public:
  virtual ~RequestSource() = default;
  /// Fills `request` and returns true, or returns false at the end. Throws sim::InputError, with file and line.
  virtual bool next(RecordedRequest& request) = 0;
  /// What was left out so far, by reason.
  virtual std::vector<LeftOut> left_out() const { return {}; }
};

}  // namespace tokenyard::agents
