#include "solve/range_text.h"

#include <fmt/format.h>

namespace slipway::solve {
namespace {

// More runs than this are counted, not listed.
constexpr std::size_t kMostRuns = 5;

struct Run {
  std::size_t oldest = 0, newest = 0;  ///< indexes; the list is newest first
  bool reaches_oldest = false, reaches_newest = false;
};

bool is_ordinary(const Candidate& candidate) {
  return candidate.unusable.empty() && !candidate.is_yanked && !candidate.is_prerelease;
}

/// Oldest first.
std::vector<Run> find_runs(const std::vector<Candidate>& candidates, const CandidateSet& states) {
  std::vector<Run> runs;
  bool is_open = false;   // the last run may grow
  bool is_oldest = true;  // nothing ordinary was left out so far
  for (std::size_t i = candidates.size(); i-- > 0;) {
    if (states.contains(i)) {
      if (!is_open) runs.push_back({i, i, is_oldest, false});
      runs.back().newest = i;
      is_open = true;
    } else if (is_ordinary(candidates[i])) {
      is_open = false;
      is_oldest = false;
    }
  }
  if (is_open) runs.back().reaches_newest = true;
  return runs;
}

}  // namespace

std::string join_words(const std::vector<std::string>& words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    text += words[i];
  }
  return text;
}

RangeText range_text(const ConflictPackage& package, const CandidateSet& states) {
  const std::vector<Candidate>& candidates = package.list.candidates;
  const std::string name = package.package.text();
  const std::vector<Run> runs = find_runs(candidates, states);
  const std::size_t count = states.count();
  if (!package.list.given.empty()) return {name, false};  // it is what it is
  if (runs.empty()) return {"no version of " + name, false};
  if (count == 1) return {name + " " + candidates[runs[0].oldest].version, false};
  if (runs.size() == 1 && runs[0].reaches_oldest && runs[0].reaches_newest) {
    return {"every version of " + name, false};
  }
  const auto version = [&](std::size_t index) { return candidates[index].version; };
  if (runs.size() > kMostRuns) {
    return {fmt::format("{} versions of {} between {} and {}", count, name,
                        version(runs.front().oldest), version(runs.back().newest)),
            true};
  }
  std::vector<std::string> words;
  for (const Run& run : runs) {
    if (run.oldest == run.newest) {
      words.push_back(version(run.oldest));
    } else if (run.reaches_oldest) {
      words.push_back(version(run.newest) + " and older");
    } else if (run.reaches_newest) {
      words.push_back(version(run.oldest) + " and newer");
    } else {
      words.push_back(version(run.oldest) + " to " + version(run.newest));
    }
  }
  return {name + " " + join_words(words, "and"), true};
}

}  // namespace slipway::solve
