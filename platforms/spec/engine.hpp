#pragma once
/// A serving engine: the defaults of its arguments under vLLM's names, and the time its host code takes.
///
/// What the host's times mean is written in platforms/cost/host_time.hpp.
///
///   const EngineDefaults* engine = catalog.find_engine("vllm");
///   engine->budget_on(*catalog.find_chip("h100-sxm"));     // 8192
///   engine->budget_on(*catalog.find_chip("a100-80-sxm"));  // 2048

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platforms/spec/output_reserve.hpp"
#include "platforms/spec/padded_experts.hpp"
#include "platforms/spec/precision.hpp"
#include "platforms/spec/step_shape.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct Chip;

struct EngineDefaults {
  struct Host {
    double step_s = 0;
    double sequence_s = 0;
    double prefill_step_s = 0;
    double layer_s = 0;
    double expert_layer_s = 0;
    double prompt_token_s = 0;  ///< before the engine sees a call, for each token of its prompt
    bool asynchronous = false;  ///< async_scheduling: it works on the next step while the kernels run
  };

  /// Chips on which the engine takes fewer tokens a step.
  struct SmallChips {
    double below_bytes = 0;         ///< of memory
    std::vector<std::string> also;  ///< by name
    std::int64_t max_num_batched_tokens = 0;
  };

  /// On whose chips the engine fills steps up.
  struct Buckets {
    std::vector<std::string> vendors;
    TokenBuckets smallest;
  };

  /// Where the engine's kernels pad experts.
  struct Padding {
    std::vector<std::string> chips;  ///< by name
    Precision weights = Precision::kFp8;
    std::int64_t below_slices = 0;  ///< only where each expert is divided among fewer chips; 0: among however many
    PaddedExperts experts;
  };

  std::string name;
  std::vector<std::string> vendors;  ///< on whose chips it runs; empty: nobody has said
  std::int64_t max_num_seqs = 0;
  std::int64_t max_num_batched_tokens = 0;
  std::optional<SmallChips> small_chips;
  std::optional<Buckets> buckets;
  std::optional<Padding> padded_experts;
  OutputReserve output_reserve;
  std::int64_t block_size = 0;  ///< tokens of a KV block
  double gpu_memory_utilization = 0;
  bool enable_chunked_prefill = true;
  bool enable_prefix_caching = true;
  bool scheduler_reserve_full_isl = false;    ///< admits a call only when the KV blocks of its whole prompt are free
  bool enable_mixed_chunk = true;             ///< prompts are computed in the steps in which others decode
  std::optional<std::int64_t> max_model_len;  ///< the model's, where the engine has none of its own
  /// Everything is compiled for one shape: platforms/spec/step_shape.hpp.
  bool static_shapes = false;
  Host host;
  double reserved_bytes = 0;  ///< of each chip's memory, for runtime, graphs and collective buffers

  /// False where the engine's entry names vendors and the chip's another.
  bool runs_on(const Chip& chip) const;
  /// Tokens a step, where nobody says otherwise.
  std::int64_t budget_on(const Chip& chip) const;
  /// To which steps are filled up on the chip; none: any shape will do.
  TokenBuckets buckets_on(const Chip& chip) const;
  /// With experts of such weights, each divided among `slices` chips.
  PaddedExperts padded_experts_on(const Chip& chip, Precision weights, std::int64_t slices) const;

  /// Faults go to the reader's list; the rest is read nevertheless.
  static EngineDefaults read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::platforms
