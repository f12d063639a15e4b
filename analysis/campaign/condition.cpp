#include "analysis/campaign/condition.hpp"

#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

namespace tokenyard::analysis {

using sim::Json;

namespace {

enum class Code : std::uint8_t {
  kConstant,
  kPointer,
  kOr,
  kAnd,
  kNot,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kNegate
};

constexpr int kMaxDepth = 100;

bool ordered(Code code, int sign) {
  switch (code) {
    case Code::kLt:
      return sign < 0;
    case Code::kLe:
      return sign <= 0;
    case Code::kGt:
      return sign > 0;
    default:
      return sign >= 0;
  }
}

Json arithmetic(Code code, double a, double b) {
  switch (code) {
    case Code::kAdd:
      return a + b;
    case Code::kSub:
      return a - b;
    case Code::kMul:
      return a * b;
    default:
      break;
  }
  if (b == 0) return nullptr;
  return code == Code::kDiv ? a / b : std::fmod(a, b);
}

Json binary(Code code, const Json& a, const Json& b) {
  switch (code) {
    case Code::kOr:
      return a == true || b == true;
    case Code::kAnd:
      return a == true && b == true;
    case Code::kEq:
      return a == b;
    case Code::kNe:
      return a != b;
    case Code::kLt:
    case Code::kLe:
    case Code::kGt:
    case Code::kGe:
      if ((!a.is_number() || !b.is_number()) && (!a.is_string() || !b.is_string())) return false;
      return ordered(code, a < b ? -1 : b < a ? 1 : 0);
    default:
      return a.is_number() && b.is_number() ? arithmetic(code, a.get<double>(), b.get<double>()) : Json(nullptr);
  }
}

}  // namespace

struct Condition::Op {
  Code code;
  Json constant;
  Json::json_pointer pointer;
};

/// Recursive descent; emits the program as it goes.
class ConditionParser {
 public:
  ConditionParser(const std::string& text, const std::map<std::string, std::string>& names)
      : text_(text), names_(names) {}

  /// What is wrong and what is allowed, if anything is.
  std::optional<std::pair<std::string, std::string>> parse(Condition& condition) {
    condition_ = &condition;
    disjunction();
    skip();
    if (!fault_ && at_ < text_.size()) fail("an operator or the end");
    return fault_;
  }

