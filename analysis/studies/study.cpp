#include "analysis/studies/study.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "analysis/scenario/json_pointer.hpp"
#include "analysis/scenario/seed.hpp"
#include "sim/input/file_name.hpp"

#include "embedded/studies.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::ObjectReader;

template <typename List>
auto named(const List& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
}

/// Below these keys lie the figures of a case, which the reader of a study does not know by name.
const std::set<std::string> kFigures = {"counts", "latency",  "throughput", "slo",        "pools",
                                        "agents", "causes_s", "network",    "energy",     "cost",
                                        "demand", "chip",     "training",   "simulated_s"};

class Reader {
 public:
  Reader(const sim::JsonFile& file, sim::Faults& faults) : file_(file), faults_(faults) {}

  Study read() {
    ObjectReader reader = file_.root(faults_);
    study_.document = file_.value();
    reader.choice("schema", {"tokenyard.study/1"});
    study_.name = reader.string("name");
    if (!sim::names_a_file(study_.name))
      reader.fault("name", sim::shown(Json(study_.name)),
                   "a name that can be a file name: the study's page and findings are named after it");
    study_.title = reader.string("title");
    study_.question = reader.string("question");
    reader.object(
        "claim",
        [&](ObjectReader& claim) {
          study_.claim = claim.string("text");
          study_.claim_source = claim.string("source");
          study_.claim_date = claim.string("date");
        },
        true);
    reader.members(
        "inputs", [&](const std::string& name, ObjectReader& r) { read_input(name, r); }, true);
    const Json* scenarios = reader.raw("scenarios");
    reader.members(
        "cases", [&](const std::string& name, ObjectReader& r) { read_case(name, r, scenarios); }, true);
    learn_names(reader);
    reader.members(
        "measures", [&](const std::string& name, ObjectReader& r) { add_formula(name, r, study_.measures, true); },
        true);
    reader.members(
        "quantities", [&](const std::string& name, ObjectReader& r) { add_formula(name, r, study_.quantities, false); },
        true);
    study_.outcome = reader.string("outcome");
    check_name(reader, "outcome", study_.outcome);
    reader.each(
        "verdicts",
        [&](ObjectReader& r) {
          StudyVerdict verdict;
          if (r.raw("if") != nullptr) verdict.condition = formula(r, "if", false);
          verdict.badge = r.string("badge");
          verdict.holds = r.boolean("holds", true);
          verdict.say = words(r, "say", r.string("say"));
          study_.verdicts.push_back(std::move(verdict));
        },
        true);
    if (study_.verdicts.empty()) reader.fault("verdicts", "none", "at least one, the last without \"if\"");
    if (!study_.verdicts.empty() && study_.verdicts.back().condition)
      reader.fault("verdicts", "an \"if\" in the last", "a last verdict that holds whatever comes: one without \"if\"");
    study_.says = reader.strings("says");
    for (const std::string& text : study_.says) words(reader, "says", text);
    study_.tiles = reader.strings("tiles");
    for (const std::string& name : study_.tiles) check_name(reader, "tiles", name);
    read_views(reader);
    study_.limits = reader.strings("limits");
    for (const StudyCase& of : study_.cases) check_formulas(of, of.scenario, "/cases/" + of.name);
    reader.finish();
    return std::move(study_);
  }

 private:
  void read_input(const std::string& name, ObjectReader& r) {
    StudyInput input{name,
                     r.string("title"),
                     r.string("unit", ""),
                     r.string("source"),
                     r.string("date", ""),
                     r.number("value"),
                     r.optional_number("low"),
                     r.optional_number("high"),
                     r.boolean("assumed", false)};
    if (!input.assumed && input.date.empty())
      r.fault("date", "nothing", "the date of the source, or \"assumed\": true");
    if (input.assumed && !(input.low && input.high))
      r.fault("low", "an assumption without low and high", "both: every assumption is varied");
    if (input.low.has_value() != input.high.has_value()) r.fault("low", "one end of a range", "low and high");
    if (input.low && input.high && !(*input.low <= input.value && input.value <= *input.high))
      r.fault("value", fmt::format("{} outside [{}, {}]", input.value, *input.low, *input.high), "low ≤ value ≤ high");
    study_.inputs.push_back(std::move(input));
  }

