#include "analysis/scenario/override.hpp"

#include "analysis/scenario/json_pointer.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Json;

void apply_override(Json& root, std::string_view assignment, std::string_view flag, sim::Faults& faults) {
  const std::size_t equals = assignment.find('=');
  const std::string_view pointer = assignment.substr(0, equals);
  if (!sim::is_utf8(assignment)) {
    faults.add("", std::string(flag), sim::shown(std::string(assignment)) + ", which is not UTF-8", "text in UTF-8");
    return;
  }
  if (equals == std::string_view::npos || pointer.empty() || pointer[0] != '/') {
    faults.add("", std::string(flag), sim::shown(std::string(assignment)),
               "/json/pointer=value, as in /pools/0/replicas=4");
    return;
  }
  const std::string text(assignment.substr(equals + 1));
  sim::Faults not_json;
  Json value = sim::JsonFile::parse(text, "", not_json).value();
  if (!not_json.empty()) value = text;
  if (auto fault = set_at(root, pointer, std::move(value)))
    faults.add("", std::string(flag), std::move(fault->found), std::move(fault->allowed));
}

}  // namespace tokenyard::analysis
