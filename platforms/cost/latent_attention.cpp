#include "platforms/cost/latent_attention.hpp"

#include <algorithm>
#include <cmath>

#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::platforms {
namespace {
constexpr std::size_t kUp = 2;  // keys and values, among the products
}

std::array<WeightShape, 4> latent_products(const ModelArchitecture& model, std::int64_t heads) {
  const ModelArchitecture::Mla& mla = *model.mla;
  return {{{mla.q_lora_rank + mla.kv_lora_rank + mla.qk_rope_dim, model.hidden},
           {heads * (mla.qk_nope_dim + mla.qk_rope_dim), mla.q_lora_rank},
           {heads * (mla.qk_nope_dim + mla.v_dim), mla.kv_lora_rank},
           {model.hidden, heads * mla.v_dim}}};
}

AttentionShape latent_shape(const ModelArchitecture& model, std::int64_t heads, double kv_bytes) {
  const ModelArchitecture::Mla& mla = *model.mla;
  const auto rank = static_cast<double>(mla.kv_lora_rank), rope = static_cast<double>(mla.qk_rope_dim);
  AttentionShape shape;
  shape.layers = 1;
  shape.query_heads = static_cast<double>(heads);
  shape.query_key_dim = static_cast<double>(mla.qk_nope_dim) + rope;
  shape.value_dim = static_cast<double>(mla.v_dim);
  shape.cached_bytes = (rank + rope) * kv_bytes;
  shape.decode_flop = 2 * shape.query_heads * (2 * rank + rope);
  shape.prefill_time = kLatentPrefillTime;
  return shape;
}

LatentAttention::LatentAttention(const Chip& chip, const KernelResidual* table, const Attention& attention,
                                 const Shape& shape)
    : attention_(attention),
      heads_(static_cast<double>(shape.heads)),
      queries_(static_cast<double>(shape.queries)),
      bytes_per_s_(*chip.memory_bytes_per_s),
      table_(table) {
  const auto products = [&](Precision format) {
    const GemmFigures figures = gemm_figures(chip, chip.compute_precision(format).value());
    Products all;
    for (const WeightShape& product : latent_products(*shape.model, shape.heads))
      all.push_back(product_of(figures, format, product.columns, product.depth));
    return all;
  };
  products_ = products(shape.weights);
  reference_ = products(Precision::kFp8);
  const GemmFigures figures = gemm_figures(chip, chip.compute_precision(shape.weights).value());
  launches_s_ = attention.shape().layers * kLatentKernels * figures.launch_s;
  const ModelArchitecture::Mla& mla = *shape.model->mla;
  const auto latent = static_cast<double>(mla.kv_lora_rank + mla.qk_rope_dim);
  // The cache's entry read and written; the heads' keys read and written with the rotated part.
  read_bytes_ = attention.shape().cached_bytes + kActivationBytes * latent;
  read_s_ = read_bytes_ / (figures.bytes_per_s * figures.memory);
  assembled_bytes_ = kActivationBytes * heads_ * static_cast<double>(2 * mla.qk_nope_dim + mla.qk_rope_dim);
  assembled_s_ = heads_ * kAssembledBytes / figures.bytes_per_s;
}

double LatentAttention::seconds(const Products& products, double calls) const {
  const auto rows = static_cast<std::int64_t>(std::ceil(calls * queries_));
  double sum = 0;
  for (const Gemm& product : products) sum += product.at(rows).total();
  return attention_.shape().layers * sum;
}

KernelTime LatentAttention::decode(const Batch& batch, double context) const {
  KernelTime time = attention_.decode(batch.calls, context);
  time[Bound::kHost] += launches_s_;
  if (table_ == nullptr) return time;
  const double factor = table_->at({batch.calls, heads_ * queries_, std::max(1.0, context)});
  const double layers = factor * (batch.reference_s + time.total());
  time[Bound::kBandwidth] += std::max(layers - batch.products_s, time.bytes / bytes_per_s_) - time.total();
  return time;
}

KernelTime LatentAttention::unpack(double before, double tokens) const {
  KernelTime time;
  if (before > 0) time = products_[kUp].at(static_cast<std::int64_t>(before));
  const double all = before + tokens;
  time.bytes += before * read_bytes_ + all * assembled_bytes_;
  time[Bound::kBandwidth] += before * read_s_ + all * assembled_s_;
  time *= attention_.shape().layers;
  return time;
}

std::vector<double> LatentAttention::decode_points() const {
  return table_ == nullptr ? attention_.decode_points() : contexts_of(*table_);
}

}  // namespace tokenyard::platforms
