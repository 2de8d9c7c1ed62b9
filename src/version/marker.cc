#include "version/marker.h"

#include <algorithm>

#include "version/package_name.h"
#include "version/specifier.h"
#include "version/version.h"

namespace slipway::version {
namespace {

const std::string& lookup(const MarkerEnvironment& environment, MarkerVariable variable) {
  static const std::string kEmpty;
  switch (variable) {
    case MarkerVariable::PythonVersion:
      return environment.python_version;
    case MarkerVariable::PythonFullVersion:
      return environment.python_full_version;
    case MarkerVariable::OsName:
      return environment.os_name;
    case MarkerVariable::SysPlatform:
      return environment.sys_platform;
    case MarkerVariable::PlatformSystem:
      return environment.platform_system;
    case MarkerVariable::PlatformMachine:
      return environment.platform_machine;
    case MarkerVariable::PlatformRelease:
      return environment.platform_release;
    case MarkerVariable::PlatformVersion:
      return environment.platform_version;
    case MarkerVariable::PlatformPythonImplementation:
      return environment.platform_python_implementation;
    case MarkerVariable::ImplementationName:
      return environment.implementation_name;
    case MarkerVariable::ImplementationVersion:
      return environment.implementation_version;
    case MarkerVariable::Extra:
      return kEmpty;
  }
  return kEmpty;
}

// The packaging specifications compare these as versions, all others as text.
bool holds_version(const MarkerValue& value) {
  return value.is_variable && (value.variable == MarkerVariable::PythonVersion ||
                               value.variable == MarkerVariable::PythonFullVersion ||
                               value.variable == MarkerVariable::PlatformRelease ||
                               value.variable == MarkerVariable::ImplementationVersion);
}

bool is_extra(const MarkerValue& value) {
  return value.is_variable && value.variable == MarkerVariable::Extra;
}

bool compare_texts(const std::string& left, MarkerOperator comparison, const std::string& right) {
  switch (comparison) {
    case MarkerOperator::Equal:
    case MarkerOperator::Identical:
    case MarkerOperator::LessOrEqual:
    case MarkerOperator::GreaterOrEqual:
      return left == right;
    case MarkerOperator::NotEqual:
      return left != right;
    case MarkerOperator::In:
      return right.find(left) != std::string::npos;
    case MarkerOperator::NotIn:
      return right.find(left) == std::string::npos;
    case MarkerOperator::Less:
    case MarkerOperator::Greater:
    case MarkerOperator::Compatible:
      return false;
  }
  return false;
}

bool compare_versions(const std::string& left, MarkerOperator comparison,
                      const std::string& right) {
  const auto specifier = Specifier::parse(std::string(marker_operator_text(comparison)) + right);
  if (!specifier) return compare_texts(left, comparison, right);
  const auto version = Version::parse(left);
  return version.ok() && specifier->contains(*version);
}

std::string normal_extra(const std::string& text) {
  const auto name = PackageName::parse(text);
  return name.ok() ? name->text() : text;
}

bool compare_extra(const MarkerValue& other, MarkerOperator comparison,
                   std::span<const std::string> extras) {
  const std::string wanted = normal_extra(other.literal);
  const bool is_among = std::any_of(extras.begin(), extras.end(), [&](const std::string& extra) {
    return normal_extra(extra) == wanted;
  });
  switch (comparison) {
    case MarkerOperator::NotEqual:
    case MarkerOperator::NotIn:
      return !is_among;
    case MarkerOperator::Equal:
    case MarkerOperator::Identical:
    case MarkerOperator::LessOrEqual:
    case MarkerOperator::GreaterOrEqual:
    case MarkerOperator::In:
      return is_among;
    default:
      return false;
  }
}

std::string value_text(const MarkerValue& value) {
  if (value.is_variable) return std::string(marker_variable_text(value.variable));
  const char quote = value.literal.find('"') == std::string::npos ? '"' : '\'';
  return quote + value.literal + quote;
}

}  // namespace

bool Marker::evaluate(const Node& node, const MarkerEnvironment& environment,
                      std::span<const std::string> extras) {
  const auto holds = [&](const Node& child) { return evaluate(child, environment, extras); };
  switch (node.kind) {
    case Kind::And:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case Kind::Or:
      return std::any_of(node.children.begin(), node.children.end(), holds);
    case Kind::Compare:
      break;
  }
  if (is_extra(node.left)) return compare_extra(node.right, node.comparison, extras);
  if (is_extra(node.right)) return compare_extra(node.left, node.comparison, extras);
  const auto value = [&](const MarkerValue& side) -> const std::string& {
    return side.is_variable ? lookup(environment, side.variable) : side.literal;
  };
  const bool as_versions = holds_version(node.left) || holds_version(node.right);
  return as_versions ? compare_versions(value(node.left), node.comparison, value(node.right))
                     : compare_texts(value(node.left), node.comparison, value(node.right));
}

bool Marker::evaluate(const MarkerEnvironment& environment,
                      std::span<const std::string> extras) const {
  return evaluate(root_, environment, extras);
}

bool Marker::mentions_extra(const Node& node) {
  return is_extra(node.left) || is_extra(node.right) ||
         std::any_of(node.children.begin(), node.children.end(),
                     [](const Node& child) { return mentions_extra(child); });
}

bool Marker::mentions_extra() const { return mentions_extra(root_); }

std::string Marker::text(const Node& node, bool inside_and) {
  if (node.kind == Kind::Compare) {
    return value_text(node.left) + " " + std::string(marker_operator_text(node.comparison)) + " " +
           value_text(node.right);
  }
  std::string text;
  for (const Node& child : node.children) {
    if (!text.empty()) text += node.kind == Kind::And ? " and " : " or ";
    text += Marker::text(child, node.kind == Kind::And);
  }
  return node.kind == Kind::Or && inside_and ? "(" + text + ")" : text;
}

std::string Marker::text() const { return text(root_, false); }

}  // namespace slipway::version
