// Answers questions about versions, specifiers, markers, requirements and wheels, for
// check_versions.py to compare with the `packaging` library. One question a line, its fields
// separated by the byte 1f; one line of answer each, `error` where the question cannot be read.
//
//   compare A B                    A's normal form, `<` `=` or `>`, B's normal form
//   contains SPECIFIERS VERSION    yes or no
//   marker MARKER MINOR EXTRA      yes or no, on CPython 3.MINOR.4
//   requirement TEXT               name, [extras], specifiers in order, @url, ;yes or ;no
//   wheel FILE MINOR GLIBC ARCH    its rank among the target's tags, or none
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "version/requirement.h"
#include "version/tag_set.h"

using namespace slipway;
using namespace slipway::version;

namespace {

using Fields = std::vector<std::string>;

Fields split(const std::string& line) {
  Fields fields(1);
  for (const char c : line) {
    if (c == '\x1f') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

int number(const std::string& text) { return std::atoi(text.c_str()); }

MarkerEnvironment environment(int minor) {
  PythonTarget target;
  target.minor = minor;
  return marker_environment(target, fmt::format("3.{}.4", minor));
}

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

Result<std::string> compare(const Fields& fields) {
  const Version left = TRY(Version::parse(fields.at(1)));
  const Version right = TRY(Version::parse(fields.at(2)));
  const char* order = left < right ? "<" : left == right ? "=" : ">";
  return fmt::format("{} {} {}", left.text(), order, right.text());
}

Result<std::string> contains(const Fields& fields) {
  const SpecifierSet set = TRY(SpecifierSet::parse(fields.at(1)));
  return yes_or_no(set.contains(TRY(Version::parse(fields.at(2)))));
}

Result<std::string> marker(const Fields& fields) {
  const Marker parsed = TRY(Marker::parse(fields.at(1)));
  std::vector<std::string> extras;
  if (!fields.at(3).empty()) extras.push_back(TRY(PackageName::parse(fields.at(3))).text());
  return yes_or_no(parsed.evaluate(environment(number(fields.at(2))), extras));
}

Result<std::string> requirement(const Fields& fields) {
  const Requirement parsed = TRY(parse_requirement(fields.at(1)));
  std::string text = parsed.name.text() + "[";
  for (const std::string& extra : parsed.extras) text += extra + ",";
  text += "]";
  std::vector<std::string> clauses;
  for (const Specifier& clause : parsed.specifiers.clauses()) clauses.push_back(clause.text());
  std::sort(clauses.begin(), clauses.end());
  clauses.erase(std::unique(clauses.begin(), clauses.end()), clauses.end());
  for (const std::string& clause : clauses) text += clause + ",";
  if (parsed.url) text += "@" + *parsed.url;
  if (parsed.marker) text += ";" + yes_or_no(parsed.marker->evaluate(environment(11), {}));
  return text;
}

Result<std::string> wheel(const Fields& fields) {
  const WheelFileName name = TRY(parse_wheel_file_name(fields.at(1)));
  PythonTarget target;
  target.minor = number(fields.at(2));
  target.glibc_minor = number(fields.at(3));
  target.architecture = fields.at(4);
  const auto rank = TagSet::for_target(target).rank(name);
  return rank ? fmt::format("{}", *rank) : std::string("none");
}

Result<std::string> answer(const Fields& fields) {
  if (fields[0] == "compare") return compare(fields);
  if (fields[0] == "contains") return contains(fields);
  if (fields[0] == "marker") return marker(fields);
  if (fields[0] == "requirement") return requirement(fields);
  return wheel(fields);
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const Result<std::string> text = answer(split(line));
    std::cout << (text.ok() ? *text : "error") << '\n';
  }
  return 0;
}
