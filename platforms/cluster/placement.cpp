#include "platforms/cluster/placement.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>

#include "platforms/cluster/free_chips.hpp"

namespace tokenyard::platforms {
namespace {

using sim::LinkSpec;
using sim::Time;
using sim::Topology;
using sim::ZoneId;

// Assumed: one-sided copies between chips take 1 to 3 us before the first byte, by a vendor's switch or a mesh link.
const Time kAcrossNode = Time::microseconds(2);
const Time kTorusHop = Time::microseconds(1);

/// How a replica is cut into parts of one node each.
struct Partition {
  std::int64_t chips = 0;  ///< of each part but the last
  std::int64_t parts = 0;
  std::int64_t rest = 0;  ///< chips of one more part; 0: there is none
};

Partition partition(const PlacementRequest& pool, const NodeGroup& group) {
  if (pool.chips <= group.chips_per_node) return {pool.chips, 1, 0};
  const std::int64_t chips = group.chips_for_groups_of(pool.tp);
  return {chips, pool.chips / chips, pool.chips % chips};
}

/// A node group at its site, while it fills.
struct FillingGroup {
  FillingGroup(const Site& at_site, const NodeGroup& of_group, std::uint32_t index, std::int64_t first)
      : site(at_site), group(of_group), site_index(index), first_node(first), free(group) {}
  const Site& site;
  const NodeGroup& group;
  std::uint32_t site_index;
  std::int64_t first_node;  ///< of the site
  FreeChips free;
  TorusShape unit{0, 0, 0};   ///< of a torus, the box that is one position of the network
  std::vector<ZoneId> zones;  ///< by node; kNoZone: no replica yet
};

class Placer {
 public:
  Placer(const Cluster& cluster, const std::vector<PlacementRequest>& pools) : cluster_(cluster), pools_(pools) {
    add_sites();
    find_units();
  }

  Placement run() {
    for (const PlacementRequest& pool : pools_) place_pool(pool);
    for (std::size_t i = 0; i < pools_.size(); ++i) result_.stores.push_back(add_store(i));
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      if (pools_[i].sends_to) check_path(i, *pools_[i].sends_to);
    }
    return std::move(result_);
  }

 private:
  void add_sites() {
    const ZoneId wan = topology().add_star("wan");
    const sim::Ports ports{{cluster_.wan.bytes_per_s, Time::seconds(cluster_.wan.latency_s / 2)}, {}};
    for (const Site& site : cluster_.sites) {
      const Fabric& fabric = site.fabric;
      if (fabric.topology == FabricTopology::kTorus) {
        sites_.push_back(topology().add_torus(site.name, extents(fabric.shape),
                                              {*fabric.bytes_per_s, Time::seconds(fabric.latency_s)}, wan, ports));
      } else {
        sites_.push_back(topology().add_star(site.name, wan, ports));
      }
      std::int64_t first = 0;
      for (const NodeGroup& group : site.groups) {
        groups_.emplace_back(site, group, static_cast<std::uint32_t>(sites_.size() - 1), first);
        first += group.count;
      }
    }
  }

  /// The groups where a pool may lie, in order: those with nodes that hold a replica, if there are any; else those
  /// with a way from node to node.
  std::vector<FillingGroup*> groups_for(const PlacementRequest& pool) {
    std::vector<FillingGroup*> holding, spanning;
    for (FillingGroup& filling : groups_) {
      if (filling.group.chip != pool.chip || (!pool.site.empty() && filling.site.name != pool.site)) continue;
      if (filling.group.chips_per_node >= pool.chips)
        holding.push_back(&filling);
      else if (filling.site.fabric.topology != FabricTopology::kNone)
        spanning.push_back(&filling);
    }
    return holding.empty() ? spanning : holding;
  }

  void find_units() {
    for (const PlacementRequest& pool : pools_) {
      for (FillingGroup* filling : groups_for(pool)) {
        if (!filling->group.is_torus()) continue;
        const Partition parts = partition(pool, filling->group);
        for (const std::int64_t chips : {parts.chips, parts.rest}) {
          if (chips == 0) continue;
          const TorusShape block = filling->free.search_for(chips).block;
          for (std::size_t d = 0; d < 3; ++d)
            filling->unit[d] = std::gcd(filling->unit[d], std::gcd(block[d], filling->group.shape[d]));
        }
      }
    }
  }

