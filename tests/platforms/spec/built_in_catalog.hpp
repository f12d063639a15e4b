#pragma once
/// The catalogue as it is shipped, loaded once for all tests of a binary.

#include "platforms/spec/catalog.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::platforms {

inline const Catalog& built_in_catalog() {
  static const Catalog catalog = [] {
    sim::Faults faults;
    Catalog loaded = Catalog::load(faults);
    REQUIRE(faults.empty());
    return loaded;
  }();
  return catalog;
}

}  // namespace tokenyard::platforms
