#include "sim/network/topology.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace tokenyard::sim {

ZoneId Topology::add_zone(std::string name, Shape shape, ZoneId parent, const Ports& ports) {
  if ((parent == kNoZone) != zones_.empty()) {
    throw InternalError("topology: zone " + name +
                        (parent == kNoZone ? " is a second root" : " comes before its parent"));
  }
  Zone zone;
  zone.self = add_child(std::move(name), parent, ports);
  zone.shape = shape;
  zone.depth = parent == kNoZone ? 0 : zones_[parent].depth + 1;
  zones_.push_back(std::move(zone));
  return static_cast<ZoneId>(zones_.size() - 1);
}

ZoneId Topology::add_star(std::string name, ZoneId parent, const Ports& ports) {
  return add_zone(std::move(name), Shape::kStar, parent, ports);
}

ZoneId Topology::add_mesh(std::string name, LinkSpec pair, ZoneId parent, const Ports& ports) {
  const ZoneId zone = add_zone(std::move(name), Shape::kMesh, parent, ports);
  zones_[zone].hops[0] = pair;
  return zone;
}

ZoneId Topology::add_torus(std::string name, std::array<std::uint32_t, 3> shape, LinkSpec hop, ZoneId parent,
                           const Ports& ports) {
  return add_torus(std::move(name), shape, std::array<LinkSpec, 3>{hop, hop, hop}, parent, ports);
}

ZoneId Topology::add_torus(std::string name, std::array<std::uint32_t, 3> shape, std::span<const LinkSpec, 3> hops,
                           ZoneId parent, const Ports& ports) {
  const ZoneId id = add_zone(std::move(name), Shape::kTorus, parent, ports);
  Zone& zone = zones_[id];
  zone.extent = shape;
  std::copy(hops.begin(), hops.end(), zone.hops.begin());
  zone.taken.resize(std::size_t{shape[0]} * shape[1] * shape[2]);
  add_torus_links(zone);
  return id;
}

HostId Topology::add_host(std::string name, ZoneId zone, const Ports& ports) {
  if (zone >= zones_.size()) throw InternalError("topology: host " + name + " is in no zone");
  hosts_.push_back(add_child(std::move(name), zone, ports));
  return static_cast<HostId>(hosts_.size() - 1);
}

Topology::Child Topology::add_child(std::string name, ZoneId zone, const Ports& ports) {
  Child child;
  child.zone = zone;
  if (zone != kNoZone) {
    if (zone >= zones_.size()) throw InternalError("topology: the parent of " + name + " is unknown");
    Zone& parent = zones_[zone];
    child.position = parent.children++;
    if (parent.shape == Shape::kTorus) child.position = take_position(parent, ports.position);
    if (parent.shape == Shape::kMesh) add_mesh_links(parent, ports.lanes);
  }
  child.inner = ports.inner.bytes_per_s > 0 ? add_duplex(name, ports.inner) : kNoLink;
  child.outer = ports.outer.bytes_per_s > 0 ? add_duplex(name + ".nic", ports.outer) : child.inner;
  child.name = std::move(name);
  return child;
}

std::uint32_t Topology::take_position(Zone& torus, std::uint32_t asked) {
  const std::uint32_t position = asked == Ports::kNext ? torus.children - 1 : asked;
  if (position >= torus.taken.size() || torus.taken[position]) {
    throw InternalError(fmt::format("topology: no free place {} in torus {}", position, torus.self.name));
  }
  torus.taken[position] = true;
  return position;
}

void Topology::add_torus_links(Zone& zone) {
  const auto& extent = zone.extent;
  if (extent[0] == 0 || extent[1] == 0 || extent[2] == 0) {
    throw InternalError("topology: torus " + zone.self.name + " has a dimension of 0");
  }
  for (std::uint32_t z = 0; z < extent[2]; ++z) {
    for (std::uint32_t y = 0; y < extent[1]; ++y) {
      for (std::uint32_t x = 0; x < extent[0]; ++x) {
        const std::string place = fmt::format("{}[{},{},{}]", zone.self.name, x, y, z);
        for (std::size_t dimension = 0; dimension < 3; ++dimension) {
          // The next neighbour in a ring of 2 is the previous one, too: one link each way.
          zone.hop_links.push_back(extent[dimension] > 1
                                       ? add_hop(fmt::format("{}+{}", place, "xyz"[dimension]), zone.hops[dimension])
                                       : kNoLink);
          zone.hop_links.push_back(extent[dimension] > 2
                                       ? add_hop(fmt::format("{}-{}", place, "xyz"[dimension]), zone.hops[dimension])
                                       : kNoLink);
        }
      }
    }
  }
}

