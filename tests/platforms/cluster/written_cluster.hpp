#pragma once
/// Clusters written in tests, with the built-in catalogue.

#include "platforms/cluster/cluster.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"

namespace tokenyard::platforms {

inline const Chip& chip(const std::string& name) {
  const Chip* found = built_in_catalog().find_chip(name);
  REQUIRE(found != nullptr);
  return *found;
}

/// What stands under "cluster", read; faults go to `faults`.
inline Cluster read_cluster(const std::string& text, sim::Faults& faults) {
  const sim::JsonFile file = sim::JsonFile::parse(R"({"cluster": )" + text + "}", "scenario", faults);
  sim::ObjectReader reader = file.root(faults);
  return Cluster::read(reader, "cluster", built_in_catalog());
}

inline Cluster cluster_of(const std::string& text) {
  sim::Faults faults;
  Cluster cluster = read_cluster(text, faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return cluster;
}

/// One site of equal nodes, with further keys of the cluster behind it.
inline Cluster one_site(const std::string& chip_name, int nodes, int chips_per_node, const std::string& more = "") {
  return cluster_of(R"({"sites": [{"name": "east", "nodes": [{"chip": ")" + chip_name + R"(", "count": )" +
                    std::to_string(nodes) + R"(, "chips_per_node": )" + std::to_string(chips_per_node) + "}]}]" +
                    (more.empty() ? "" : ", " + more) + "}");
}

}  // namespace tokenyard::platforms