  void place_pool(const PlacementRequest& pool) {
    std::vector<ReplicaPlace>& places = result_.pools.emplace_back();
    std::vector<FillingGroup*> groups = groups_for(pool);
    auto next = groups.begin();
    std::optional<ChipSearch> whole, rest;  // how far the search has come in this group
    std::vector<TakenChips> parts;
    while (std::ssize(places) < pool.replicas) {
      if (next == groups.end()) throw sim::Infeasible(no_room(pool, std::ssize(places)), pool.pointer);
      FillingGroup& here = **next;
      const Partition needed = partition(pool, here.group);
      if (!whole) {
        whole = here.free.search_for(needed.chips);
        if (needed.rest > 0) rest = here.free.search_for(needed.rest);
      }
      if (take(here.free, needed, *whole, rest, parts)) {
        places.push_back(add_replica(here, pool, std::ssize(places), parts));
      } else {
        ++next;
        whole.reset();
        rest.reset();
      }
    }
  }

  /// All parts of a replica, or none.
  static bool take(FreeChips& free, const Partition& needed, ChipSearch& whole, std::optional<ChipSearch>& rest,
                   std::vector<TakenChips>& parts) {
    parts.clear();
    while (std::ssize(parts) < needed.parts) {
      const std::optional<TakenChips> part = free.take(whole);
      if (!part) break;
      parts.push_back(*part);
    }
    std::optional<TakenChips> last;
    if (std::ssize(parts) == needed.parts && rest) last = free.take(*rest);
    if (std::ssize(parts) < needed.parts || (rest && !last)) {
      for (const TakenChips& part : parts) free.give_back(whole, part);
      return false;
    }
    if (last) parts.push_back(*last);
    return true;
  }

  ReplicaPlace add_replica(FillingGroup& filling, const PlacementRequest& pool, std::int64_t replica,
                           const std::vector<TakenChips>& parts) {
    const TakenChips& lead = parts.front();
    const bool spans = parts.size() > 1;
    const std::string name = fmt::format("{}:{}/{}", node_name(filling, lead.node), pool.name, replica);
    const auto k = static_cast<double>(pool.chips);
    const Fabric& fabric = filling.site.fabric;
    ReplicaPlace place{0, filling.site_index, static_cast<std::uint32_t>(filling.first_node + lead.node),
                       static_cast<std::uint32_t>(parts.size())};
    if (spans && fabric.topology != FabricTopology::kTorus) {
      const LinkSpec share{k * filling.site.chip_bytes_per_s(filling.group).value_or(0),
                           Time::seconds(fabric.latency_s / 2)};
      place.host = topology().add_host(name, sites_[filling.site_index], {share, {}});
      return place;
    }
    const sim::Ports ports = replica_ports(filling, k, lead);
    place.host = topology().add_host(name, node_zone(filling, lead.node), ports);
    return place;
  }

  sim::HostId add_store(std::size_t pool) {
    if (!pools_[pool].store_bytes_per_s || result_.pools[pool].empty()) return 0;
    constexpr double kNoLimit = 1e15;
    const std::uint32_t site = result_.pools[pool].front().site;
    const Fabric& fabric = cluster_.sites[site].fabric;
    if (fabric.topology != FabricTopology::kStar && fabric.topology != FabricTopology::kRail) {
      throw sim::Infeasible(
          fmt::format("pool \"{}\": a remote store of KV needs a fabric \"star\" or \"rail\" at site \"{}\", which has "
                      "\"{}\".",
                      pools_[pool].name, cluster_.sites[site].name,
                      kFabricTopologyNames[static_cast<std::size_t>(fabric.topology)]),
          pools_[pool].pointer);
    }
    const double rate = *pools_[pool].store_bytes_per_s > 0 ? *pools_[pool].store_bytes_per_s : kNoLimit;
    return topology().add_host(fmt::format("{}/{}:store", cluster_.sites[site].name, pools_[pool].name), sites_[site],
                               {{rate, Time::seconds(fabric.latency_s / 2)}, {}});
  }

