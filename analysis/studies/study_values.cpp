#include "analysis/studies/study_values.hpp"

#include <algorithm>

#include "analysis/result/value_at.hpp"
#include "analysis/scenario/seed.hpp"
#include "analysis/studies/study_unit.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr int kDeepest = 60;  // formulas that refer to formulas

/// Null where the figures lack the key.
Json figure(const Json& figures, const std::string& key) {
  const Json* found = find_key(figures, key);
  return found == nullptr || found->is_structured() ? Json(nullptr) : *found;
}

}  // namespace

Json StudyValues::formula(const Expression& expression) {
  return expression.value([&](const std::string& name) { return value(name); });
}

const Json& StudyValues::figures(const StudyCase& of) {
  const CaseJob& job = job_of(of);
  const std::string key = job.key();
  const auto found = results_.find(key);
  if (found != results_.end()) return found->second;
  wanted.emplace(key, job);
  throw Pending();
}

const CaseJob& StudyValues::job_of(const StudyCase& of) {
  const auto known = jobs_.find(of.name);
  if (known != jobs_.end()) return known->second;
  CaseJob job;
  job.sized = of.sized;
  job.scenario = filled(of.scenario, of);
  if (job.scenario.contains("seed") && !is_seed(job.scenario["seed"]))
    throw sim::InputError(
        {study_.origin(), "/cases/" + of.name, "the seed " + sim::shown(job.scenario["seed"]), kSeedAllowed});
  job.scenario["seed"] = job.scenario.value("seed", std::uint64_t{1}) + seed_shift_;
  if (!job.scenario.contains("name")) job.scenario["name"] = study_.name + ", " + of.title;
  if (shorten_ != 1) {
    for (const char* key : {"duration_s", "warmup_s"}) {
      for (const char* part : {"run", "demand"}) {
        if (job.scenario.contains(part) && job.scenario[part].contains(key))
          job.scenario[part][key] = job.scenario[part][key].get<double>() * shorten_;
      }
    }
  }
  for (const auto& [kind, factor] : of.scale) {
    const Json value = filled(factor, of);
    if (!value.is_number()) continue;  // a figure that is not known
    job.scale[kind] = value.get<double>();
    if (!(job.scale[kind] > 0))
      throw sim::InputError(
          {study_.origin(), "/cases/" + of.name + "/scale/" + kind, sim::shown(value), "a factor above 0"});
  }
  return jobs_.emplace(of.name, std::move(job)).first->second;
}

std::string StudyValues::words(const std::string& text) {
  std::string said;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('{', at), text.size());
    said += text.substr(at, open - at);
    if (open == text.size()) break;
    const std::size_t close = text.find('}', open);
    const std::string name = text.substr(open + 1, close - open - 1);
    said += shown_with_unit(value(name), study_.title_and_unit(name).second);
    at = close + 1;
  }
  return said;
}

Json StudyValues::resolve(const std::string& name, const StudyCase* of) {
  if (of != nullptr && (of->let.contains(name) || study_.measure(name) != nullptr))
    return kept(of->name + '.' + name, [&] { return of_case(name, *of); });
  if (const StudyInput* input = study_.input(name)) {
    return kept(name, [&] {
      const auto changed = changed_.find(name);
      return Json(changed != changed_.end() ? changed->second : input->value);
    });
  }
  if (const StudyFormula* quantity = study_.quantity(name))
    return kept(name, [&] { return formula(quantity->formula); });
  if (of != nullptr) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos || study_.find_case(name.substr(0, dot)) == nullptr) return figure(figures(*of), name);
  }
  const std::size_t dot = name.find('.');
  const StudyCase* other = study_.find_case(name.substr(0, dot));
  if (other == nullptr) return nullptr;
  const std::string member = name.substr(dot + 1);
  return kept(name, [&] { return of_case(member, *other); });
}

Json StudyValues::of_case(const std::string& name, const StudyCase& of) {
  const auto let = of.let.find(name);
  if (let != of.let.end()) return filled(let->second, of);
  return study_.measure(name)->formula.value([&](const std::string& inner) { return resolve(inner, &of); });
}

template <typename Work>
Json StudyValues::kept(const std::string& name, const Work& work) {
  const auto found = known_.find(name);
  if (found != known_.end()) return found->second;
  if (++depth_ > kDeepest)
    throw sim::InputError({study_.origin(), "", '"' + name + '"', "formulas that end: this one leads to itself"});
  struct Leave {
    int& depth;
    ~Leave() { --depth; }
  } leave{depth_};
  Json value = work();
  known_[name] = value;
  return value;
}

Json StudyValues::filled(const Json& part, const StudyCase& of) {
  if (is_formula(part)) {
    const std::string text = part.get<std::string>().substr(1);
    sim::Faults faults;
    const auto expression = Expression::parse(
        text, [](const std::string&) { return ""; }, study_.name, "", faults);
    faults.throw_if_any();  // the reader has checked it
    const Json value = expression->value([&](const std::string& name) {
      return of.let.contains(name) ? kept(of.name + '.' + name, [&] { return of_case(name, of); })
                                   : resolve(name, nullptr);
    });
    return value.is_number_float() ? sim::integer_if_whole(value.get<double>()) : value;
  }
  if (!part.is_structured()) return part;
  Json copy = part;
  for (auto& [key, member] : copy.items()) member = filled(Json(member), of);
  return copy;
}

}  // namespace tokenyard::analysis
