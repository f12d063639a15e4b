#include "analysis/scenario/training_plan.hpp"

#include <nlohmann/json.hpp>

#include "analysis/scenario/name.hpp"
#include "platforms/spec/catalog_entry.hpp"

namespace tokenyard::analysis {

using platforms::CatalogKind;
using platforms::Precision;

double TrainingPlan::step_compute_s() const {
  const double flop = 6 * model->parameters_active() * tokens_per_step;
  return flop / (static_cast<double>(chips()) * *chip->peak_flops_per_s[Precision::kBf16] * mfu);
}

double TrainingPlan::gradient_bytes() const { return model->parameters_total() * gradient_bytes_per_parameter; }

TrainingPlan TrainingPlan::read(sim::ObjectReader& reader, const platforms::Catalog& catalog) {
  TrainingPlan plan;
  plan.name = read_name(reader, "training");
  plan.chip = platforms::catalog_entry(reader, "chip", CatalogKind::kChip, catalog, &platforms::Catalog::find_chip);
  plan.model = platforms::catalog_entry(reader, "model", CatalogKind::kModel, catalog, &platforms::Catalog::find_model);
  if (plan.chip != nullptr && !plan.chip->peak_flops_per_s[Precision::kBf16])
    reader.fault("chip", '"' + plan.chip->name + "\", whose peak_flops_per_s/bf16 is unknown",
                 "a chip that computes in bf16");
  if (plan.model != nullptr && !plan.model->missing().empty())
    reader.fault("model", '"' + plan.model->name + "\", whose architecture is not whole",
                 "a model with all its numbers");
  plan.workers = reader.integer("workers", {.fallback = 1, .minimum = 1, .maximum = 1e6});
  reader.object("parallelism", [&](sim::ObjectReader& p) {
    const sim::NumberRule rule{.fallback = 1, .minimum = 1, .maximum = 4096};
    plan.parallelism = {p.integer("tp", rule), p.integer("pp", rule), 1, 1};
  });
  plan.site = reader.string("site", "");
  plan.tokens_per_step = reader.number("tokens_per_step", {.fallback = 4e6, .minimum = 1, .maximum = 1e12});
  plan.mfu = reader.number("mfu", {.fallback = 0.4, .minimum = 0, .maximum = 1, .exclusive = true});
  plan.overlap = reader.number("overlap", {.fallback = 0.5, .minimum = 0, .maximum = 1});
  plan.gradient_bytes_per_parameter =
      reader.number("gradient_bytes_per_parameter", {.fallback = 2, .minimum = 0, .maximum = 64, .exclusive = true});
  return plan;
}

}  // namespace tokenyard::analysis
