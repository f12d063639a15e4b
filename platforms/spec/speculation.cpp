#include "platforms/spec/speculation.hpp"

namespace tokenyard::platforms {

double Speculation::tokens_per_step() const {
  double tokens = 1, reached = 1;
  for (const double a : acceptance) tokens += reached *= a;
  return tokens;
}

std::int64_t Speculation::accepted(double uniform) const {
  std::int64_t count = 0;
  double reached = 1;
  for (const double a : acceptance) {
    reached *= a;
    if (uniform >= reached) break;
    ++count;
  }
  return count;
}

std::shared_ptr<const ModelArchitecture> layer_drafter(const ModelArchitecture& model) {
  auto layer = std::make_shared<ModelArchitecture>(model);
  layer->name = model.name + "/drafter";
  layer->layers = layer->full_layers = 1;
  layer->sliding_layers = layer->linear_layers = layer->mtp_layers = 0;
  if (layer->moe) layer->moe->first_dense_layers = 0;
  if (layer->sparse) layer->sparse->index_layers = 1;
  return layer;
}

}  // namespace tokenyard::platforms
