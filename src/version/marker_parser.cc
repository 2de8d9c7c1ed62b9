#include "version/marker_parser.h"

#include <algorithm>

#include "version/package_name.h"

namespace slipway::version {
namespace {

constexpr int kDeepest = 64;

struct VariableSpelling {
  std::string_view text;
  MarkerVariable variable;
};
// The first spelling of each variable is the one of today.
constexpr VariableSpelling kVariables[] = {
    {"python_version", MarkerVariable::PythonVersion},
    {"python_full_version", MarkerVariable::PythonFullVersion},
    {"os_name", MarkerVariable::OsName},
    {"sys_platform", MarkerVariable::SysPlatform},
    {"platform_system", MarkerVariable::PlatformSystem},
    {"platform_machine", MarkerVariable::PlatformMachine},
    {"platform_release", MarkerVariable::PlatformRelease},
    {"platform_version", MarkerVariable::PlatformVersion},
    {"platform_python_implementation", MarkerVariable::PlatformPythonImplementation},
    {"implementation_name", MarkerVariable::ImplementationName},
    {"implementation_version", MarkerVariable::ImplementationVersion},
    {"extra", MarkerVariable::Extra},
    {"os.name", MarkerVariable::OsName},
    {"sys.platform", MarkerVariable::SysPlatform},
    {"platform.version", MarkerVariable::PlatformVersion},
    {"platform.machine", MarkerVariable::PlatformMachine},
    {"platform.python_implementation", MarkerVariable::PlatformPythonImplementation},
    {"python_implementation", MarkerVariable::PlatformPythonImplementation},
};

struct OperatorSpelling {
  std::string_view text;
  MarkerOperator comparison;
};
// Longer ones first.
constexpr OperatorSpelling kOperators[] = {
    {"===", MarkerOperator::Identical},  {"==", MarkerOperator::Equal},
    {"~=", MarkerOperator::Compatible},  {"!=", MarkerOperator::NotEqual},
    {"<=", MarkerOperator::LessOrEqual}, {">=", MarkerOperator::GreaterOrEqual},
    {"<", MarkerOperator::Less},         {">", MarkerOperator::Greater},
    {"in", MarkerOperator::In},          {"not in", MarkerOperator::NotIn},
};

bool is_word_character(char c) { return is_letter_or_digit(c) || c == '_' || c == '.'; }

}  // namespace

std::string_view marker_variable_text(MarkerVariable variable) {
  for (const VariableSpelling& each : kVariables) {
    if (each.variable == variable) return each.text;
  }
  return "";
}

std::string_view marker_operator_text(MarkerOperator comparison) {
  for (const OperatorSpelling& each : kOperators) {
    if (each.comparison == comparison) return each.text;
  }
  return "";
}

Error MarkerParser::refuse(std::string_view why) const {
  return make_error(ErrorKind::InvalidInput, "`{}` is not an environment marker", excerpt(whole_))
      .reason(fmt::format("{} at column {}", why, whole_.size() - reader_.rest().size() + 1));
}

bool MarkerParser::skip_keyword(std::string_view word) {
  reader_.skip_spaces();
  if (!reader_.rest().starts_with(word) || is_word_character(reader_.peek(word.size()))) {
    return false;
  }
  reader_.advance(word.size());
  return true;
}

Result<MarkerValue> MarkerParser::parse_value() {
  reader_.skip_spaces();
  const char quote = reader_.peek();
  if (quote == '"' || quote == '\'') {
    reader_.skip(quote);
    const std::string_view text = reader_.take_while([&](char c) { return c != quote; });
    if (!reader_.skip(quote)) return refuse("a text has no end");
    return MarkerValue{false, MarkerVariable::Extra, std::string(text)};
  }
  const TextReader start = reader_;
  const std::string_view word = reader_.take_while(is_word_character);
  for (const VariableSpelling& each : kVariables) {
    if (each.text == word) return MarkerValue{true, each.variable, ""};
  }
  reader_ = start;
  return refuse("there is neither a variable nor a text in quotes");
}

Result<MarkerOperator> MarkerParser::parse_operator() {
  if (skip_keyword("not")) {
    if (!skip_keyword("in")) return refuse("there is no `in` after `not`");
    return MarkerOperator::NotIn;
  }
  if (skip_keyword("in")) return MarkerOperator::In;
  for (const OperatorSpelling& each : kOperators) {
    if (is_word_character(each.text.front()) || !reader_.rest().starts_with(each.text)) continue;
    reader_.advance(each.text.size());
    return each.comparison;
  }
  return refuse("there is no comparison");
}

Result<MarkerParser::Node> MarkerParser::parse_item(int depth) {
  if (depth > kDeepest) return refuse("parentheses are nested too deep");
  reader_.skip_spaces();
  if (reader_.skip('(')) {
    Node inner = TRY(parse_or(depth + 1));
    reader_.skip_spaces();
    if (!reader_.skip(')')) return refuse("there is no `)`");
    return inner;
  }
  Node node;
  node.left = TRY(parse_value());
  node.comparison = TRY(parse_operator());
  node.right = TRY(parse_value());
  if (!node.left.is_variable && !node.right.is_variable) {
    return refuse("two texts are compared");
  }
  return node;
}

// `(a and b) and c` is `a and b and c`: one spelling for what means the same.
void MarkerParser::append(Node& parent, Node child) {
  if (child.kind != parent.kind) {
    parent.children.push_back(std::move(child));
    return;
  }
  for (Node& each : child.children) parent.children.push_back(std::move(each));
}

Result<MarkerParser::Node> MarkerParser::parse_and(int depth) {
  Node all;
  all.kind = Kind::And;
  do {
    append(all, TRY(parse_item(depth)));
  } while (skip_keyword("and"));
  if (all.children.size() == 1) all = Node(std::move(all.children.front()));
  return all;
}

Result<MarkerParser::Node> MarkerParser::parse_or(int depth) {
  Node any;
  any.kind = Kind::Or;
  do {
    append(any, TRY(parse_and(depth)));
  } while (skip_keyword("or"));
  if (any.children.size() == 1) any = Node(std::move(any.children.front()));
  return any;
}

Result<Marker> MarkerParser::parse() {
  if (whole_.size() > kLongestRequirement) return refuse("it is too long");
  Marker marker;
  marker.root_ = TRY(parse_or(0));
  reader_.skip_spaces();
  if (!reader_.at_end()) return refuse("there is something behind the end");
  return marker;
}

Result<Marker> Marker::parse(std::string_view text) { return MarkerParser(text).parse(); }

}  // namespace slipway::version