  sim::Ports replica_ports(const FillingGroup& filling, double k, const TakenChips& lead) const {
    const Chip& chip = *filling.group.chip;
    sim::Ports ports;
    ports.outer = way_out(filling, k);
    const TorusShape& shape = filling.group.shape;
    if (torus_on_network(filling.group)) {
      const TorusShape at{lead.origin[0] / filling.unit[0], lead.origin[1] / filling.unit[1],
                          lead.origin[2] / filling.unit[2]};
      ports.position =
          static_cast<std::uint32_t>(at[0] + shape[0] / filling.unit[0] * (at[1] + shape[1] / filling.unit[1] * at[2]));
    } else if (mesh_on_network(filling.group)) {
      ports.lanes = static_cast<std::uint32_t>(k);
    } else {
      ports.inner.bytes_per_s = chip.scale_up.bytes_per_s ? *chip.scale_up.bytes_per_s * k : ports.outer.bytes_per_s;
      ports.inner.latency = Time::nanoseconds(kAcrossNode.ns() / 2);
    }
    return ports;
  }

  /// From k chips out of their node.
  static LinkSpec way_out(const FillingGroup& filling, double k) {
    const Chip& chip = *filling.group.chip;
    const Fabric& fabric = filling.site.fabric;
    const Time half = Time::seconds(fabric.latency_s / 2);
    switch (fabric.topology) {
      case FabricTopology::kStar:
        // The node's port bounds all of it; a chip without a known NIC may use it whole.
        return {chip.scale_out_bytes_per_s ? *chip.scale_out_bytes_per_s * k : fabric.bytes_per_s.value_or(0), half};
      case FabricTopology::kRail:
        return {filling.site.chip_bytes_per_s(filling.group).value_or(0) * k, half};
      case FabricTopology::kTorus:
        // The links of the torus are the node's ports.
        return {chip.scale_up.bytes_per_s ? *chip.scale_up.bytes_per_s * k : *fabric.bytes_per_s, {}};
      case FabricTopology::kNone:
        break;
    }
    return {};
  }

  static bool torus_on_network(const NodeGroup& group) { return group.is_torus() && group.chip->scale_up.bytes_per_s; }
  static bool mesh_on_network(const NodeGroup& group) {
    return group.chip->scale_up.topology == ScaleUpTopology::kMesh && group.chip->scale_up.bytes_per_s &&
           group.chips_per_node > 1;
  }

  ZoneId node_zone(FillingGroup& filling, std::int64_t node) {
    const auto index = static_cast<std::size_t>(node);
    if (index >= filling.zones.size()) filling.zones.resize(index + 1, Topology::kNoZone);
    if (filling.zones[index] == Topology::kNoZone) filling.zones[index] = add_node(filling, node);
    return filling.zones[index];
  }

  ZoneId add_node(const FillingGroup& filling, std::int64_t node) {
    const Fabric& fabric = filling.site.fabric;
    const NodeGroup& group = filling.group;
    const Chip& chip = *group.chip;
    const ZoneId site = sites_[filling.site_index];
    sim::Ports ports;
    if (fabric.topology == FabricTopology::kStar && fabric.bytes_per_s) ports.inner.bytes_per_s = *fabric.bytes_per_s;
    if (fabric.topology == FabricTopology::kTorus)
      ports.position = static_cast<std::uint32_t>(filling.first_node + node);
    const std::string name = node_name(filling, node);
    if (torus_on_network(group)) {
      const TorusShape& unit = filling.unit;
      const int links = 2 * chip.scale_up.torus_dimensions();
      std::array<LinkSpec, 3> hops;
      for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t abreast = volume(unit) / unit[d];  // links through a face of the unit
        hops[d] = {*chip.scale_up.bytes_per_s / links * static_cast<double>(abreast), kTorusHop};
      }
      return topology().add_torus(
          name, extents({group.shape[0] / unit[0], group.shape[1] / unit[1], group.shape[2] / unit[2]}), hops, site,
          ports);
    }
    if (mesh_on_network(group)) {
      const auto peers = static_cast<double>(chip.scale_up.domain_chips.value_or(group.chips_per_node) - 1);
      return topology().add_mesh(name, {*chip.scale_up.bytes_per_s / peers, kAcrossNode}, site, ports);
    }
    return topology().add_star(name, site, ports);
  }

