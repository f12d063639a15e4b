#pragma once
/// The KV of a call that stops growing with its context: layers with a sliding window keep their last tokens, linear
/// layers a state.
///
/// It is counted in tokens of context whose KV takes as many bytes, because one pool of blocks holds both, as in vLLM's
/// hybrid cache (whose rounding up to whole groups of layers is not counted). A call is charged from its admission on
/// for as much as it will ever keep. Nothing of it stays when the call ends: a later call that finds its context gets
/// windows and state with it, at no cost, where vLLM needs the window's last tokens and a copy of the state.

#include <algorithm>

#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

struct BoundedKv {
  double of_window_token = 0;  ///< tokens of context as large as one token in all windows
  Tokens window = 0;           ///< tokens
  double state = 0;            ///< tokens of context as large as a call's state

  /// Kept by a call whose context grows to so many tokens.
  double tokens(Tokens context) const {
    return of_window_token * static_cast<double>(std::min(context, window)) + state;
  }
  explicit operator bool() const { return of_window_token > 0 || state > 0; }
};

}  // namespace tokenyard::platforms
