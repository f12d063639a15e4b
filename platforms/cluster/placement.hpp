#pragma once
/// Where the replicas of all pools lie on a cluster, and the network that joins them.
///
/// Pools take the first free chips of their kind, site by site, node by node, in the order of the pools. A replica that
/// any node of its kind can hold is never spread over two; a larger one takes whole tensor-parallel groups in each node
/// and stays at one site. In a torus a replica takes a box of chips (torus.hpp) aligned to its own extents; where no
/// box has just its number of chips, the rest of the box stays idle.
///
/// On the network a replica is one host, whose ports are those of its k chips together: KV, weights and tokens move
/// between replicas striped over all their chips, as the connectors of serving engines do, and what moves among the
/// chips of one replica is in its step cost (cost/node_span.hpp). The KV of a data-parallel rank, too, has all ports of
/// its replica: too many where it moves alone, its share where all ranks move at once. A path is, by the zones of
/// sim/network/topology.hpp:
/// - within a node: k · scale-up rate on either side of a switch (2 us, assumed); in a mesh, k · l links between
///   replicas of k and l chips; in a torus, the faces of the largest box that divides all its replicas' boxes (1 us a
///   hop, assumed), dimension by dimension, so that a larger replica gets the rate of one such box: a lower bound;
/// - between nodes: k NICs and, in a star with a rate, the port of the node that its replicas share; in a rail fabric
///   the replica's own share of that port; in a torus of nodes its hops;
/// - between sites: the way out of the node, the wide-area ports of both sites, the way in.
/// A replica on several nodes hangs at the site's switch with its share of each, past the nodes' own ports.
/// What a node lacks (chips without a scale-up rate) goes over the NICs.
///
/// Cost: O(pools · nodes in use + replicas) time; the network has the nodes in use only. A million chips take a second.
///
///   Placement placement = place(cluster, {{.name = "main", .chip = h100, .replicas = 4, .chips = 4, .tp = 4}});
///   AnalyticNetwork network(placement.topology, simulation);
///   placement.pools[0][3].host;

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platforms/cluster/cluster.hpp"
#include "sim/network/topology.hpp"

namespace tokenyard::platforms {

/// A pool, as its place needs to know it.
struct PlacementRequest {
  std::string name;
  const Chip* chip = nullptr;
  std::int64_t replicas = 1;
  std::int64_t chips = 1;  ///< of a replica
  std::int64_t tp = 1;     ///< of them, a tensor-parallel group: kept within a node where it goes into one
  std::string site = {};   ///< empty: any
  std::optional<std::size_t> sends_to = {};  ///< the pool that takes its KV over
  /// It has a remote store of KV at the site of its first replica, a host of its own beside the nodes: what that sends
  /// at most (0: no limit but the replicas' NICs). Needs a star or rail fabric.
  std::optional<double> store_bytes_per_s = {};
  std::string pointer = {};  ///< where the input asks for it, "/pools/0", for messages
};

struct ReplicaPlace {
  sim::HostId host = 0;
  std::uint32_t site = 0;
  std::uint32_t node = 0;   ///< the first, counted within the site
  std::uint32_t nodes = 1;  ///< how many it lies on
};

struct Placement {
  sim::Topology topology;
  std::vector<std::vector<ReplicaPlace>> pools;
  std::vector<sim::HostId> stores;  ///< of each pool; 0 where it has none

  std::vector<sim::HostId> hosts(std::size_t pool) const;
  /// A number for the node of each replica, alike for all on one node.
  std::vector<std::uint32_t> nodes(std::size_t pool) const;
};

/// Throws sim::Infeasible, with a remedy, where chips do not suffice or a path does not exist.
Placement place(const Cluster& cluster, const std::vector<PlacementRequest>& pools);

}  // namespace tokenyard::platforms
