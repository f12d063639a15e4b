#pragma once
/// A number with its source: how every number of the catalogue is written.
///
///   "memory_bytes_per_s": {"value": 3.35e12, "source": "NVIDIA data sheet", "date": "2022-09"}
///
/// `assumed: true` marks what nobody measured or published for just this thing; `note` is free text. A user's own file
/// may have the bare number instead. A number that nobody knows is absent.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

/// One number of an entry, for printing.
struct Fact {
  std::string key;     ///< "efficiency/gemm_compute/bf16"
  std::string value;   ///< as JSON text
  std::string source;  ///< empty: a bare number in a user's file
  std::string date;    ///< of the source, or when it was read: "2022-09", "2026"
  std::string note;
  bool assumed = false;
};

/// The facts of an entry in the order in which they are written. Bare numbers and booleans count, too; of a table,
/// the number of its rows.
std::vector<Fact> collect_facts(const sim::Json& entry);

/// Takes the keys that stand beside a value: source, date, note and assumed. `collect_facts` is what shows them.
void read_provenance(sim::ObjectReader& reader, bool source_required);

/// The value under `key`, a fact or a bare number; nothing if absent. Faults as ObjectReader's. A fallback in `rule` is
/// not used.
std::optional<double> optional_fact(sim::ObjectReader& reader, std::string_view key, const sim::NumberRule& rule = {});
std::optional<std::int64_t> optional_count(sim::ObjectReader& reader, std::string_view key,
                                           const sim::NumberRule& rule = {});
/// The same, a fault if absent; then 0.
double required_fact(sim::ObjectReader& reader, std::string_view key, const sim::NumberRule& rule = {});
std::int64_t required_count(sim::ObjectReader& reader, std::string_view key, const sim::NumberRule& rule = {});
bool flag_fact(sim::ObjectReader& reader, std::string_view key, bool fallback);
/// An array of counts, as a fact or bare; empty if absent.
std::vector<std::int64_t> optional_counts(sim::ObjectReader& reader, std::string_view key);

}  // namespace tokenyard::platforms
