#include "platforms/cost/sparse_attention.hpp"

#include <algorithm>

#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::platforms {
namespace {
constexpr double kScoreBytes = 4, kReadByChoice = 2;  // a score is written once, read as often
}

SparseAttention::SparseAttention(const Chip& chip, const ModelArchitecture& model, Precision attention, double heads,
                                 std::int64_t queries) {
  const ModelArchitecture::Sparse& sparse = *model.sparse;
  const ModelArchitecture::Mla& mla = *model.mla;
  const GemmFigures figures = gemm_figures(chip, attention);
  top_k_ = static_cast<double>(sparse.top_k);
  queries_ = static_cast<double>(queries);
  index_layers_ = static_cast<double>(sparse.index_layers);
  bytes_per_s_ = figures.bytes_per_s * figures.memory;
  launches_s_ = index_layers_ * kIndexKernels * figures.launch_s;

  score_flop_ = index_layers_ * 2 * static_cast<double>(sparse.index_heads * sparse.index_dim);
  const double peak = chip.peak_flops_per_s[chip.compute_precision(Precision::kFp8).value_or(attention)].value();
  score_s_ = score_flop_ / (peak * kScoreShare);
  key_bytes_ = model.index_bytes_per_token();

  const auto layers = static_cast<double>(model.full_layers);
  const auto latent = static_cast<double>(2 * mla.kv_lora_rank + mla.qk_rope_dim);
  attend_flop_ = layers * 2 * heads * latent;
  attend_s_ = attend_flop_ * std::max(1.0, kLeastHeads / heads) / (figures.peak_flops_per_s * kChosenShare);
}

SparseAttention::Pairs SparseAttention::pairs(double tokens, double before) const {
  const double all = tokens * (before + (tokens + 1) / 2);
  const double dense = std::clamp(top_k_ - before, 0.0, tokens);  // the first of them see no more than k
  return {all, dense * (before + (dense + 1) / 2) + (tokens - dense) * top_k_};
}

KernelTime SparseAttention::score(double pairs, double keys) const {
  KernelTime time;
  const double scores = index_layers_ * kScoreBytes * pairs;
  const double memory = (keys * key_bytes_ + scores) / bytes_per_s_, compute = pairs * score_s_;
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] = std::max(compute, memory);
  time[Bound::kBandwidth] += kReadByChoice * scores / bytes_per_s_;
  time.bytes = keys * key_bytes_ + (1 + kReadByChoice) * scores;
  return time;
}

double SparseAttention::least_to_attend(double calls, double chosen) const {
  return queries_ * calls * chosen * attend_s_ * kChosenShare / kChosenShareDecoding;
}

KernelTime SparseAttention::choose(double calls, double context) const {
  KernelTime time = score(queries_ * calls * context, calls * context);
  if (context > top_k_) time[Bound::kBandwidth] += index_layers_ * (kChooseS + kChooseTokenS * context);
  time[Bound::kHost] += launches_s_;
  return time;
}

KernelTime SparseAttention::prefill(double tokens, double before) const {
  const auto [all, chosen] = pairs(tokens, before);
  KernelTime time = score(all, before + tokens);
  time[Bound::kCompute] += chosen * attend_s_;
  time[Bound::kHost] += launches_s_;
  return time;
}

double SparseAttention::prefill_flop(double tokens, double before) const {
  const auto [all, chosen] = pairs(tokens, before);
  return all * score_flop_ + chosen * attend_flop_;
}

}  // namespace tokenyard::platforms
