#include "analysis/expression/expression.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

#include "sim/input/json.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

enum class Code : std::uint8_t {
  kConstant,
  kName,
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
  kNegate,
  kMin,
  kMax,
  kPow,
  kCeil,
  kFloor,
  kSqrt,
  kIf
};

struct Function {
  std::string_view name;
  Code code;
  std::size_t arguments;
};
constexpr std::array<Function, 7> kFunctions = {{{"min", Code::kMin, 2},
                                                 {"max", Code::kMax, 2},
                                                 {"pow", Code::kPow, 2},
                                                 {"ceil", Code::kCeil, 1},
                                                 {"floor", Code::kFloor, 1},
                                                 {"sqrt", Code::kSqrt, 1},
                                                 {"if", Code::kIf, 3}}};

constexpr int kMaxDepth = 100;
constexpr int kMaxOperators = 1000;  // a chain of them is a tree as deep

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
    case Code::kMin:
      return std::min(a, b);
    case Code::kMax:
      return std::max(a, b);
    case Code::kPow:
      return a > 0 ? Json(sim::portable_pow(a, b)) : Json(nullptr);
    default:
      break;
  }
  if (b == 0) return nullptr;
  return code == Code::kDiv ? a / b : std::fmod(a, b);
}

Json binary(Code code, const Json& a, const Json& b) {
  switch (code) {
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

Json unary(Code code, const Json& a) {
  if (code == Code::kNot) return a != true;
  if (!a.is_number()) return nullptr;
  const double x = a.get<double>();
  switch (code) {
    case Code::kCeil:
      return std::ceil(x);
    case Code::kFloor:
      return std::floor(x);
    case Code::kSqrt:
      return x >= 0 ? Json(std::sqrt(x)) : Json(nullptr);
    default:
      return -x;
  }
}

}  // namespace

struct Expression::Node {
  Code code = Code::kConstant;
  Json constant;
  std::string name;
  std::vector<Node> parts;
};

namespace {

using Node = Expression::Node;

Json value_of(const Node& node, const Expression::Lookup& lookup) {
  const auto part = [&](std::size_t i) { return value_of(node.parts[i], lookup); };
  switch (node.code) {
    case Code::kConstant:
      return node.constant;
    case Code::kName:
      return lookup(node.name);
    case Code::kOr:
      return part(0) == true || part(1) == true;
    case Code::kAnd:
      return part(0) == true && part(1) == true;
    case Code::kIf:
      return part(0) == true ? part(1) : part(2);
    default:
      return node.parts.size() == 1 ? unary(node.code, part(0)) : binary(node.code, part(0), part(1));
  }
}

void collect_names(const Node& node, std::vector<std::string>& names) {
  if (node.code == Code::kName) names.push_back(node.name);
  for (const Node& part : node.parts) collect_names(part, names);
}

/// Recursive descent.
class Parser {
 public:
  Parser(const std::string& text, const Expression::Known& known) : text_(text), known_(known) {}

  Node parse() {
    Node root = disjunction();
    skip();
    if (!fault && at_ < text_.size()) fail("an operator or the end");
    return root;
  }

  /// What is wrong and what is allowed, if anything is.
  std::optional<std::pair<std::string, std::string>> fault;

 private:
  using Level = Node (Parser::*)();
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
    if (!fault)
      fault.emplace(fmt::format("\"{}\" at column {} of \"{}\"", text_.substr(at_, 12), at_ + 1, text_),
                    std::move(allowed));
    at_ = text_.size();
  }
  static Node constant(Json value) { return {Code::kConstant, std::move(value), {}, {}}; }
  static Node of(Code code, std::vector<Node> parts) { return {code, nullptr, {}, std::move(parts)}; }
  Node name(std::string found) {
    if (const std::string allowed = known_(found); !allowed.empty()) fail(allowed);
    return {Code::kName, nullptr, std::move(found), {}};
  }

  Node chain(Level next, std::initializer_list<Operator> operators, bool repeats = true) {
    Node left = (this->*next)();
    for (bool found = true; found && !fault;) {
      found = false;
      for (const Operator& op : operators) {
        if (!take(op.text)) continue;
        if (++operators_ > kMaxOperators) {
          fail(fmt::format("at most {} operators", kMaxOperators));
          break;
        }
        Node right = (this->*next)();
        left = of(op.code, {std::move(left), std::move(right)});
        found = repeats;
        break;
      }
    }
    return left;
  }
  Node disjunction() { return chain(&Parser::conjunction, {{"||", Code::kOr}}); }
  Node conjunction() { return chain(&Parser::negation, {{"&&", Code::kAnd}}); }
  Node negation() {
    skip();
    const bool negated = at_ < text_.size() && text_[at_] == '!' && text_.compare(at_, 2, "!=") != 0;
    if (!negated) return comparison();
    ++at_;
    return of(Code::kNot, {nested(&Parser::negation)});
  }
  Node comparison() {
    return chain(&Parser::sum,
                 {{"==", Code::kEq},
                  {"!=", Code::kNe},
                  {"<=", Code::kLe},
                  {">=", Code::kGe},
                  {"<", Code::kLt},
                  {">", Code::kGt}},
                 false);
  }
  Node sum() { return chain(&Parser::product, {{"+", Code::kAdd}, {"-", Code::kSub}}); }
  Node product() { return chain(&Parser::operand, {{"*", Code::kMul}, {"/", Code::kDiv}, {"%", Code::kMod}}); }

  Node nested(Level next) {
    if (++depth_ > kMaxDepth) {
      fail(fmt::format("at most {} levels of brackets and signs", kMaxDepth));
      return constant(nullptr);
    }
    Node node = (this->*next)();
    --depth_;
    return node;
  }
  Node operand() {
    if (take("(")) {
      Node inside = nested(&Parser::disjunction);
      if (!take(")")) fail("a closing bracket");
      return inside;
    }
    if (take("-")) return of(Code::kNegate, {nested(&Parser::operand)});
    if (take("{")) return pointer(until('}'));
    if (take("'")) return constant(until('\''));
    return word();
  }
  Node pointer(const std::string& found) {
    try {
      return {Code::kName, nullptr, Json::json_pointer(found).to_string(), {}};
    } catch (const Json::exception&) {
      fail("a JSON pointer in the braces, as in {/pools/0/replicas}");
      return constant(nullptr);
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
  Node word() {
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
    std::optional<Json> number = sim::parse_json(found);
    for (const Function& function : kFunctions) {
      if (found != function.name || end >= text_.size() || text_[end] != '(') continue;
      at_ = end + 1;
      return call(function);
    }
    Node node = number ? constant(*std::move(number)) : name(found);
    at_ = std::max(at_, end);
    return node;
  }
  Node call(const Function& function) {
    std::vector<Node> arguments;
    do {
      arguments.push_back(nested(&Parser::disjunction));
    } while (!fault && take(","));
    if (!fault && !take(")")) fail("a comma or a closing bracket");
    if (!fault && arguments.size() != function.arguments)
      fail(fmt::format("{} of {} arguments, not {}", function.name, function.arguments, arguments.size()));
    arguments.resize(function.arguments);
    return of(function.code, std::move(arguments));
  }

  const std::string& text_;
  const Expression::Known& known_;
  std::size_t at_ = 0;
  int depth_ = 0, operators_ = 0;
};

}  // namespace

std::optional<Expression> Expression::parse(const std::string& text, const Known& known, const std::string& file,
                                            const std::string& pointer, sim::Faults& faults) {
  Parser parser(text, known);
  Expression expression;
  expression.text_ = text;
  expression.root_ = std::make_shared<const Node>(parser.parse());
  if (!parser.fault) return expression;
  faults.add(file, pointer, parser.fault->first, parser.fault->second);
  return {};
}

Json Expression::value(const Lookup& lookup) const { return value_of(*root_, lookup); }

std::vector<std::string> Expression::names() const {
  std::vector<std::string> names;
  collect_names(*root_, names);
  return names;
}

}  // namespace tokenyard::analysis
