#pragma once
/// Speculative decoding: a drafter proposes tokens, and the model checks them all in the step that makes its next one.
///
/// A drafted token counts if those before it did and the model agrees, with probability `acceptance` of its place. A
/// step makes the accepted ones and one of the model's own: with one probability a for each of k drafts,
/// (1 - a^(k+1)) / (1 - a) tokens on average (Leviathan et al., ICML 2023, equation 1). Calls differ by chance alone:
/// acceptance that some prompts have and others have not, or that follows the temperature, is not modelled.
///
///   Speculation mtp{.acceptance = {0.85}, .drafter = layer_drafter(*model), .shares_vocabulary = true};
///   mtp.drafts();             // 1
///   mtp.tokens_per_step();    // 1.85
///   mtp.accepted(0.3);        // 1: of the draws below 0.85

#include <memory>
#include <vector>

#include "platforms/spec/model.hpp"

namespace tokenyard::platforms {

struct Speculation {
  std::vector<double> acceptance;  ///< of each drafted token, given that those before it were accepted
  std::shared_ptr<const ModelArchitecture> drafter;  ///< null: n-grams of the context, which cost the chips nothing
  /// The drafter is one layer behind the model: it takes the last hidden state, through a projection from two vectors
  /// to one, and shares embedding and output matrix (multi-token prediction, EAGLE).
  bool shares_vocabulary = false;

  std::int64_t drafts() const { return static_cast<std::int64_t>(acceptance.size()); }
  /// Tokens of each call that a step computes.
  std::int64_t queries() const { return 1 + drafts(); }
  /// KV slots beyond its context that a call holds in a step: of the drafts checked and of those proposed then.
  std::int64_t lookahead() const { return drafter == nullptr ? drafts() : 2 * drafts(); }
  double tokens_per_step() const;
  /// How many drafts count in a step, from a uniform draw.
  std::int64_t accepted(double uniform) const;
};

/// One layer of the model, its last, as a model of its own. It is passed once for every token drafted.
std::shared_ptr<const ModelArchitecture> layer_drafter(const ModelArchitecture& model);

}  // namespace tokenyard::platforms