  void read_case(const std::string& name, ObjectReader& r, const Json* scenarios) {
    StudyCase of{name, r.string("title"), nullptr, {}, {}, false};
    const std::string base = r.string("scenario");
    of.sized = r.choice("do", {"run", "demand"}, "run") == "demand";
    const bool there = scenarios != nullptr && scenarios->is_object() && scenarios->contains(base);
    if (there && (*scenarios)[base].is_object()) {
      of.scenario = (*scenarios)[base];
    } else if (there) {
      r.fault("scenario", '"' + base + "\", which is " + sim::shown((*scenarios)[base]), "a scenario, an object");
      of.scenario = Json::object();
    } else {
      r.fault("scenario", '"' + base + '"', "a name among the study's scenarios");
      of.scenario = Json::object();
    }
    r.object("set", [&](ObjectReader& set) {
      for (const auto& [pointer, value] : set.value().items()) {
        set.raw(pointer);
        if (const auto fault = set_at(of.scenario, pointer, value)) report(*fault, pointer, set);
      }
    });
    if (const auto seed = of.scenario.find("seed"); seed != of.scenario.end() && !is_formula(*seed) && !is_seed(*seed))
      r.fault("scenario", "the seed " + sim::shown(*seed), kSeedAllowed);
    for (const auto& [key, into] : {std::pair{"let", &of.let}, std::pair{"scale", &of.scale}}) {
      r.object(key, [&](ObjectReader& values) {
        for (const auto& [variable, value] : values.value().items()) into->emplace(variable, *values.raw(variable));
      });
    }
    for (const auto& [kind, factor] : of.scale) {
      if (!is_formula(factor) && !(factor.is_number() && factor.get<double>() > 0))
        r.fault("scale", kind + ": " + sim::shown(factor), "a factor above 0, or a formula: \"=…\"");
    }
    study_.cases.push_back(std::move(of));
  }

  /// What formulas may name, before the formulas themselves are read: they refer to each other in any order.
  void learn_names(ObjectReader& reader) {
    std::set<std::string> measures;
    if (const Json* all = reader.raw("measures"); all != nullptr && all->is_object()) {
      for (const auto& [name, value] : all->items()) measures.insert(name);
    }
    for (const StudyInput& input : study_.inputs) global_.insert(input.name);
    if (const Json* all = reader.raw("quantities"); all != nullptr && all->is_object()) {
      for (const auto& [name, value] : all->items()) global_.insert(name);
    }
    for (const StudyCase& of : study_.cases) {
      for (const std::string& measure : measures) global_.insert(of.name + '.' + measure);
      for (const auto& [name, value] : of.let) {
        global_.insert(of.name + '.' + name);
        of_case_.insert(name);
      }
    }
    of_case_.insert(measures.begin(), measures.end());
  }

  std::string why_unknown(const std::string& name, bool in_case) const {
    if (global_.contains(name) || (in_case && of_case_.contains(name))) return {};
    const std::string head = name.substr(0, name.find('.'));
    if (in_case && kFigures.contains(head)) return {};
    std::vector<std::string> names(global_.begin(), global_.end());
    if (in_case) names.insert(names.end(), of_case_.begin(), of_case_.end());
    return "an input, a quantity, CASE.MEASURE or, within a case, a key of its summary" +
           sim::did_you_mean(name, names);
  }

  void check_name(ObjectReader& r, std::string_view key, const std::string& name) {
    if (const std::string allowed = why_unknown(name, false); !allowed.empty()) r.fault(key, '"' + name + '"', allowed);
  }

  std::optional<Expression> formula(ObjectReader& r, std::string_view key, bool in_case, bool over_x = false) {
    const std::string text = r.string(key);
    return Expression::parse(
        text, [&](const std::string& name) { return over_x && name == "x" ? "" : why_unknown(name, in_case); },
        file_.name(), r.pointer_to(key), faults_);
  }

  void add_formula(const std::string& name, ObjectReader& r, std::vector<StudyFormula>& list, bool in_case) {
    const std::string title = r.string("title"), unit = r.string("unit", "");
    if (auto is = formula(r, "is", in_case)) list.push_back({name, title, unit, std::move(*is)});
  }

  /// Checks the names in braces.
  std::string words(ObjectReader& r, std::string_view key, const std::string& text) {
    for (std::size_t at = 0; (at = text.find('{', at)) != std::string::npos;) {
      const std::size_t end = text.find('}', at);
      if (end == std::string::npos) {
        r.fault(key, text.substr(at), "a closing brace");
        break;
      }
      check_name(r, key, text.substr(at + 1, end - at - 1));
      at = end;
    }
    return text;
  }

  void check_cases(ObjectReader& r, std::vector<std::string>& cases) {
    for (const std::string& name : cases) {
      if (study_.find_case(name) == nullptr) r.fault("cases", '"' + name + '"', "names of cases");
    }
    if (cases.empty()) {
      for (const StudyCase& of : study_.cases) cases.push_back(of.name);
    }
  }

