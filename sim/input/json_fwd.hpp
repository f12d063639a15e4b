#pragma once
/// The one type of JSON values, for headers that only name it: keys stay in the order in which they were written.

#include <nlohmann/json_fwd.hpp>

namespace tokenyard::sim {

using Json = nlohmann::ordered_json;

}  // namespace tokenyard::sim
