#pragma once
/// A cluster as a scenario or the catalogue writes it: sites of node groups, the fabric between nodes, the wide area
/// between sites, and what its power costs.
///
///   {"sites": [{"name": "east", "nodes": [{"chip": "h100-sxm", "count": 4, "chips_per_node": 8}]}],
///    "fabric": {"topology": "rail", "bytes_per_s": 4e11, "latency_s": 5e-6},
///    "wan": {"bytes_per_s": 1.25e10, "latency_s": 0.02}, "pue": 1.2, "power_usd_per_kwh": 0.08}
///
/// A node is one scale-up domain or a part of one: the chips that NVLink, a mesh or a torus joins. A TPU slice is one
/// node of all its chips; its `shape` ([16, 16], [4, 4, 4]) is the chip's, or the most compact box of that many chips.
///
/// `fabric` says what joins the nodes of a site; a site may have its own. Rates are one direction, per node.
/// - `star`: a non-blocking switch; the chips of a node share `bytes_per_s`. Absent: their NICs are the limit.
/// - `rail`: a switch per rank in the node; each chip has its own share of `bytes_per_s`, whatever its neighbours do.
/// - `torus`: each node has links of `bytes_per_s` to its neighbours; `latency_s` is a hop's, and `shape` counts nodes.
/// - `none`: nodes are not joined; a replica and its KV stay in one.
/// A chip's own NIC (`scale_out_bytes_per_s`) bounds it in star and rail, too.
///
/// Reading collects every fault; the result is only of use if there was none.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/cost/node_span.hpp"
#include "platforms/spec/catalog.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/torus.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

/// `count` equal nodes.
struct NodeGroup {
  const Chip* chip = nullptr;
  std::int64_t count = 1;
  std::int64_t chips_per_node = 8;
  TorusShape shape{1, 1, 1};  ///< of the chips of a node, where they form a torus
  bool is_torus() const;
  std::int64_t chips() const { return count * chips_per_node; }
  /// Chips of a node that a replica on several nodes takes: whole tensor-parallel groups, if one goes into a node.
  std::int64_t chips_for_groups_of(std::int64_t tp) const {
    return tp <= chips_per_node ? chips_per_node / tp * tp : chips_per_node;
  }
};

enum class FabricTopology : std::uint8_t { kStar, kRail, kTorus, kNone };
inline constexpr std::array<std::string_view, 4> kFabricTopologyNames = {"star", "rail", "torus", "none"};

struct Fabric {
  FabricTopology topology = FabricTopology::kStar;
  std::optional<double> bytes_per_s;
  /// Between two nodes. An assumption for a switched fabric: "5us typical for InfiniBand between racks", aiconfigurator
  /// systems/gb200.yaml, 2026-08.
  double latency_s = 5e-6;
  TorusShape shape{1, 1, 1};
};

struct Site {
  std::string name;
  std::vector<NodeGroup> groups;
  Fabric fabric;
  std::int64_t nodes() const;
  /// More nodes of one of its groups; a torus of nodes then takes the most compact shape.
  void add_nodes(NodeGroup& group, std::int64_t count);

  /// What one chip may send out of its node while all its neighbours do, too: the least of its NIC and its share of the
  /// fabric. Nothing if neither is known, or if nothing leaves a node.
  std::optional<double> chip_bytes_per_s(const NodeGroup& group) const;
};

/// Between two sites. Defaults are assumptions: one 100 Gb/s wave, a continent apart.
struct Wan {
  double bytes_per_s = 12.5e9;
  double latency_s = 0.02;
};

struct Cluster {
  std::vector<Site> sites;
  Wan wan;
  double pue = 1.2;                   ///< assumed: a large, new site
  double power_usd_per_kwh = 0.08;    ///< assumed: about what industry pays in the United States
  std::vector<std::string> warnings;  ///< what is allowed but seldom meant

  std::int64_t chips() const;
  /// Of one kind; at one site, unless `site` is empty.
  std::int64_t chips_of(const Chip& chip, std::string_view site = {}) const;
  bool has_site(std::string_view name) const;
  std::vector<std::string> site_names() const;

  /// Whether it is known what every node with this chip may send to others.
  bool knows_rate_of(const Chip& chip, std::string_view site = {}) const;

  /// How replicas of `chips` chips in tensor-parallel groups of `tp` will lie on nodes (placement.hpp): in one, if any
  /// node is large enough; else on several, of which the smallest and slowest counts. A rate of 0: it is not known.
  NodeSpan span(const Chip& chip, std::int64_t chips, std::int64_t tp, std::string_view site = {}) const;

  /// The object of a scenario's key "cluster".
  static Cluster read(sim::ObjectReader& reader, const Catalog& catalog);
  /// What stands under `key`: an object, or the name of a cluster of the catalogue.
  static Cluster read(sim::ObjectReader& holder, std::string_view key, const Catalog& catalog);
};

}  // namespace tokenyard::platforms
