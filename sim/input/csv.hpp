#pragma once
/// Fields of a row of CSV, without copies.
///
///   std::vector<std::string_view> fields;
///   split_csv("2023-11-16 18:15:46.6805900,374,44", fields);   // fields[1] is "374"

#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::sim {

/// Fills `fields` with views into `line`, without blanks around them and without the quotes of a quoted field (a
/// doubled quote inside stays doubled: see `unquoted`). False if a quote is not closed or text follows one.
bool split_csv(std::string_view line, std::vector<std::string_view>& fields);

/// A field with each doubled quote as the one that it stands for.
std::string unquoted(std::string_view field);

}  // namespace tokenyard::sim