void Topology::add_mesh_links(Zone& zone, std::uint32_t lanes) {
  const auto position = static_cast<std::uint32_t>(zone.lanes.size());
  for (std::uint32_t other = 0; other < position; ++other) {
    LinkSpec link = zone.hops[0];
    link.bytes_per_s *= static_cast<double>(lanes) * zone.lanes[other];
    zone.hop_links.push_back(add_hop(fmt::format("{}:{}>{}", zone.self.name, position, other), link));
    zone.hop_links.push_back(add_hop(fmt::format("{}:{}>{}", zone.self.name, other, position), link));
  }
  zone.lanes.push_back(lanes);
}

LinkId Topology::add_hop(std::string name, const LinkSpec& spec) {
  if (!(spec.bytes_per_s > 0)) throw InternalError("topology: link " + name + " has no bandwidth");
  return add_link(std::move(name), spec);
}

LinkId Topology::add_link(std::string name, const LinkSpec& spec) {
  links_.push_back({std::move(name), spec.bytes_per_s, spec.latency});
  return static_cast<LinkId>(links_.size() - 1);
}

LinkId Topology::add_duplex(const std::string& name, const LinkSpec& spec) {
  const LinkId up = add_link(name + ".up", spec);
  add_link(name + ".down", spec);
  return up;
}

void Topology::cross(const Zone& zone, const Child& from, const Child& to, Route& route) const {
  const auto use = [&](LinkId link) {
    route.links.push_back(link);
    route.latency += links_[link].latency;
  };
  switch (zone.shape) {
    case Shape::kStar:
      if (from.inner != kNoLink) use(from.inner);
      if (to.inner != kNoLink) use(to.inner + 1);
      break;
    case Shape::kMesh: {
      const std::uint32_t high = std::max(from.position, to.position), low = std::min(from.position, to.position);
      use(zone.hop_links[std::size_t{high} * (high - 1) + 2 * std::size_t{low} + (from.position == high ? 0 : 1)]);
      break;
    }
    case Shape::kTorus:
      cross_torus(zone, from.position, to.position, route);
      break;
  }
}

/// Dimension by dimension, x first: two messages between the same ends take the same way, and no ring waits for
/// another.
void Topology::cross_torus(const Zone& zone, std::uint32_t from, std::uint32_t to, Route& route) const {
  const auto& extent = zone.extent;
  const auto coordinates = [&](std::uint32_t position) {
    return std::array<std::uint32_t, 3>{position % extent[0], position / extent[0] % extent[1],
                                        position / (extent[0] * extent[1])};
  };
  std::array<std::uint32_t, 3> at = coordinates(from);
  const std::array<std::uint32_t, 3> goal = coordinates(to);
  for (std::size_t dimension = 0; dimension < 3; ++dimension) {
    const std::uint32_t size = extent[dimension];
    const bool forward = (goal[dimension] + size - at[dimension]) % size <= size / 2;
    while (at[dimension] != goal[dimension]) {
      const std::size_t position = at[0] + std::size_t{extent[0]} * (at[1] + std::size_t{extent[1]} * at[2]);
      const LinkId link = zone.hop_links[position * 6 + dimension * 2 + (forward ? 0 : 1)];
      route.links.push_back(link);
      route.latency += links_[link].latency;
      at[dimension] = (at[dimension] + (forward ? 1 : size - 1)) % size;
    }
  }
}

void Topology::route(HostId from, HostId to, Route& route) const {
  route.links.clear();
  route.latency = {};
  if (from >= hosts_.size() || to >= hosts_.size()) throw InternalError("topology: a route between unknown hosts");
  if (from == to) return;
  const Child* a = &hosts_[from];
  const Child* b = &hosts_[to];
  std::vector<LinkId> down;
  const auto leave = [&](const Child*& child, bool up) {
    if (child->outer != kNoLink) {
      if (up) {
        route.links.push_back(child->outer);
      } else {
        down.push_back(child->outer + 1);
      }
      route.latency += links_[child->outer].latency;
    }
    child = &zones_[child->zone].self;
  };
  while (a->zone != b->zone) {
    const std::uint32_t depth_a = zones_[a->zone].depth, depth_b = zones_[b->zone].depth;
    if (depth_a >= depth_b) leave(a, true);
    if (depth_b >= depth_a) leave(b, false);
  }
  cross(zones_[a->zone], *a, *b, route);
  route.links.insert(route.links.end(), down.rbegin(), down.rend());
}

}  // namespace tokenyard::sim