  static std::string node_name(const FillingGroup& filling, std::int64_t node) {
    return fmt::format("{}/{}{}", filling.site.name, filling.group.chip->name, filling.first_node + node);
  }

  static std::array<std::uint32_t, 3> extents(const TorusShape& shape) {
    return {static_cast<std::uint32_t>(shape[0]), static_cast<std::uint32_t>(shape[1]),
            static_cast<std::uint32_t>(shape[2])};
  }

  std::string no_room(const PlacementRequest& pool, std::int64_t placed) {
    const std::string where = pool.site.empty() ? "the cluster" : fmt::format("site \"{}\"", pool.site);
    const std::vector<FillingGroup*> groups = groups_for(pool);
    const std::string who =
        fmt::format("pool \"{}\": replica {} of {} chips {}", pool.name, placed, pool.chips, pool.chip->name);
    const std::int64_t have = cluster_.chips_of(*pool.chip, pool.site);
    if (have == 0) return fmt::format("{} finds none in {}. Add nodes of this chip, or choose another.", who, where);
    if (groups.empty()) {
      return fmt::format(
          "{} is larger than every node in {}, and the fabric \"none\" joins no nodes. Use fewer chips per replica "
          "(parallelism), or a fabric.",
          who, where);
    }
    std::int64_t most = 0;
    for (const FillingGroup* filling : groups) most = std::max(most, filling->group.chips_per_node);
    if (pool.chips <= most) {
      return fmt::format(
          "{} finds no node in {} with as many free chips together. Use fewer replicas or fewer chips per replica, or "
          "more nodes.",
          who, where);
    }
    return fmt::format(
        "{} finds not enough free nodes of at most {} chips in {}. Use fewer replicas or fewer chips per replica, or "
        "more nodes.",
        who, most, where);
  }

  /// Where nodes are not joined, whoever exchanges KV must share one.
  void check_path(std::size_t from, std::size_t to) const {
    bool joined = true;
    const ReplicaPlace* first = nullptr;
    bool together = true;
    for (const std::size_t pool : {from, to}) {
      for (const ReplicaPlace& place : result_.pools[pool]) {
        if (first == nullptr) first = &place;
        together = together && place.site == first->site && place.node == first->node;
        joined = joined && cluster_.sites[place.site].fabric.topology != FabricTopology::kNone;
      }
    }
    if (joined || together) return;
    throw sim::Infeasible(
        fmt::format("pool \"{}\" hands its KV over to pool \"{}\", but they do not share one node and the fabric "
                    "\"none\" joins no nodes. "
                    "Give the cluster a fabric (\"star\", \"rail\" or \"torus\").",
                    pools_[from].name, pools_[to].name),
        pools_[from].pointer);
  }

  Topology& topology() { return result_.topology; }

  const Cluster& cluster_;
  const std::vector<PlacementRequest>& pools_;
  std::vector<FillingGroup> groups_;
  std::vector<ZoneId> sites_;
  Placement result_;
};

}  // namespace

std::vector<sim::HostId> Placement::hosts(std::size_t pool) const {
  std::vector<sim::HostId> hosts;
  hosts.reserve(pools[pool].size());
  for (const ReplicaPlace& place : pools[pool]) hosts.push_back(place.host);
  return hosts;
}

std::vector<std::uint32_t> Placement::nodes(std::size_t pool) const {
  // By the node's first replica, in the order of the pools.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
  for (const std::vector<ReplicaPlace>& places : pools) {
    for (const ReplicaPlace& place : places)
      numbers.try_emplace({place.site, place.node}, static_cast<std::uint32_t>(numbers.size()));
  }
  std::vector<std::uint32_t> result;
  for (const ReplicaPlace& place : pools[pool]) result.push_back(numbers.at({place.site, place.node}));
  return result;
}

Placement place(const Cluster& cluster, const std::vector<PlacementRequest>& pools) {
  return Placer(cluster, pools).run();
}

}  // namespace tokenyard::platforms
