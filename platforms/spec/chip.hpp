#pragma once
/// An accelerator chip: what it can do, how much of that software reaches, what it draws and what it costs.
///
/// Rates are per chip, dense, one direction. A number that nobody has published is absent: whoever needs it says so to
/// the user through `missing()`. The few that it does not ask for have assumed ones (cost/kernel_figures.hpp).
///
///   const Chip* chip = catalog.find_chip("h100-sxm");
///   chip->peak_flops_per_s[Precision::kFp8];              // 1.978e15
///   chip->missing(Precision::kFp8, 4).empty();            // a replica of 4 chips can be timed
///   chip->joules(Precision::kFp8, {.busy_s = 1, .waiting_s = 0.2, .flop = 1e14, .bytes = 2e12});   // of a second

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/spec/attention_kernels.hpp"
#include "platforms/spec/expert_kernels.hpp"
#include "platforms/spec/gemm_kernels.hpp"
#include "platforms/spec/kernel_profile.hpp"
#include "platforms/spec/kernel_residual.hpp"
#include "platforms/spec/precision.hpp"
#include "platforms/spec/scale_up.hpp"
#include "platforms/spec/step_power.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct Chip {
  /// Fitted shares of the peaks that kernels reach, and what the shape of the work costs them.
  struct Efficiency {
    PerPrecision<std::optional<double>> gemm_compute;
    /// Of the speed at which gemm_compute and attention_prefill were measured, in short loops, what the chip keeps where
    /// arithmetic holds it at its power limit, as prompts do; by precision of the arithmetic. Absent: all of it.
    PerPrecision<std::optional<double>> sustained;
    std::optional<double> gemm_memory;
    GemmKernels gemm;
    PerPrecision<GemmFormat> gemm_formats;
    PerPrecision<std::optional<ExpertKernels>> experts;  ///< by precision of the weights; 8 bits: scales of blocks
    std::optional<ExpertKernels> experts_fp8_tensor;     ///< of 8-bit weights with a scale for a tensor
    std::optional<double> attention_prefill;
    std::optional<double> attention_decode;
    AttentionKernels attention;
    PerPrecision<std::optional<double>> attention_write_s;  ///< by precision of the KV: attention.hpp
    PerPrecision<KernelResidual> attention_prefill_residual, attention_decode_residual,
        attention_undivided_residual,  ///< of contexts that are never divided: FlashAttention-2, no shared heads
        latent_decode_residual;        ///< by precision of the KV, all of them; empty where unknown
    std::optional<double> launch_s;    ///< of one kernel inside a captured graph
  };

  /// All-reduces over n chips. A library changes its protocol with the size (one shot, two shots, a ring, the switch's
  /// own adders), so no smooth form will do: measured times by bytes, linear between (cost/collective.hpp). Without
  /// a table B bytes take alpha + 2 (n - 1) / n · B / bandwidth, of the links that the n chips can use (scale_up.hpp).
  struct AllReduce {
    std::int64_t chips = 0;
    ProfileCurve seconds;  ///< by bytes
  };
  struct Collectives {
    std::vector<AllReduce> by_chips;        ///< measured, ascending in chips; often empty
    std::optional<double> link_efficiency;  ///< otherwise: bandwidth = this · the links' rate
    std::optional<double> alpha_s;          ///< otherwise: latency in a captured graph
  };

  /// A chip that nothing uses draws idle_w; one that an engine holds draws held_w between steps, for its clocks stay up
  /// and its memory is in use. In a step it draws active_w while its kernels run and waiting_w while it waits
  /// for the host or for other chips; to that come compute_w · u + memory_w · v for the shares u of peak FLOP/s and v
  /// of bandwidth that it achieves, so that an operation costs compute_w / peak joules in whatever time, and for each
  /// weight that it unpacks what unpack_flop operations do. No step draws more than tdp_w. step_power.hpp.
  struct Power {
    std::optional<double> tdp_w;
    std::optional<double> idle_w;
    std::optional<double> held_w;     ///< absent from the entry: idle_w
    std::optional<double> waiting_w;  ///< absent: as active_w
    std::optional<double> active_w;
    std::optional<double> compute_w;
    std::optional<double> memory_w;
    std::optional<double> unpack_flop;  ///< absent: as if unpacking cost nothing
  };

  struct Price {
    std::optional<double> usd_per_hour;  ///< what a scenario pays unless it says otherwise
    std::optional<double> unit_low_usd;  ///< purchase
    std::optional<double> unit_high_usd;
  };

  /// Kernels measured for one model and division, which then replace the fitted figures.
  struct Profile {
    std::string model;
    std::int64_t tp = 1;
    Precision weights = Precision::kBf16, kv = Precision::kBf16;
    std::shared_ptr<const KernelProfile> kernels;
  };

  std::string name, vendor;
  std::string base;  ///< the chip whose entry this one began as: what is said of that one by name holds for this one
  std::optional<std::int64_t> compute_units;  ///< streaming multiprocessors, compute units: what tiles are dealt to
  std::optional<double> memory_bytes;
  std::optional<double> memory_bytes_per_s;
  PerPrecision<std::optional<double>> peak_flops_per_s;
  ScaleUp scale_up;
  std::optional<double> scale_out_bytes_per_s;  ///< its share of the node's NICs
  std::optional<double> host_bytes_per_s;       ///< to the host's memory
  Efficiency efficiency;
  Collectives collectives;
  Power power;
  Price price;
  std::vector<Profile> kernel_profiles;
  /// Of a chip without kernel data: how far its step times may be off, as a share of them.
  std::optional<double> step_time_uncertainty;
  std::vector<std::string> assumed;  ///< keys of the figures that the entry marks so, "efficiency/gemm_compute/fp8"
  bool is_assumed(std::string_view key) const;
  /// By its own name, or as its base.
  bool is_among(const std::vector<std::string>& names) const;

  /// Kernels of experts fitted for weights of that format (of 8 bits with those scales, else with scales of blocks),
  /// else for the one they are multiplied in, else in 16 bits; null: none.
  const ExpertKernels* experts(Precision weights, Fp8Scales scales = Fp8Scales::kBlock) const;

  /// The format in which the chip multiplies weights stored in `weights`: the same if it has a peak for it, else in
  /// 16 bits (weight-only kernels, as vLLM's Marlin, unpack them on the way), else in 8 if it has fp4 weights and
  /// nothing more. Nothing if it has none of them.
  std::optional<Precision> compute_precision(Precision weights) const;

  /// Keys of the numbers which timing a replica of `chips` chips needs and the catalogue lacks.
  std::vector<std::string> missing(Precision weights, std::int64_t chips) const;

  /// In products of `weights`; those of a format that the chip cannot multiply are unpacked and cost what bf16 does.
  /// Nothing if a coefficient is absent.
  std::optional<StepPower> step_power(Precision weights) const;
  /// Joules of that work, limited as a whole. Nothing if a coefficient is absent.
  std::optional<double> joules(Precision weights, const StepWork& work) const;

  /// Null if the entry has none for it.
  const KernelProfile* profile(std::string_view model, std::int64_t tp, Precision weights, Precision kv) const;

  /// Faults go to the reader's list; the rest is read nevertheless.
  static Chip read(sim::ObjectReader& reader);
};

}  // namespace tokenyard::platforms
