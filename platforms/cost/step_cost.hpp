#pragma once
/// What one step of a replica, or of a rank, costs: time, arithmetic and memory traffic.
///
/// A step is one forward pass: some calls make a token each over their contexts' KV, and some prompts advance by a
/// chunk. Between two changes of the batch only the contexts grow, all by a token a step, so a cost is handed out as an
/// *affine piece* in the sum of contexts: fixed-point integers, valid until the batch changes or the sum passes the
/// piece's limit. Every sum within the limit from which a piece is asked for gives the same piece. The piece is the
/// model; stepping and leaping evaluate the same integers, which is why they agree bit for bit.
///
/// Time is split by what bounds it: compute, memory bandwidth, network (collectives), host (launches and the engine).

#include <cstdint>
#include <limits>
#include <span>

#include "platforms/spec/tokens.hpp"
#include "sim/core/enum_array.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::platforms {

enum class Bound : std::uint8_t { kCompute, kBandwidth, kNetwork, kHost };
inline constexpr std::size_t kBounds = 4;
constexpr std::size_t enum_size(Bound) { return kBounds; }

/// value(context) = base + slope * context. Ticks are those of sim::FineTime (2^-20 ns); FLOP and bytes are per chip.
struct StepPiece {
  sim::EnumArray<Bound, std::int64_t> base_ticks{};
  sim::EnumArray<Bound, std::int64_t> slope_ticks{};
  std::int64_t waiting_ticks = 0;  ///< of the host's time: no kernel runs
  std::int64_t base_flop = 0, slope_flop = 0;
  std::int64_t base_bytes = 0, slope_bytes = 0;
  std::int64_t padding_flop = 0;                              ///< of rows that hold no token; not in the FLOP
  std::int64_t unpacked = 0;                                  ///< weights brought to another format for the products
  Tokens context_limit = std::numeric_limits<Tokens>::max();  ///< the largest sum of contexts for which it holds

  std::int64_t ticks(Tokens context) const {
    std::int64_t total = 0;
    for (std::size_t i = 0; i < kBounds; ++i) total += base_ticks[i] + slope_ticks[i] * context;
    return total;
  }
  /// Whether time, FLOP and bytes at this sum of contexts are below half of sim::kMostCounted: 549 s, 5.8e17 each. What
  /// is not may have been cut to it somewhere, and says nothing.
  bool counts(Tokens context) const;
  std::int64_t slope() const {
    std::int64_t total = 0;
    for (const std::int64_t s : slope_ticks) total += s;
    return total;
  }
  /// The same with `tokens` more of context than is said.
  void move_by(Tokens tokens);
  /// It takes as long as with so many more, which are not there.
  void wait_by(Tokens tokens);
  /// One after the other: in force where both are.
  StepPiece& operator+=(const StepPiece& other);
};

/// The calls of a step that make a token each.
struct DecodingCalls {
  std::int32_t calls = 0;
  Tokens context = 0;  ///< sum over them
  Tokens skew = 0;     ///< what the contexts are short of the longest, summed; 0 to a cost that does not mind
};

/// A stretch of one prompt computed in a step.
struct PrefillChunk {
  Tokens tokens = 0;  ///< computed in this step
  Tokens before = 0;  ///< already in the cache
  bool last = false;  ///< makes the call's next token
};

/// Under data-parallel attention: what the replica's other ranks compute in the same step. Experts are computed for all
/// of them, and none runs a captured graph unless all do.
struct OtherRanks {
  Tokens tokens = 0;         ///< of decoding calls and of prompts
  Tokens decoded = 0;        ///< of decoding calls
  std::int32_t fullest = 0;  ///< calls that decode on the one with most; it may count this one, too
  bool prompts = false;      ///< some compute prompts; likewise

  /// The same if nobody computed a prompt.
  OtherRanks without_prompts() const { return {decoded, decoded, fullest, false}; }
};

class StepCost {
 public:
  virtual ~StepCost() = default;
  /// The piece for a rank's step of these calls and chunks, one or the other or neither, as long as it waits for no
  /// other rank. O(chunks); deterministic.
  virtual StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                          const OtherRanks& others) const = 0;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks) const {
    return piece(decoding, chunks, {});
  }
  /// Whether calls with unequal contexts take longer than with equal ones: then they are to be told apart by their
  /// skew.
  virtual bool minds_skew() const { return false; }
};

}  // namespace tokenyard::platforms
