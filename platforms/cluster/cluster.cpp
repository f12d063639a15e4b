#include "platforms/cluster/cluster.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "platforms/spec/catalog_entry.hpp"
#include "platforms/spec/fact.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::platforms {
namespace {

using sim::ObjectReader;

/// Extents that were written, as a shape; nothing if they are none of at most `dimensions`.
std::optional<TorusShape> as_shape(const std::vector<std::int64_t>& extents, int dimensions) {
  if (extents.empty() || extents.size() > static_cast<std::size_t>(dimensions)) return {};
  TorusShape shape{1, 1, 1};
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] > 100'000) return {};
    shape[i] = extents[i];
  }
  return shape;
}

/// For people: what came with a number and is none.
void skip_remarks(ObjectReader& reader) {
  for (const char* key : {"source", "note", "date"}) reader.raw(key);
}

/// The torus of a node's chips: as written, else the whole torus of the chip, else the most compact box.
void read_shape(ObjectReader& reader, NodeGroup& group) {
  const Chip& chip = *group.chip;
  const std::vector<std::int64_t> written = optional_counts(reader, "shape");
  const int dimensions = chip.scale_up.torus_dimensions();
  if (dimensions == 0) {
    if (!written.empty()) {
      reader.fault("shape", sim::shown(reader.value()["shape"]),
                   fmt::format("no shape: the chips of {} form no torus but \"{}\"", chip.name,
                               name_of(chip.scale_up.topology)));
    }
    return;
  }
  const std::optional<TorusShape> whole = as_shape(chip.scale_up.shape, dimensions);
  if (!written.empty()) {
    const std::optional<TorusShape> shape = as_shape(written, dimensions);
    if (!shape || volume(*shape) != group.chips_per_node) {
      reader.fault("shape", sim::shown(reader.value()["shape"]),
                   fmt::format("at most {} extents whose product is chips_per_node = {}, such as {}", dimensions,
                               group.chips_per_node, to_text(most_compact(group.chips_per_node, dimensions))));
    } else if (whole && !fits_within(*shape, *whole)) {
      reader.fault("shape", to_text(*shape),
                   fmt::format("a box within the torus of {}, {}", chip.name, to_text(*whole)));
    } else {
      group.shape = *shape;
    }
    return;
  }
  group.shape =
      whole && volume(*whole) == group.chips_per_node ? *whole : most_compact(group.chips_per_node, dimensions);
  if (whole && !fits_within(group.shape, *whole) && group.chips_per_node <= volume(*whole)) {
    reader.fault(
        "chips_per_node", std::to_string(group.chips_per_node),
        fmt::format("a number of chips that makes a box within the torus of {}, {}", chip.name, to_text(*whole)));
  }
}

NodeGroup read_nodes(ObjectReader& reader, const Catalog& catalog, std::vector<std::string>& warnings) {
  NodeGroup group;
  group.chip = catalog_entry(reader, "chip", CatalogKind::kChip, catalog, &Catalog::find_chip);
  const std::int64_t domain = group.chip != nullptr ? group.chip->scale_up.domain_chips.value_or(0) : 0;
  const auto usual = static_cast<double>(domain > 0 ? std::min<std::int64_t>(8, domain) : 8);
  group.count = reader.integer("count", {.fallback = 1, .minimum = 1, .maximum = 1e6});
  group.chips_per_node = reader.integer("chips_per_node", {.fallback = usual, .minimum = 1, .maximum = 1e5});
  skip_remarks(reader);
  if (group.chip == nullptr) {
    reader.raw("shape");
    return group;
  }
  read_shape(reader, group);
  if (domain > 0 && group.chips_per_node > domain) {
    const Chip& chip = *group.chip;
    const auto topology = chip.scale_up.topology;
    if (topology == ScaleUpTopology::kPcie || topology == ScaleUpTopology::kNone) {
      warnings.push_back(fmt::format("{}: nodes of {} {}: the usual server holds at most {}", reader.pointer(),
                                     group.chips_per_node, chip.name, domain));
    } else {
      reader.fault("chips_per_node", std::to_string(group.chips_per_node),
                   fmt::format("at most {}, the scale-up domain of {}; a larger cluster has more nodes (\"count\")",
                               domain, chip.name));
    }
  }
  return group;
}

