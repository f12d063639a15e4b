#pragma once
/// What is connected to what: hosts in zones, and the route between any two of them.
///
/// A zone is a star (non-blocking switch), a torus (2-D or 3-D, dimension-order routes) or a mesh (a link of its own
/// for each ordered pair), and its children are hosts or zones. Each child has an *inner* port, used within its zone,
/// and an *outer* port, used when leaving it: a chip speaks to its neighbours over NVLink and to other nodes over its
/// NIC. A route is: the outer ports up to the common zone, the crossing of that zone between the two children, the
/// outer ports down. Every port is duplex: one link per direction. The latency of a route is the sum of its links'
/// latencies.
///
/// Broken rules (a second root, a taken place in a torus, a hop without bandwidth) throw InternalError: whoever reads a
/// scenario checks it first.
///
/// Sites over a wide area are a star of stars; a rail fabric is a star of nodes whose hosts have a NIC each. Routes are
/// computed, not stored: memory is O(hosts + links), a route O(its length).
///
///   Topology topology;
///   ZoneId fabric = topology.add_star("fabric");
///   ZoneId node = topology.add_star("node0", fabric);
///   HostId gpu0 = topology.add_host("gpu0", node, {.inner = {450e9, Time::microseconds(1)},
///                                                  .outer = {50e9, Time::microseconds(2)}});

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/core/time.hpp"

namespace tokenyard::sim {

using HostId = std::uint32_t;
using ZoneId = std::uint32_t;
using LinkId = std::uint32_t;

struct LinkSpec {
  double bytes_per_s = 0;  ///< one direction; must be > 0 where a route uses it. 0: no such port
  Time latency;
};

/// How a host or zone is attached to its zone. `outer` 0: the inner port is used for leaving, too.
struct Ports {
  static constexpr std::uint32_t kNext = 0xffffffff;
  LinkSpec inner;
  LinkSpec outer;
  /// In a mesh: how many it stands for. The link of two children is pair · lanes · lanes.
  std::uint32_t lanes = 1;
  /// In a torus: its place, x fastest, which no other may have.
  std::uint32_t position = kNext;
};

struct Link {
  std::string name;
  double bytes_per_s = 0;
  Time latency;
};

class Topology {
 public:
  static constexpr ZoneId kNoZone = 0xffffffff;

  /// A zone without parent is the root; there is one. `ports` attach the zone to its parent.
  ZoneId add_star(std::string name, ZoneId parent = kNoZone, const Ports& ports = {});
  ZoneId add_mesh(std::string name, LinkSpec pair, ZoneId parent = kNoZone, const Ports& ports = {});
  /// Children are placed in the order in which they are added, x fastest, or where their ports say. A dimension of 1 is
  /// absent. Each position has one duplex link per dimension towards its next neighbour, wrapping around (a ring of 2
  /// has one). The links are there from the start: positions without a child still pass traffic on.
  ZoneId add_torus(std::string name, std::array<std::uint32_t, 3> shape, LinkSpec hop, ZoneId parent = kNoZone,
                   const Ports& ports = {});
  /// The same with a link of its own kind in each dimension.
  ZoneId add_torus(std::string name, std::array<std::uint32_t, 3> shape, std::span<const LinkSpec, 3> hops,
                   ZoneId parent = kNoZone, const Ports& ports = {});
  HostId add_host(std::string name, ZoneId zone, const Ports& ports);

  struct Route {
    std::vector<LinkId> links;
    Time latency;
  };
  /// Replaces `route`. From a host to itself: no link, no latency. In a ring, the shorter way; forward if both are
  /// equal.
  void route(HostId from, HostId to, Route& route) const;

  const std::vector<Link>& links() const { return links_; }
  std::size_t hosts() const { return hosts_.size(); }

 private:
  enum class Shape : std::uint8_t { kStar, kMesh, kTorus };
  /// A host or a zone, as a child of its zone.
  struct Child {
    std::string name;
    ZoneId zone = kNoZone;        ///< the zone it is in
    std::uint32_t position = 0;   ///< its place there
    LinkId inner = 0, outer = 0;  ///< the upward link; the downward one follows. kNoLink: none
  };
  struct Zone {
    Child self;
    Shape shape = Shape::kStar;
    std::uint32_t depth = 0;
    std::uint32_t children = 0;
    std::array<std::uint32_t, 3> extent{1, 1, 1};
    std::array<LinkSpec, 3> hops;      ///< torus: by dimension; mesh: the first
    std::vector<LinkId> hop_links;     ///< torus: six per position, kNoLink where absent; mesh: two per pair
    std::vector<bool> taken;           ///< torus: by position
    std::vector<std::uint32_t> lanes;  ///< mesh: by position
  };
  static constexpr LinkId kNoLink = 0xffffffff;

  ZoneId add_zone(std::string name, Shape shape, ZoneId parent, const Ports& ports);
  Child add_child(std::string name, ZoneId zone, const Ports& ports);
  static std::uint32_t take_position(Zone& torus, std::uint32_t asked);
  LinkId add_link(std::string name, const LinkSpec& spec);
  LinkId add_hop(std::string name, const LinkSpec& spec);
  LinkId add_duplex(const std::string& name, const LinkSpec& spec);
  void add_torus_links(Zone& zone);
  /// Towards every child that is there already, and back.
  void add_mesh_links(Zone& zone, std::uint32_t lanes);
  /// From one child of the zone to another, over their inner ports or the zone's own links.
  void cross(const Zone& zone, const Child& from, const Child& to, Route& route) const;
  void cross_torus(const Zone& zone, std::uint32_t from, std::uint32_t to, Route& route) const;

  std::vector<Child> hosts_;
  std::vector<Zone> zones_;
  std::vector<Link> links_;
};

}  // namespace tokenyard::sim