  void read_views(ObjectReader& reader) {
    reader.each("tables", [&](ObjectReader& r) {
      StudyTable table{r.string("title"), r.strings("cases"), r.strings("measures")};
      check_cases(r, table.cases);
      for (const std::string& name : table.measures) {
        if (study_.measure(name) == nullptr) r.fault("measures", '"' + name + '"', "names of measures");
      }
      study_.tables.push_back(std::move(table));
    });
    reader.each("bars", [&](ObjectReader& r) {
      StudyBars bars{r.string("title"), r.string("measure"), r.strings("cases")};
      check_cases(r, bars.cases);
      if (study_.measure(bars.measure) == nullptr)
        r.fault("measure", '"' + bars.measure + '"', "the name of a measure");
      study_.bars.push_back(std::move(bars));
    });
    reader.each("curves", [&](ObjectReader& r) {
      StudyCurves curves{r.string("title"),
                         r.string("x_title"),
                         r.string("x_unit", ""),
                         r.string("unit", ""),
                         r.number("from", {.minimum = 0, .exclusive = true}),
                         r.number("to"),
                         {}};
      r.each("lines", [&](ObjectReader& line) {
        const std::string title = line.string("title");
        if (auto is = formula(line, "is", false, true)) curves.lines.emplace_back(title, std::move(*is));
      });
      study_.curves.push_back(std::move(curves));
    });
  }

  /// The formulas within a template.
  void check_formulas(const StudyCase& of, const Json& part, const std::string& place) {
    const auto check = [&](const Json& value, const std::string& at) {
      if (is_formula(value)) {
        Expression::parse(
            value.get<std::string>().substr(1),
            [&](const std::string& name) { return of.let.contains(name) ? "" : why_unknown(name, false); },
            file_.name(), at, faults_);
      }
    };
    check(part, place);
    if (part.is_structured()) {
      for (const auto& [key, value] : part.items()) check_formulas(of, value, place + '/' + key);
    }
    if (&part != &of.scenario) return;
    for (const auto* values : {&of.let, &of.scale}) {
      for (const auto& [key, value] : *values) check(value, place + '/' + key);
    }
  }

  const sim::JsonFile& file_;
  sim::Faults& faults_;
  Study study_;
  std::set<std::string> global_, of_case_;
};

}  // namespace

const StudyInput* Study::input(const std::string& of) const { return named(inputs, of); }
const StudyCase* Study::find_case(const std::string& of) const { return named(cases, of); }
const StudyFormula* Study::measure(const std::string& of) const { return named(measures, of); }
const StudyFormula* Study::quantity(const std::string& of) const { return named(quantities, of); }

std::pair<std::string, std::string> Study::title_and_unit(const std::string& of) const {
  if (const StudyInput* found = input(of)) return {found->title, found->unit};
  if (const StudyFormula* found = quantity(of)) return {found->title, found->unit};
  const std::size_t dot = of.find('.');
  if (dot != std::string::npos) {
    const StudyCase* owner = find_case(of.substr(0, dot));
    const StudyFormula* found = measure(of.substr(dot + 1));
    if (owner != nullptr && found != nullptr) return {owner->title + ": " + found->title, found->unit};
  }
  return {of, ""};
}

Study Study::read(const sim::JsonFile& file, sim::Faults& faults) { return Reader(file, faults).read(); }

std::vector<std::string> study_names() {
  // More work, the hardware that serves it, whole sites, and what is done with them. One that is not named comes last.
  static const std::vector<std::string> kOrder = {
      "agent-adoption", "reasoning-shift", "token-surge",     "gpu-tpu-asic", "asic-break-even",
      "ironwood-pod",   "seven-gigawatts", "train-and-serve", "ad-factory",   "policies"};
  std::vector<std::string> names;
  for (const embedded::File& file : embedded::studies())
    names.push_back(std::filesystem::path(file.path).stem().string());
  const auto place = [](const std::string& name) { return std::find(kOrder.begin(), kOrder.end(), name); };
  std::sort(names.begin(), names.end(),
            [&](const auto& a, const auto& b) { return std::pair(place(a), a) < std::pair(place(b), b); });
  return names;
}

Study load_study(const std::string& name) {
  sim::Faults faults;
  for (const embedded::File& file : embedded::studies()) {
    if (file.path != "studies/" + name + ".json") continue;
    const sim::JsonFile json = sim::JsonFile::parse(file.text, std::string(file.path), faults);
    Study study = Study::read(json, faults);
    faults.throw_if_any();
    return study;
  }
  const std::vector<std::string> names = study_names();
  throw sim::InputError({"", "tokenyard study", '"' + name + '"',
                         fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(name, names))});
}

}  // namespace tokenyard::analysis
