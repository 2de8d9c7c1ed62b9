#include "solve/scout.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace slipway::solve {
namespace {

// A guess that later demands contradict is made anew, but not for ever.
constexpr int kMostGuesses = 3;

class Scout {
 public:
  Scout(Catalogue& catalogue, const CancelToken& cancel) : catalogue_(catalogue), cancel_(cancel) {}

  Result<void> run() {
    TRY(follow(kRoot, 0));
    while (!queue_.empty()) {
      TRY(cancel_.check());
      const Task task = queue_.front();
      queue_.pop_front();
      if (task.candidate) {
        TRY(follow(task.package, *task.candidate));
      } else {
        TRY(guess(task.package));
      }
    }
    return {};
  }

 private:
  struct Task {
    PackageId package;
    std::optional<std::size_t> candidate;  ///< nothing: read the list and guess
  };
  struct Wish {
    std::vector<Requirement> requirements;
    std::set<PackageId> extras;
    std::optional<std::size_t> guess;
    int guesses = 0;
  };

  void push_dependencies(PackageId package, std::size_t candidate) {
    if (followed_.emplace(package, candidate).second) queue_.push_back({package, candidate});
  }

  /// Looks at what a version requires.
  Result<void> follow(PackageId package, std::size_t candidate) {
    const Dependencies* dependencies = TRY(catalogue_.dependencies(package, candidate));
    for (const Requirement& requirement : dependencies->requirements) want(requirement);
    return {};
  }

  void want(const Requirement& requirement) {
    const PackageId package = catalogue_.intern(requirement.package);
    const PackageId base = catalogue_.base(package);
    Wish& wish = wishes_[base];
    const bool is_new = wish.requirements.empty();
    wish.requirements.push_back(requirement);
    if (package != base && wish.extras.insert(package).second && wish.guess) {
      push_dependencies(package, *wish.guess);
    }
    if (!is_new && !wish.guess) return;  // its list is in the queue
    catalogue_.prefetch_list(base);
    queue_.push_back({base, std::nullopt});
  }

  Result<void> guess(PackageId package) {
    Wish& wish = wishes_[package];
    TRY(catalogue_.list(package));
    CandidateSet allowed = CandidateSet::all(catalogue_.count(package));
    bool wants_prereleases = false;
    for (const Requirement& requirement : wish.requirements) {
      const Demand* demand = TRY(catalogue_.demand(requirement));
      allowed &= demand->allowed;
      wants_prereleases = wants_prereleases || demand->wants_prereleases;
    }
    CandidateSet usable = CandidateSet::none(catalogue_.count(package));
    for (std::size_t i = 0; i < catalogue_.count(package); ++i) {
      if (allowed.contains(i) && TRY(is_usable(package, i))) usable.insert(i);
    }
    if (usable.empty() || (wish.guess && usable.contains(*wish.guess))) return {};
    if (wish.guesses++ == kMostGuesses) return {};
    wish.guess = catalogue_.choose(package, usable, wants_prereleases);
    catalogue_.prefetch_dependencies(package, *wish.guess);
    push_dependencies(package, *wish.guess);
    for (const PackageId extra : wish.extras) push_dependencies(extra, *wish.guess);
    return {};
  }

  // Looks at what the list tells of a version. Such requirements are on facts (`python`), whose
  // lists cost nothing.
  Result<bool> is_usable(PackageId package, std::size_t candidate) {
    if (catalogue_.is_excluded(package, candidate)) return false;
    for (const Requirement& requirement :
         catalogue_.known_list(package).candidates[candidate].requirements) {
      const Demand* demand = TRY(catalogue_.demand(requirement));
      if (demand->allowed.empty()) return false;
    }
    return true;
  }

  Catalogue& catalogue_;
  const CancelToken& cancel_;
  std::deque<Task> queue_;
  std::map<PackageId, Wish> wishes_;
  std::set<std::pair<PackageId, std::size_t>> followed_;
};

}  // namespace

void scout(Catalogue& catalogue, const CancelToken& cancel) {
  // An error is not lost: the search meets it again if it needs the same thing.
  const Result<void> ignored = Scout(catalogue, cancel).run();
  static_cast<void>(ignored);
}

}  // namespace slipway::solve
