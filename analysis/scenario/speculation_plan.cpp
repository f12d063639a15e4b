#include "analysis/scenario/speculation_plan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "platforms/spec/catalog_entry.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::ModelArchitecture;
using sim::Json;
using sim::ObjectReader;

constexpr double kMostDrafts = 32;

std::vector<double> read_acceptance(ObjectReader& at) {
  const std::int64_t drafts =
      at.integer("num_speculative_tokens", {.fallback = 1, .minimum = 1, .maximum = kMostDrafts});
  const Json* value = at.raw("acceptance");
  std::vector<double> acceptance;
  const Json list = value == nullptr    ? Json::array()
                    : value->is_array() ? *value
                                        : Json(static_cast<std::size_t>(drafts), *value);
  for (const Json& one : list) {
    if (one.is_number() && one >= 0.0 && one <= 1.0) acceptance.push_back(one.get<double>());
  }
  if (acceptance.size() != static_cast<std::size_t>(drafts) || list.size() != acceptance.size()) {
    at.fault("acceptance", value == nullptr ? "nothing" : sim::shown(*value),
             fmt::format("the share of drafted tokens that are accepted, 0 to 1, or a list of one for each of the {}; "
                         "DeepSeek-V3 reports 0.85 to 0.9 for its own layer (arXiv 2412.19437, 5.4.3)",
                         drafts));
  }
  return acceptance;
}

}  // namespace

platforms::Speculation read_speculation(ObjectReader& engine, const ModelArchitecture* model,
                                        const platforms::Catalog& catalog) {
  platforms::Speculation speculation;
  engine.object("speculative_config", [&](ObjectReader& at) {
    const std::size_t before = at.faults().size();
    const std::string method = at.choice("method", {"mtp", "eagle", "draft_model", "ngram"});
    const bool known = at.faults().size() == before;
    speculation.acceptance = read_acceptance(at);
    if (model == nullptr || !known) return;
    if (method == "mtp" && model->mtp_layers == 0) {
      at.fault("method", "\"mtp\"",
               model->name + " has no layer for multi-token prediction in the catalogue: eagle, draft_model or ngram");
    } else if (method == "mtp" || method == "eagle") {
      speculation.drafter = platforms::layer_drafter(*model);
      speculation.shares_vocabulary = true;
    } else if (method == "draft_model") {
      const ModelArchitecture* drafter = platforms::catalog_entry(at, "model", platforms::CatalogKind::kModel, catalog,
                                                                  &platforms::Catalog::find_model);
      if (drafter == nullptr) return;
      if (drafter->vocab != model->vocab) {
        at.fault("model", fmt::format("\"{}\", of {} tokens", drafter->name, drafter->vocab),
                 fmt::format("a model of the vocabulary of {}: {} tokens", model->name, model->vocab));
      } else {
        speculation.drafter = std::make_shared<const ModelArchitecture>(*drafter);
      }
    }
  });
  return speculation;
}

}  // namespace tokenyard::analysis
