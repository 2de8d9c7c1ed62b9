#include "solve/explain.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "solve/range_text.h"

namespace slipway::solve {
namespace {

ConflictPackage make_package(const char* name, std::initializer_list<const char*> newest_first) {
  ConflictPackage package;
  package.package.name = name;
  for (const char* version : newest_first) {
    package.list.candidates.push_back({version, false, false, "", "", {}});
  }
  return package;
}

Fact depends(std::size_t subject, std::size_t object, const char* name, const char* constraint) {
  Fact fact;
  fact.kind = subject == 0 ? FactKind::Asked : FactKind::Dependency;
  fact.subject = subject;
  fact.subjects = CandidateSet::one(1, 0);
  fact.object = object;
  fact.requirement = {{name, ""}, constraint};
  return fact;
}

Fact derived(std::size_t left, std::size_t right, std::vector<ConflictTerm> terms) {
  Fact fact;
  fact.left = left;
  fact.right = right;
  fact.terms = std::move(terms);
  return fact;
}

}  // namespace

TEST_CASE("versions that exist, in words") {
  ConflictPackage package = make_package("a", {"5", "4", "3", "2", "1"});
  const auto text = [&](std::vector<bool> flags) {
    return range_text(package, CandidateSet::from(flags)).text;
  };
  CHECK(text({true, true, true, true, true}) == "every version of a");
  CHECK(text({false, false, false, false, false}) == "no version of a");
  CHECK(text({true, false, false, false, false}) == "a 5");
  CHECK(text({true, true, false, false, false}) == "a 4 and newer");
  CHECK(text({false, false, false, true, true}) == "a 2 and older");
  CHECK(text({false, true, true, false, false}) == "a 3 to 4");
  CHECK(text({true, false, true, false, true}) == "a 1, 3 and 5");
  package.list.candidates[2].is_yanked = true;
  CHECK(text({false, true, false, true, false}) == "a 2 to 4");
  CHECK(text({true, true, false, true, true}) == "every version of a");
}

TEST_CASE("a conclusion that is used again is told once, with a number") {
  Conflict conflict;
  conflict.asker = "test";
  conflict.packages = {make_package("", {""}), make_package("a", {"1"}), make_package("b", {"1"}),
                       make_package("c", {"1"}), make_package("d", {"1"})};
  const auto is = [](std::size_t package) {
    return ConflictTerm{package, CandidateSet::one(1, 0)};
  };
  conflict.facts = {
      depends(1, 2, "b", ">1"),   // 0
      depends(2, 3, "c", ">1"),   // 1
      derived(0, 1, {is(1)}),     // 2: used by 4 and 7
      depends(3, 1, "a", ""),     // 3
      derived(2, 3, {is(3)}),     // 4
      depends(4, 1, "a", "==1"),  // 5
      depends(0, 4, "d", ""),     // 6
      derived(2, 5, {is(4)}),     // 7
      derived(7, 6, {is(2)}),     // 8
      derived(4, 8, {}),          // 9
  };
  const Explanation explanation = explain(conflict);
  std::string told;
  for (const std::string& line : explanation.because) told += line + "\n";
  INFO(told);
  CHECK(explanation.because == std::vector<std::string>{
                                   "a 1 needs `b>1`",
                                   "b 1 needs `c>1`",
                                   "so a 1 cannot be used (1)",
                                   "c 1 needs `a`",
                                   "so c 1 cannot be used",
                                   "test asks for `d`",
                                   "d 1 needs `a==1`",
                                   "so, with (1), what test asks for cannot be had",
                               });
}

TEST_CASE("an endless story is shortened, its end is told") {
  Conflict conflict;
  conflict.asker = "test";
  conflict.packages.push_back(make_package("", {""}));
  conflict.packages.push_back(make_package("a", {"1"}));
  conflict.facts.push_back(depends(0, 1, "a", ""));
  for (int i = 0; i < 5000; ++i) {
    const std::string constraint = fmt::format(">{}", i);
    conflict.facts.push_back(depends(1, 1, "a", constraint.c_str()));
    conflict.facts.push_back(derived(conflict.facts.size() - 2, conflict.facts.size() - 1, {}));
  }
  const Explanation explanation = explain(conflict);
  CHECK(explanation.because.size() <= 61);
  CHECK(explanation.because.back() == "so what test asks for cannot be had");
}

}  // namespace slipway::solve
