#include "plan/drop_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/nearest.h"

namespace slipway::plan {
namespace {

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool ends_in(std::string_view path, std::span<const std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view one) { return path.ends_with(one); });
}

bool is_header(std::string_view path) {
  constexpr std::string_view kEndings[] = {".h",   ".hh",  ".hpp", ".hxx", ".h++",
                                           ".cuh", ".inl", ".ipp", ".tcc"};
  return ends_in(path, kEndings);
}

bool is_static_library(std::string_view path) {
  constexpr std::string_view kEndings[] = {".a", ".la"};
  return ends_in(path, kEndings);
}

/// Below a package, not a package of that name. Some packages keep code there that they import
/// (astropy.tests.runner, django.test): of Python only what test runners look for is taken.
bool is_test(std::string_view path) {
  const bool is_below =
      path.find('/') != std::string_view::npos && (path.find("/tests/") != std::string_view::npos ||
                                                   path.find("/test/") != std::string_view::npos);
  if (!is_below || path.find(".dist-info/") != std::string_view::npos) return false;
  const std::string_view name = name_of(path);
  if (name.ends_with(".py"))
    return name.starts_with("test_") || name.ends_with("_test.py") || name == "conftest.py";
  // Bytecode follows its source; code may be imported, licences are to stay.
  return !name.ends_with(".pyc") && name.find(".so") == std::string_view::npos &&
         !name.ends_with(".pyi") && !name.starts_with("LICEN") && !name.starts_with("NOTICE") &&
         !name.starts_with("COPYING");
}

constexpr DropRule kRules[] = {
    {"headers", "C, C++ and CUDA headers",
     "building extensions in the image; torch.compile, whose kernels are built there (Triton's "
     "launchers need Python's headers and cuda.h, the C++ backend torch's)",
     is_header},
    {"static", "static libraries (.a)", "linking against them in the image (libcudart_static.a)",
     is_static_library},
    {"tests", "tests that packages bring along, and their data",
     "running a package's own tests (numpy.test())", is_test},
};

}  // namespace

std::span<const DropRule> drop_rules() { return kRules; }

Result<const DropRule*> find_drop_rule(std::string_view name) {
  for (const DropRule& rule : kRules) {
    if (rule.name == name) return &rule;
  }
  std::vector<std::string> names;
  for (const DropRule& rule : kRules) names.emplace_back(rule.name);
  Error error = make_error(ErrorKind::InvalidInput, "there is no rule `{}`", name);
  const auto near = find_nearest(name, names);
  error.hints.push_back(near.empty() ? fmt::format("the rules are {}", fmt::join(names, ", "))
                                     : did_you_mean(near));
  return error;
}

}  // namespace slipway::plan
