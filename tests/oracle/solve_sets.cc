// Solves sets of requirements for any Python, over the real index: check_solves.py compares the
// answers with uv's. One set a line, its fields separated by the byte 1f: a name, the target's
// Python (3.11.2), the cut-off date, then the requirements. One line of answer each, fields
// separated likewise: the name; `solved`, `conflict` or `error`; then `package==version` each, or
// the lines of the explanation.
#include <iostream>
#include <string>
#include <vector>

#include "plan/indexes.h"
#include "plan/python_source.h"
#include "solve/explain.h"
#include "solve/python.h"
#include "solve/solve.h"

using namespace slipway;

namespace {

using Lines = std::vector<std::string>;

Lines split(const std::string& line) {
  Lines fields(1);
  for (const char c : line) {
    if (c == '\x1f') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

Result<Lines> solve_set(const Lines& fields, plan::Indexes& indexes) {
  const version::Version full = TRY(version::Version::parse(fields.at(1)));
  plan::PythonSource::Options options;
  options.target.minor = static_cast<int>(full.release().at(1));
  options.target.glibc_minor = 36;
  options.python_version = fields.at(1);
  options.python_given = "the set asks for Python " + fields.at(1);
  options.before = TRY(parse_utc_time(fields.at(2)));
  plan::PythonSource source(indexes, std::move(options));

  std::vector<version::Requirement> asked;
  for (std::size_t i = 3; i < fields.size(); ++i) {
    asked.push_back(TRY(version::parse_requirement(fields[i])));
  }
  solve::Request request;
  request.requirements = TRY(solve::applicable_requirements(asked, source.environment(), ""));
  const auto outcome = TRY(solve::solve(request, source, CancelToken()));
  Lines lines{fields[0]};
  if (const auto* solution = std::get_if<solve::Solution>(&outcome)) {
    lines.push_back("solved");
    for (const solve::Chosen& chosen : solution->packages) {
      if (!chosen.is_given) lines.push_back(chosen.name + "==" + chosen.version);
    }
    return lines;
  }
  lines.push_back("conflict");
  for (std::string& line : solve::explain(std::get<solve::Conflict>(outcome)).because) {
    lines.push_back(std::move(line));
  }
  return lines;
}

Lines error_lines(const std::string& name, const Error& error) {
  Lines lines{name, "error", error.message};
  lines.insert(lines.end(), error.because.begin(), error.because.end());
  return lines;
}

}  // namespace

int main() {
  SilentReporter silent;
  const auto tools = plan::find_tools(silent, CancelToken());
  if (!tools.ok()) return 1;
  auto indexes = plan::Indexes::open(*tools, index::Freshness::UseCached);
  if (!indexes.ok()) return 1;
  std::string line;
  while (std::getline(std::cin, line)) {
    const Lines fields = split(line);
    const Result<Lines> answer = solve_set(fields, *indexes);
    std::string text;
    for (const std::string& one : answer.ok() ? *answer : error_lines(fields[0], answer.error())) {
      text += (text.empty() ? "" : "\x1f") + one;
    }
    std::cout << text << std::endl;
  }
  return 0;
}
