/// The solver against trying everything, on many small random universes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <optional>
#include <random>

#include "solve/explain.h"
#include "solve/solve.h"

namespace slipway::solve {
namespace {

/// `constraint` is a list of the versions that meet it: "0,2".
struct Universe final : PackageSource {
  struct Wish {
    std::size_t package;
    std::optional<std::string> extra;
    unsigned allowed;  ///< bit i: version i
  };
  struct Release {
    std::vector<Wish> wishes, extra_wishes;
    bool is_unusable = false, has_bad_metadata = false;
  };
  std::vector<std::vector<Release>> packages;
  std::vector<Wish> roots;
  std::size_t dependencies_read = 0;

  static std::string name(std::size_t package) { return fmt::format("p{}", package); }
  static std::size_t index(const std::string& name) {
    return static_cast<std::size_t>(name[1] - '0');
  }
  static Requirement requirement(const Wish& wish) {
    return {{name(wish.package), wish.extra.value_or("")}, fmt::format("{}", wish.allowed)};
  }
  static std::vector<Requirement> requirements(const std::vector<Wish>& wishes) {
    std::vector<Requirement> result;
    for (const Wish& wish : wishes) result.push_back(requirement(wish));
    return result;
  }

  Result<CandidateList> candidates(const std::string& text) override {
    CandidateList list;
    const std::vector<Release>& releases = packages[index(text)];
    for (std::size_t i = 0; i < releases.size(); ++i) {
      Candidate candidate;
      candidate.version = fmt::format("{}", releases.size() - i);
      if (releases[i].is_unusable) candidate.unusable = "cannot be used";
      list.candidates.push_back(candidate);
    }
    if (releases.empty()) list.missing = "there is none";
    return list;
  }
  Result<Dependencies> dependencies(const Package& package, const Candidate& candidate) override {
    ++dependencies_read;
    const std::vector<Release>& releases = packages[index(package.name)];
    const Release& release =
        releases[releases.size() - static_cast<std::size_t>(candidate.version[0] - '0')];
    Dependencies result;
    result.requirements =
        requirements(package.extra.empty() ? release.wishes : release.extra_wishes);
    if (release.has_bad_metadata) result.unusable = "has bad metadata";
    return result;
  }
  Result<Selection> select(const std::string&, const CandidateList& list,
                           const std::string& constraint) override {
    unsigned bits = 0;
    for (const char c : constraint) bits = bits * 10 + static_cast<unsigned>(c - '0');
    Selection selection;
    for (std::size_t i = 0; i < list.candidates.size(); ++i) {
      selection.matches.push_back((bits >> i & 1U) != 0);
    }
    return selection;
  }
};

Universe make_universe(std::mt19937& random) {
  const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
  Universe universe;
  const unsigned density = 1 + below(6);
  universe.packages.resize(3 + below(4));
  const auto wish = [&] {
    Universe::Wish result{below(static_cast<unsigned>(universe.packages.size())), {}, 0};
    if (below(4) == 0) result.extra = "x";
    // Mostly wide, sometimes nothing at all.
    result.allowed = below(12) == 0 ? 0 : below(16) | (below(2) << below(4));
    return result;
  };
  for (auto& releases : universe.packages) {
    releases.resize(below(10) == 0 ? 0 : 1 + below(4));
    for (Universe::Release& release : releases) {
      for (unsigned i = below(density + 1); i > 0; --i) release.wishes.push_back(wish());
      for (unsigned i = below(2); i > 0; --i) release.extra_wishes.push_back(wish());
      release.is_unusable = below(15) == 0;
      release.has_bad_metadata = below(20) == 0;
    }
  }
  for (unsigned i = 1 + below(3); i > 0; --i) universe.roots.push_back(wish());
  return universe;
}

/// versions[p]: index of the release of p, or nothing.
using Choice = std::vector<std::optional<std::size_t>>;

bool holds(const Universe& universe, const std::vector<Universe::Wish>& wishes,
           const Choice& choice, std::vector<bool>& with_extra, bool& changed) {
  for (const Universe::Wish& wish : wishes) {
    const auto& version = choice[wish.package];
    if (!version || (wish.allowed >> *version & 1U) == 0) return false;
    if (wish.extra && !with_extra[wish.package]) {
      with_extra[wish.package] = true;
      changed = true;
    }
  }
  static_cast<void>(universe);
  return true;
}

bool is_valid(const Universe& universe, const Choice& choice) {
  std::vector<bool> with_extra(choice.size(), false);
  for (bool changed = true; changed;) {
    changed = false;
    if (!holds(universe, universe.roots, choice, with_extra, changed)) return false;
    for (std::size_t p = 0; p < choice.size(); ++p) {
      if (!choice[p]) continue;
      const Universe::Release& release = universe.packages[p][*choice[p]];
      if (release.is_unusable || release.has_bad_metadata) return false;
      if (!holds(universe, release.wishes, choice, with_extra, changed)) return false;
      if (with_extra[p] && !holds(universe, release.extra_wishes, choice, with_extra, changed)) {
        return false;
      }
    }
  }
  return true;
}

bool is_solvable(const Universe& universe, Choice& choice, std::size_t package) {
  if (package == universe.packages.size()) return is_valid(universe, choice);
  choice[package] = std::nullopt;
  if (is_solvable(universe, choice, package + 1)) return true;
  for (std::size_t i = 0; i < universe.packages[package].size(); ++i) {
    choice[package] = i;
    if (is_solvable(universe, choice, package + 1)) return true;
  }
  return false;
}

Choice choice_of(const Universe& universe, const Solution& solution) {
  Choice choice(universe.packages.size());
  for (const Chosen& chosen : solution.packages) {
    const std::size_t package = Universe::index(chosen.name);
    choice[package] =
        universe.packages[package].size() - static_cast<std::size_t>(chosen.version[0] - '0');
  }
  return choice;
}

}  // namespace

TEST_CASE("solvable exactly where trying everything finds a solution") {
  std::mt19937 random(20260101);
  int solvable = 0;
  int unsolvable = 0;
  std::size_t conflicts = 0;
  for (int round = 0; round < 6000; ++round) {
    Universe universe = make_universe(random);
    Request request;
    request.requirements = Universe::requirements(universe.roots);
    CAPTURE(round);
    const auto answer = solve(request, universe, CancelToken());
    REQUIRE(answer.ok());
    Choice choice(universe.packages.size());
    const bool expected = is_solvable(universe, choice, 0);
    const auto* solution = std::get_if<Solution>(&answer.value());
    REQUIRE((solution != nullptr) == expected);
    if (solution != nullptr) {
      ++solvable;
      conflicts += solution->statistics.conflicts;
      REQUIRE(is_valid(universe, choice_of(universe, *solution)));
      Universe again = universe;
      const auto second = solve(request, again, CancelToken());
      REQUIRE(std::get<Solution>(second.value()).packages == solution->packages);
    } else {
      ++unsolvable;
      const Explanation explanation = explain(std::get<Conflict>(answer.value()));
      REQUIRE(explanation.because.size() >= 2);
      REQUIRE(explanation.because.back().find("cannot be had") != std::string::npos);
    }
  }
  // The universes must be worth it: both answers often, and real backtracking.
  CHECK(solvable > 800);
  CHECK(unsolvable > 800);
  CHECK(conflicts > 100);
}

}  // namespace slipway::solve