Fabric read_fabric(ObjectReader& reader, std::vector<std::int64_t>& shape) {
  Fabric fabric;
  fabric.topology = sim::enum_choice<FabricTopology>(reader, "topology", kFabricTopologyNames, "star");
  fabric.bytes_per_s = reader.optional_number("bytes_per_s", {.minimum = 1, .maximum = 1e18});
  fabric.latency_s = reader.number("latency_s", {.fallback = fabric.latency_s, .minimum = 0, .maximum = 10});
  shape = optional_counts(reader, "shape");
  skip_remarks(reader);
  if (fabric.topology == FabricTopology::kTorus && !fabric.bytes_per_s) {
    reader.fault("bytes_per_s", "nothing", "the rate of a link between neighbouring nodes, which a torus needs");
  }
  if (fabric.topology != FabricTopology::kTorus && !shape.empty()) {
    reader.fault("shape", sim::shown(reader.value()["shape"]),
                 "no shape, or the topology \"torus\"; that of the chips in a node stands beside chips_per_node");
    shape.clear();
  }
  return fabric;
}

/// A fabric as it was written, with its place in the input.
struct WrittenFabric {
  Fabric fabric;
  std::vector<std::int64_t> shape;
  std::string pointer;
};

std::optional<WrittenFabric> read_fabric_under(ObjectReader& holder) {
  WrittenFabric written;
  written.pointer = holder.pointer_to("fabric");
  const bool there =
      holder.object("fabric", [&](ObjectReader& reader) { written.fabric = read_fabric(reader, written.shape); });
  return there ? std::optional(std::move(written)) : std::nullopt;
}

/// What a fabric and the nodes that it joins say together.
void join(Site& site, const WrittenFabric& written, const std::string& file, sim::Faults& faults,
          std::vector<std::string>& warnings) {
  site.fabric = written.fabric;
  const std::int64_t nodes = site.nodes();
  if (site.fabric.topology == FabricTopology::kTorus) {
    const auto shape =
        written.shape.empty() ? most_compact(nodes, 3) : as_shape(written.shape, 3).value_or(TorusShape{0, 0, 0});
    if (volume(shape) != nodes) {
      faults.add(file, written.pointer + "/shape", fmt::format("[{}]", fmt::join(written.shape, ", ")),
                 fmt::format("at most 3 extents whose product is the {} nodes of site \"{}\"", nodes, site.name));
    } else {
      site.fabric.shape = shape;
    }
    return;
  }
  for (const NodeGroup& group : site.groups) {
    if (group.chip == nullptr || !site.fabric.bytes_per_s || !group.chip->scale_out_bytes_per_s) continue;
    const double nics = *group.chip->scale_out_bytes_per_s * static_cast<double>(group.chips_per_node);
    if (*site.fabric.bytes_per_s > nics * (1 + 1e-9)) {
      warnings.push_back(
          fmt::format("{}/bytes_per_s: {:g} is more than the NICs of a node of {} {} carry, {:g}; they are the limit",
                      written.pointer, *site.fabric.bytes_per_s, group.chips_per_node, group.chip->name, nics));
    }
  }
}

}  // namespace

bool NodeGroup::is_torus() const { return chip != nullptr && chip->scale_up.torus_dimensions() > 0; }

std::int64_t Site::nodes() const {
  std::int64_t total = 0;
  for (const NodeGroup& group : groups) total += group.count;
  return total;
}

void Site::add_nodes(NodeGroup& group, std::int64_t count) {
  group.count += count;
  if (fabric.topology == FabricTopology::kTorus) fabric.shape = most_compact(nodes(), 3);
}

std::optional<double> Site::chip_bytes_per_s(const NodeGroup& group) const {
  if (fabric.topology == FabricTopology::kNone) return {};
  std::optional<double> share;
  if (fabric.bytes_per_s) share = *fabric.bytes_per_s / static_cast<double>(group.chips_per_node);
  const std::optional<double>& nic = group.chip->scale_out_bytes_per_s;
  if (fabric.topology == FabricTopology::kTorus || !nic) return share;
  return share ? std::min(*share, *nic) : *nic;
}

std::int64_t Cluster::chips() const {
  std::int64_t total = 0;
  for (const Site& site : sites) {
    for (const NodeGroup& group : site.groups) total += group.chips();
  }
  return total;
}

std::int64_t Cluster::chips_of(const Chip& chip, std::string_view at) const {
  std::int64_t total = 0;
  for (const Site& site : sites) {
    if (!at.empty() && site.name != at) continue;
    for (const NodeGroup& group : site.groups) total += group.chip == &chip ? group.chips() : 0;
  }
  return total;
}

bool Cluster::has_site(std::string_view name) const {
  return std::any_of(sites.begin(), sites.end(), [&](const Site& site) { return site.name == name; });
}

std::vector<std::string> Cluster::site_names() const {
  std::vector<std::string> names;
  for (const Site& site : sites) names.push_back(site.name);
  return names;
}

