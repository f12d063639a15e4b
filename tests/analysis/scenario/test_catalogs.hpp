#pragma once
/// The built-in chips, models, engines and agents, loaded once for all tests of a binary.

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

struct TestCatalogs {
  sim::Faults faults;
  platforms::Catalog platforms = platforms::Catalog::load(faults);
  agents::AgentCatalog agents = agents::AgentCatalog::load(faults);
  Catalogs view() const { return {platforms, agents}; }
  static const TestCatalogs& get() {
    static const TestCatalogs kCatalogs;
    return kCatalogs;
  }
};

}  // namespace tokenyard::analysis
