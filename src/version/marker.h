/// Environment markers: PEP 508 and the "dependency specifiers" page of the packaging
/// specifications. `python_version < "3.12" and extra == "test"`. Pure.
///
/// The older spellings `os.name`, `sys.platform`, `platform.machine`, `platform.version`,
/// `platform.python_implementation` and `python_implementation` are read as the names of today.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::version {

struct MarkerEnvironment {
  std::string python_version;       ///< "3.11"
  std::string python_full_version;  ///< "3.11.2"
  std::string os_name;
  std::string sys_platform;
  std::string platform_system;
  std::string platform_machine;
  std::string platform_release;
  std::string platform_version;
  std::string platform_python_implementation;
  std::string implementation_name;
  std::string implementation_version;
  bool operator==(const MarkerEnvironment&) const = default;
};

enum class MarkerVariable {
  PythonVersion,
  PythonFullVersion,
  OsName,
  SysPlatform,
  PlatformSystem,
  PlatformMachine,
  PlatformRelease,
  PlatformVersion,
  PlatformPythonImplementation,
  ImplementationName,
  ImplementationVersion,
  Extra,
};

enum class MarkerOperator {
  Less,
  LessOrEqual,
  Equal,
  NotEqual,
  GreaterOrEqual,
  Greater,
  Compatible,
  Identical,
  In,
  NotIn,
};

/// One side of a comparison.
struct MarkerValue {
  bool is_variable = false;
  MarkerVariable variable = MarkerVariable::Extra;
  std::string literal;
  bool operator==(const MarkerValue&) const = default;
};

class Marker {
 public:
  /// Fails with InvalidInput. Nesting is bounded, so hostile text cannot exhaust the stack.
  static Result<Marker> parse(std::string_view text);

  /// `extra == "x"` holds when x is among `extras`, `extra != "x"` when it is not; names are
  /// compared normalised. Where both sides are versions they compare as PEP 440 says, else as
  /// text; an order between texts that are no versions, and ~=, never hold.
  bool evaluate(const MarkerEnvironment& environment, std::span<const std::string> extras) const;

  /// True when some comparison looks at `extra`.
  bool mentions_extra() const;

  /// One spelling: names of today, double quotes, only the parentheses that are needed.
  std::string text() const;

  bool operator==(const Marker&) const = default;

 private:
  friend class MarkerParser;
  enum class Kind { Compare, And, Or };
  struct Node {
    Kind kind = Kind::Compare;
    MarkerOperator comparison = MarkerOperator::Equal;
    MarkerValue left, right;
    std::vector<Node> children;  ///< of And and Or: two or more
    bool operator==(const Node&) const = default;
  };
  static bool evaluate(const Node& node, const MarkerEnvironment& environment,
                       std::span<const std::string> extras);
  static std::string text(const Node& node, bool inside_and);
  static bool mentions_extra(const Node& node);
  Node root_;
};

/// The name of today: "python_version".
std::string_view marker_variable_text(MarkerVariable variable);
std::string_view marker_operator_text(MarkerOperator comparison);

}  // namespace slipway::version
