#pragma once
/// JSON pointers (RFC 6901) by which users name a value of a scenario: --set, campaigns and studies.
///
/// A pointer that sets may name a key that is not there yet, also below what is not there yet, and the element just
/// behind the end of an array, as its index or as "-"; never one further on. What is not there yet becomes an array
/// where the next key is "0" or "-", else an object.
///
///   if (const auto fault = set_at(scenario, pointer, 8)) report(*fault, pointer, reader);
///   const sim::Json* replicas = find_at(scenario, "/pools/0/replicas");

#include <optional>
#include <string>
#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// Keys of a pointer: what holds a value is walked by recursion, so it may be as deep as a parsed text.
inline constexpr std::size_t kMostPointerKeys = 200;

/// Why a pointer does not lead anywhere, as a fault says it.
struct PointerFault {
  std::string found, allowed;
};

/// What is wrong with the text alone, whatever the document: no "/" at its start, a "~" that escapes neither "~" nor
/// "/", too many keys. Nothing if it may set a value.
std::optional<PointerFault> fault_of_pointer(std::string_view pointer);

/// The value at a pointer, the empty one leading to the document itself; null if there is none.
const sim::Json* find_at(const sim::Json& document, std::string_view pointer);

/// Sets a value; with a fault, the document stays as it is.
std::optional<PointerFault> set_at(sim::Json& document, std::string_view pointer, sim::Json value);

/// Adds the fault at the member whose key the pointer is; at the object itself where that would make an endless place.
void report(const PointerFault& fault, const std::string& pointer, sim::ObjectReader& reader);

}  // namespace tokenyard::analysis
