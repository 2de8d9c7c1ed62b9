#include "solve/solve.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "solve/testing/memory_source.h"

namespace slipway::solve {
namespace {

using testing::MemorySource;
using testing::Release;

MemorySource make_source() { return {version::PythonTarget{}, "3.11.2"}; }

void add(MemorySource& source, const char* name, const char* release,
         std::vector<std::string> requirements) {
  REQUIRE(
      source.add(name, Release{release, std::move(requirements), {}, "", {}, false, "", ""}).ok());
}

std::size_t place(const std::vector<std::string>& log, const std::string& what) {
  const auto found = std::find(log.begin(), log.end(), what);
  REQUIRE(found != log.end());
  return static_cast<std::size_t>(found - log.begin());
}

/// Fails on one name, as an index out of reach does.
class BrokenSource final : public PackageSource {
 public:
  BrokenSource(MemorySource& source, std::string broken)
      : source_(source), broken_(std::move(broken)) {}
  Result<CandidateList> candidates(const std::string& name) override {
    if (name == broken_) return make_error(ErrorKind::Unavailable, "the index does not answer");
    return source_.candidates(name);
  }
  Result<Dependencies> dependencies(const Package& package, const Candidate& one) override {
    return source_.dependencies(package, one);
  }
  Result<Selection> select(const std::string& name, const CandidateList& list,
                           const std::string& constraint) override {
    return source_.select(name, list, constraint);
  }

 private:
  MemorySource& source_;
  std::string broken_;
};

}  // namespace

TEST_CASE("each thing is asked once, and hinted at before it is waited for") {
  MemorySource source = make_source();
  add(source, "a", "1", {"c", "d"});
  add(source, "b", "1", {"d", "e"});
  for (const char* name : {"c", "d", "e"}) {
    for (int i = 0; i < 50; ++i) add(source, name, fmt::format("{}", i).c_str(), {});
  }
  const auto answer = solve({{{{"a", ""}, ""}, {{"b", ""}, ""}}, {}, "test"}, source, {});
  REQUIRE(answer.ok());
  REQUIRE(std::holds_alternative<Solution>(*answer));
  auto log = source.log();
  CHECK(log.size() == 10);  // five lists and the metadata of five versions
  std::sort(log.begin(), log.end());
  CHECK(std::adjacent_find(log.begin(), log.end()) == log.end());
  auto hints = source.hints();
  std::sort(hints.begin(), hints.end());
  CHECK(std::adjacent_find(hints.begin(), hints.end()) == hints.end());
  CHECK(hints == log);
  // Both roots are in flight before either is waited for; so are c and d, before c is.
  CHECK(place(source.hints(), "b") < place(source.hints(), "a 1"));
  CHECK(place(source.hints(), "d") < place(source.hints(), "c 49"));
}

TEST_CASE("a source that fails ends the solve, where the solve needs it") {
  MemorySource source = make_source();
  add(source, "a", "1", {"b"});
  add(source, "a", "2", {"c"});
  add(source, "b", "1", {});
  add(source, "c", "1", {});
  BrokenSource broken(source, "c");
  const Request newest{{{{"a", ""}, ""}}, {}, "test"};
  const auto failed = solve(newest, broken, {});
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == ErrorKind::Unavailable);
  const auto fine = solve({{{{"a", ""}, "<2"}}, {}, "test"}, broken, {});
  CHECK(fine.ok());
  CHECK(solve({{{{"a", ""}, "<!"}}, {}, "test"}, source, {}).error().kind ==
        ErrorKind::InvalidInput);
}

TEST_CASE("a solve stops when asked to") {
  MemorySource source = make_source();
  add(source, "a", "1", {});
  const CancelToken cancel;
  cancel.cancel();
  const auto answer = solve({{{{"a", ""}, ""}}, {}, "test"}, source, cancel);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().kind == ErrorKind::Cancelled);
}

TEST_CASE("the order of the request does not change what is chosen") {
  std::vector<Requirement> requirements = {{{"a", ""}, ""}, {{"b", ""}, ""}, {{"c", ""}, "<3"}};
  std::vector<Chosen> first;
  for (int round = 0; round < 6; ++round) {
    MemorySource source = make_source();
    for (int i = 1; i < 6; ++i) {
      const std::string version = fmt::format("{}", i);
      add(source, "a", version.c_str(), {fmt::format("c=={}", i)});
      add(source, "b", version.c_str(), {fmt::format("c<={}", i)});
      add(source, "c", version.c_str(), {});
    }
    const auto answer = solve({requirements, {}, "test"}, source, {});
    REQUIRE(answer.ok());
    const auto& solution = std::get<Solution>(*answer);
    if (first.empty()) first = solution.packages;
    CHECK(solution.packages == first);
    std::next_permutation(requirements.begin(), requirements.end());
  }
  REQUIRE(first.size() == 3);
  CHECK(first[0].version == "2");
  CHECK(first[1].version == "5");
  CHECK(first[2].version == "2");
}

TEST_CASE("chosen packages know their extras, and who needs them") {
  MemorySource source = make_source();
  REQUIRE(source.add("a", {"1", {"b; extra == 'x'"}, {"x"}, ">=3.8", {}, false, "", ""}).ok());
  add(source, "b", "1", {"a[y]"});
  const auto answer = solve({{{{"a", "x"}, ""}}, {}, "test"}, source, {});
  REQUIRE(answer.ok());
  const auto& packages = std::get<Solution>(*answer).packages;
  REQUIRE(packages.size() == 3);
  CHECK(packages[0] ==
        Chosen{"a", "1", {"x", "y"}, {"y"}, {"b", "python"}, {"b", "test"}, false, false});
  CHECK(packages[1] == Chosen{"b", "1", {}, {}, {"a"}, {"a"}, false, false});
  CHECK(packages[2] == Chosen{"python", "3.11.2", {}, {}, {}, {"a"}, true, false});
}

}  // namespace slipway::solve