 private:
  using Level = void (ConditionParser::*)();
  struct Operator {
    std::string_view text;
    Code code;
  };

  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(std::string_view token) {
    skip();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  void fail(std::string allowed) {
    if (!fault_)
      fault_.emplace(fmt::format("\"{}\" at column {} of \"{}\"", text_.substr(at_, 12), at_ + 1, text_),
                     std::move(allowed));
    at_ = text_.size();
  }
  void emit(Code code) { condition_->program_.push_back({code, nullptr, Json::json_pointer()}); }
  void emit(Json constant) {
    condition_->program_.push_back({Code::kConstant, std::move(constant), Json::json_pointer()});
  }
  void emit_pointer(const std::string& pointer) {
    try {
      condition_->program_.push_back({Code::kPointer, nullptr, Json::json_pointer(pointer)});
    } catch (const Json::exception&) {
      fail("a JSON pointer in the braces, as in {/pools/0/replicas}");
    }
  }

  void chain(Level next, std::initializer_list<Operator> operators, bool repeats = true) {
    (this->*next)();
    for (bool found = true; found && !fault_;) {
      found = false;
      for (const Operator& op : operators) {
        if (!take(op.text)) continue;
        (this->*next)();
        emit(op.code);
        found = repeats;
        break;
      }
    }
  }
  void disjunction() { chain(&ConditionParser::conjunction, {{"||", Code::kOr}}); }
  void conjunction() { chain(&ConditionParser::negation, {{"&&", Code::kAnd}}); }
  void negation() {
    skip();
    const bool negated = at_ < text_.size() && text_[at_] == '!' && text_.compare(at_, 2, "!=") != 0;
    if (!negated) return comparison();
    ++at_;
    nested(&ConditionParser::negation);
    emit(Code::kNot);
  }
  void comparison() {
    chain(&ConditionParser::sum,
          {{"==", Code::kEq},
           {"!=", Code::kNe},
           {"<=", Code::kLe},
           {">=", Code::kGe},
           {"<", Code::kLt},
           {">", Code::kGt}},
          false);
  }
  void sum() { chain(&ConditionParser::product, {{"+", Code::kAdd}, {"-", Code::kSub}}); }
  void product() { chain(&ConditionParser::value, {{"*", Code::kMul}, {"/", Code::kDiv}, {"%", Code::kMod}}); }

  void nested(Level next) {
    if (++depth_ > kMaxDepth) return fail(fmt::format("at most {} levels of brackets and signs", kMaxDepth));
    (this->*next)();
    --depth_;
  }
  void value() {
    if (take("(")) {
      nested(&ConditionParser::disjunction);
      if (!take(")")) fail("a closing bracket");
    } else if (take("-")) {
      nested(&ConditionParser::value);
      emit(Code::kNegate);
    } else if (take("{")) {
      emit_pointer(until('}'));
    } else if (take("'")) {
      emit(Json(until('\'')));
    } else {
      word();
    }
  }
  std::string until(char end) {
    const std::size_t found = text_.find(end, at_);
    if (found == std::string::npos) {
      fail(fmt::format("a closing {}", end));
      return {};
    }
    std::string inside = text_.substr(at_, found - at_);
    at_ = found + 1;
    return inside;
  }
  void word() {
    skip();
    std::size_t end = at_;
    // The sign of an exponent belongs to its number: 1e-3.
    const auto inside = [&](std::size_t i) {
      const char c = text_[i];
      const bool sign = (c == '-' || c == '+') && i > at_ && (text_[i - 1] == 'e' || text_[i - 1] == 'E') &&
                        std::isdigit(static_cast<unsigned char>(text_[at_])) != 0;
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || sign;
    };
    while (end < text_.size() && inside(end)) ++end;
    const std::string found = text_.substr(at_, end - at_);
    const Json constant = Json::parse(found, nullptr, false);
    if (!constant.is_discarded()) {
      emit(constant);
    } else if (const auto name = names_.find(found); name != names_.end()) {
      emit_pointer(name->second);
    } else {
      std::vector<std::string> known;
      for (const auto& [known_name, pointer] : names_) known.push_back(known_name);
      fail("a number, a 'string', a {/json/pointer} or a name" +
           (known.empty() ? "" : fmt::format(" ({})", fmt::join(known, ", "))) + sim::did_you_mean(found, known));
    }
    at_ = std::max(at_, end);
  }

  const std::string& text_;
  const std::map<std::string, std::string>& names_;
  Condition* condition_ = nullptr;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<std::pair<std::string, std::string>> fault_;
};

Condition::Condition() = default;
Condition::Condition(const Condition&) = default;
Condition::Condition(Condition&&) noexcept = default;
Condition::~Condition() = default;

Condition Condition::parse(const std::string& text, const std::map<std::string, std::string>& names,
                           const std::string& file, const std::string& pointer, sim::Faults& faults) {
  Condition condition;
  condition.text_ = text;
  if (const auto fault = ConditionParser(text, names).parse(condition)) {
    faults.add(file, pointer, fault->first, fault->second);
    condition.program_ = {{Code::kConstant, true, Json::json_pointer()}};
  }
  return condition;
}

bool Condition::holds(const Json& scenario) const {
  std::vector<Json> stack;
  for (const Op& op : program_) {
    if (op.code == Code::kConstant) {
      stack.push_back(op.constant);
    } else if (op.code == Code::kPointer) {
      stack.push_back(scenario.contains(op.pointer) ? scenario.at(op.pointer) : Json(nullptr));
    } else if (op.code == Code::kNot) {
      stack.back() = stack.back() != true;
    } else if (op.code == Code::kNegate) {
      stack.back() = stack.back().is_number() ? Json(-stack.back().get<double>()) : Json(nullptr);
    } else {
      const Json right = std::move(stack.back());
      stack.pop_back();
      stack.back() = binary(op.code, stack.back(), right);
    }
  }
  return stack.back() == true;
}

}  // namespace tokenyard::analysis
