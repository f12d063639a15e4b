#include "sim/network/network.hpp"

#include <algorithm>
#include <numeric>

namespace tokenyard::sim {

void Network::count_flow(const Topology::Route& route, double bytes) {
  ++flows_;
  bytes_ += bytes;
  for (const LinkId link : route.links) link_bytes_[link] += bytes;
}

std::vector<LinkUse> Network::busiest_links(std::size_t count) const {
  std::vector<std::size_t> order(link_bytes_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return link_bytes_[a] > link_bytes_[b]; });
  std::vector<LinkUse> busiest;
  for (const std::size_t link : order) {
    if (busiest.size() == count || link_bytes_[link] <= 0) break;
    busiest.push_back({topology_.links()[link].name, link_bytes_[link]});
  }
  return busiest;
}

}  // namespace tokenyard::sim