bool Cluster::knows_rate_of(const Chip& chip, std::string_view at) const {
  for (const Site& site : sites) {
    if ((!at.empty() && site.name != at) || site.fabric.topology == FabricTopology::kNone) continue;
    for (const NodeGroup& group : site.groups) {
      if (group.chip == &chip && !site.chip_bytes_per_s(group)) return false;
    }
  }
  return true;
}

NodeSpan Cluster::span(const Chip& chip, std::int64_t chips, std::int64_t tp, std::string_view at) const {
  std::optional<NodeSpan> span;
  for (const Site& site : sites) {
    if (!at.empty() && site.name != at) continue;
    for (const NodeGroup& group : site.groups) {
      if (group.chip != &chip) continue;
      if (group.chips_per_node >= chips) return {};
      if (site.fabric.topology == FabricTopology::kNone) continue;
      const NodeSpan here{group.chips_for_groups_of(tp), site.chip_bytes_per_s(group).value_or(0),
                          site.fabric.latency_s};
      span = !span ? here
                   : NodeSpan{std::min(span->chips_per_node, here.chips_per_node),
                              std::min(span->bytes_per_s, here.bytes_per_s), std::max(span->latency_s, here.latency_s)};
    }
  }
  return span.value_or(NodeSpan());
}

Cluster Cluster::read(ObjectReader& reader, const Catalog& catalog) {
  Cluster cluster;
  for (const char* key : {"name", "title", "schema"}) reader.string(key, "");
  skip_remarks(reader);
  const std::optional<WrittenFabric> everywhere = read_fabric_under(reader);
  std::vector<std::optional<WrittenFabric>> own;
  const std::size_t count = reader.each(
      "sites",
      [&](ObjectReader& at) {
        Site site;
        site.name = at.string("name", fmt::format("site{}", cluster.sites.size()));
        skip_remarks(at);
        if (site.name.empty() || cluster.has_site(site.name))
          at.fault("name", '"' + site.name + '"', "a name that no other site has");
        if (at.each(
                "nodes",
                [&](ObjectReader& nodes) { site.groups.push_back(read_nodes(nodes, catalog, cluster.warnings)); },
                true) == 0 &&
            at.has("nodes") && at.value()["nodes"].is_array()) {
          at.fault("nodes", "[]", "at least one group of nodes");
        }
        own.push_back(read_fabric_under(at));
        cluster.sites.push_back(std::move(site));
      },
      true);
  if (count == 0 && reader.has("sites") && reader.value()["sites"].is_array())
    reader.fault("sites", "[]", "at least one site");
  for (std::size_t i = 0; i < cluster.sites.size(); ++i) {
    const std::optional<WrittenFabric>& fabric = own[i] ? own[i] : everywhere;
    if (fabric) join(cluster.sites[i], *fabric, reader.file(), reader.faults(), cluster.warnings);
  }
  reader.object("wan", [&](ObjectReader& at) {
    cluster.wan.bytes_per_s =
        at.number("bytes_per_s", {.fallback = cluster.wan.bytes_per_s, .minimum = 1, .maximum = 1e18});
    cluster.wan.latency_s = at.number("latency_s", {.fallback = cluster.wan.latency_s, .minimum = 0, .maximum = 10});
    skip_remarks(at);
  });
  cluster.pue = reader.number("pue", {.fallback = cluster.pue, .minimum = 1, .maximum = 10});
  cluster.power_usd_per_kwh = reader.number("power_usd_per_kwh", {.fallback = cluster.power_usd_per_kwh, .minimum = 0});
  return cluster;
}

Cluster Cluster::read(ObjectReader& holder, std::string_view key, const Catalog& catalog) {
  Cluster cluster;
  const sim::Json* written = holder.raw(key);
  if (written == nullptr) {
    holder.fault(key, "nothing", "a cluster: {\"sites\": […]} or a name of the catalogue");
  } else if (written->is_string()) {
    const auto name = written->get<std::string>();
    const sim::Json* known = catalog.find_cluster(name);
    if (known == nullptr) {
      holder.fault(key, '"' + name + '"', catalog.allowed(CatalogKind::kCluster, name));
      return cluster;
    }
    ObjectReader reader(*known, fmt::format("{} (cluster \"{}\")", catalog.origin(CatalogKind::kCluster, name), name),
                        "/cluster", holder.faults());
    cluster = read(reader, catalog);
  } else {
    holder.object(
        key, [&](ObjectReader& reader) { cluster = read(reader, catalog); }, true);
  }
  return cluster;
}

}  // namespace tokenyard::platforms
