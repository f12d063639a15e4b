#include "sim/network/topology.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace tokenyard::sim {

ZoneId Topology::add_zone(std::string name, Shape shape, ZoneId parent, const Ports& ports) {
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
  zones_[zone].hop = pair;
  return zone;
}

ZoneId Topology::add_torus(std::string name, std::array<std::uint32_t, 3> shape, LinkSpec hop, ZoneId parent, const Ports& ports) {
  const ZoneId zone = add_zone(std::move(name), Shape::kTorus, parent, ports);
  zones_[zone].extent = shape;
  zones_[zone].hop = hop;
  return zone;
}

HostId Topology::add_host(std::string name, ZoneId zone, const Ports& ports) {
  hosts_.push_back(add_child(std::move(name), zone, ports));
  return static_cast<HostId>(hosts_.size() - 1);
}

Topology::Child Topology::add_child(std::string name, ZoneId zone, const Ports& ports) {
  Child child;
  child.zone = zone;
  if (zone != kNoZone) {
    Zone& parent = zones_[zone];
    child.position = parent.children++;
    if (parent.shape == Shape::kTorus) {
      if (child.position >= parent.extent[0] * parent.extent[1] * parent.extent[2]) {
        throw InternalError("topology: more children than positions in torus " + parent.self.name);
      }
      // Two links per dimension, towards the next and the previous neighbour.
      for (const char* hop : {"+x", "-x", "+y", "-y", "+z", "-z"}) parent.hop_links.push_back(add_link(name + hop, parent.hop));
    } else if (parent.shape == Shape::kMesh) {
      // Row by row: links to and from every child before this one.
      for (std::uint32_t other = 0; other < child.position; ++other) {
        parent.hop_links.push_back(add_link(parent.self.name + ':' + std::to_string(child.position) + '>' + std::to_string(other), parent.hop));
        parent.hop_links.push_back(add_link(parent.self.name + ':' + std::to_string(other) + '>' + std::to_string(child.position), parent.hop));
      }
    }
  }
  child.inner = ports.inner.bytes_per_s > 0 ? add_duplex(name, ports.inner) : kNoLink;
  child.outer = ports.outer.bytes_per_s > 0 ? add_duplex(name + ".nic", ports.outer) : child.inner;
  child.name = std::move(name);
  return child;
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
  if (zone.shape == Shape::kStar) {
    if (from.inner != kNoLink) use(from.inner);
    if (to.inner != kNoLink) use(to.inner + 1);
  } else if (zone.shape == Shape::kMesh) {
    const std::uint32_t high = std::max(from.position, to.position), low = std::min(from.position, to.position);
    use(zone.hop_links[std::size_t{high} * (high - 1) + 2 * low + (from.position == high ? 0 : 1)]);
  } else {
    std::array<std::uint32_t, 3> at{}, goal{};
    const auto coordinates = [&](std::uint32_t position) {
      return std::array<std::uint32_t, 3>{position % zone.extent[0], position / zone.extent[0] % zone.extent[1],
                                          position / (zone.extent[0] * zone.extent[1])};
    };
    at = coordinates(from.position);
    goal = coordinates(to.position);
    for (std::size_t dimension = 0; dimension < 3; ++dimension) {
      const std::uint32_t extent = zone.extent[dimension];
      while (at[dimension] != goal[dimension]) {
        const bool forward = (goal[dimension] + extent - at[dimension]) % extent <= extent / 2;
        const std::uint32_t position = at[0] + zone.extent[0] * (at[1] + zone.extent[1] * at[2]);
        use(zone.hop_links[position * 6 + dimension * 2 + (forward ? 0 : 1)]);
        at[dimension] = (at[dimension] + (forward ? 1 : extent - 1)) % extent;
      }
    }
  }
}

void Topology::route(HostId from, HostId to, Route& route) const {
  route.links.clear();
  route.latency = {};
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
