#include "solve/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "solve/range_text.h"

namespace slipway::solve {
namespace {

// Of a longer story, the beginning and the end are told.
constexpr std::size_t kMostLines = 60;
constexpr std::size_t kMostVersions = 6;

std::string demand_text(const Requirement& requirement) {
  if (!requirement.phrase.empty()) return requirement.phrase;
  return "`" + requirement.package.text() + requirement.constraint + "`";
}

struct Line {
  std::string text;
  std::optional<std::size_t> subject, object;  ///< packages, of a fact
  std::string remark;                          ///< why nothing meets the fact's demand
  std::vector<std::size_t> uses;               ///< facts whose conclusions stand further up
  std::optional<std::size_t> conclusion;       ///< the fact that is concluded here
};

class Story {
 public:
  explicit Story(const Conflict& conflict) : conflict_(conflict) {}

  Explanation tell() {
    count_uses();
    for (std::size_t id = 0; id < conflict_.facts.size(); ++id) {
      if (conflict_.facts[id].kind == FactKind::Derived) tell_derived(id);
    }
    if (conflict_.facts.size() == 1) tell_fact(conflict_.facts.front());
    if (lines_.empty() || !lines_.back().conclusion) conclude(conflict_.facts.size() - 1);
    return {numbered_lines(), hints(), suspects()};
  }

 private:
  void count_uses() {
    uses_.assign(conflict_.facts.size(), 0);
    for (const Fact& fact : conflict_.facts) {
      if (fact.kind != FactKind::Derived) continue;
      ++uses_[fact.left];
      ++uses_[fact.right];
    }
  }

  const ConflictPackage& package(std::size_t index) const { return conflict_.packages[index]; }
  bool is_request(std::size_t index) const { return package(index).package.name.empty(); }
  bool is_derived(std::size_t id) const { return conflict_.facts[id].kind == FactKind::Derived; }

  /// Tells what the step rests on and was not told yet, then what follows; but a conclusion that
  /// only the very next step uses is left to that one.
  void tell_derived(std::size_t id) {
    const Fact& fact = conflict_.facts[id];
    std::vector<std::size_t> from_afar;
    for (const std::size_t cause : {fact.left, fact.right}) {
      if (!is_derived(cause)) {
        tell_fact(conflict_.facts[cause]);
      } else if (concluded_.contains(cause) && last_concluded_ != cause) {
        from_afar.push_back(cause);
      }
    }
    pending_uses_.insert(pending_uses_.end(), from_afar.begin(), from_afar.end());
    if (!is_left_to_next(id)) conclude(id);
  }

  bool is_left_to_next(std::size_t id) const {
    if (uses_[id] != 1) return false;
    for (std::size_t next = id + 1; next < conflict_.facts.size(); ++next) {
      const Fact& fact = conflict_.facts[next];
      if (fact.kind == FactKind::Derived) return fact.left == id || fact.right == id;
    }
    return false;
  }

  void tell_fact(const Fact& fact) {
    if (fact.kind == FactKind::Binding || fact.kind == FactKind::Derived) return;
    const RangeText range = range_text(package(fact.subject), fact.subjects);
    Line line;
    line.subject = fact.subject;
    if (fact.kind == FactKind::Asked) {
      line.text = fmt::format("{} asks for {}", conflict_.asker, demand_text(fact.requirement));
    } else if (fact.kind == FactKind::Dependency) {
      line.text = fmt::format("{} {} {}", range.text, range.is_plural ? "need" : "needs",
                              demand_text(fact.requirement));
    } else {
      line.text =
          fmt::format("{}{} {}", range.is_plural ? "each of " : "", range.text, fact.reason);
    }
    if (fact.kind != FactKind::Excluded) line.object = fact.object;
    if (fact.is_empty) line.remark = nothing_fits_text(fact);
    if (told_.insert(line.text).second) lines_.push_back(std::move(line));
  }

  std::string nothing_fits_text(const Fact& fact) const {
    const CandidateList& list = package(fact.object).list;
    const std::string& name = fact.requirement.package.name;
    if (!list.missing.empty()) return list.missing;
    if (!list.given.empty()) return list.given;
    if (list.candidates.empty()) return name + " has no versions";
    const std::string& oldest = list.candidates.back().version;
    const std::string& newest = list.candidates.front().version;
    return fmt::format(
        "no version of {} fits `{}`: there {}", name, fact.requirement.constraint,
        oldest == newest ? "is only " + newest : fmt::format("are {} to {}", oldest, newest));
  }

  /// Puts the facts since the last conclusion in the order in which one package leads to another.
  void arrange_group() {
    std::vector<Line> group(std::make_move_iterator(lines_.begin() + group_start()),
                            std::make_move_iterator(lines_.end()));
    lines_.erase(lines_.begin() + group_start(), lines_.end());
    std::set<std::size_t> required;
    for (const Line& line : group) {
      if (line.object && line.object != line.subject) required.insert(*line.object);
    }
    std::vector<bool> placed(group.size(), false);
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (!required.contains(*group[i].subject)) place_from(group, placed, i);
    }
    for (std::size_t i = 0; i < group.size(); ++i) place_from(group, placed, i);  // cycles
  }

  void place_from(std::vector<Line>& group, std::vector<bool>& placed, std::size_t first) {
    std::vector<std::size_t> stack = {first};
    while (!stack.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      if (placed[i]) continue;
      placed[i] = true;
      const std::optional<std::size_t> object = group[i].object;
      const std::string remark = std::move(group[i].remark);
      lines_.push_back(std::move(group[i]));
      if (!remark.empty() && told_.insert(remark).second) {
        lines_.push_back({remark, {}, {}, "", {}, std::nullopt});
      }
      for (std::size_t next = group.size(); object && next-- > 0;) {
        if (group[next].subject == object) stack.push_back(next);
      }
    }
  }

  std::ptrdiff_t group_start() const {
    const auto last = std::find_if(lines_.rbegin(), lines_.rend(),
                                   [](const Line& line) { return line.conclusion.has_value(); });
    return lines_.rend() - last;
  }

  void conclude(std::size_t id) {
    arrange_group();
    lines_.push_back(
        {conclusion_text(conflict_.facts[id]), {}, {}, "", std::move(pending_uses_), id});
    pending_uses_.clear();
    concluded_.insert(id);
    last_concluded_ = id;
  }

  std::string conclusion_text(const Fact& fact) const {
    std::vector<std::string> held, needed;
    bool is_plural = false;
    for (const ConflictTerm& term : fact.terms) {
      if (is_request(term.package)) continue;
      if (term.states.contains_absent()) {
        needed.push_back(range_text(package(term.package), term.states.complement()).text);
      } else {
        const RangeText range = range_text(package(term.package), term.states);
        is_plural = range.is_plural;
        held.push_back(range.text);
      }
    }
    if (held.empty() && needed.empty()) {
      return fmt::format("what {} asks for cannot be had", conflict_.asker);
    }
    const std::string wanted = join_words(needed, "or");
    if (held.empty()) return "it takes " + wanted;
    if (held.size() == 1) {
      return needed.empty()
                 ? held[0] + " cannot be used"
                 : fmt::format("{} {} {}", held[0], is_plural ? "need" : "needs", wanted);
    }
    const std::string together = join_words(held, "and");
    return needed.empty() ? together + " do not go together"
                          : fmt::format("{} together need {}", together, wanted);
  }

  std::vector<std::string> numbered_lines() const {
    std::map<std::size_t, std::size_t> numbers;
    for (const Line& line : lines_) {
      for (const std::size_t use : line.uses) numbers.emplace(use, 0);
    }
    std::size_t next = 0;
    std::vector<std::string> texts;
    for (const Line& line : lines_) {
      if (!line.conclusion) {
        texts.push_back(line.text);
        continue;
      }
      std::vector<std::string> used;
      for (const std::size_t use : line.uses) used.push_back(fmt::format("({})", numbers[use]));
      std::sort(used.begin(), used.end());
      used.erase(std::unique(used.begin(), used.end()), used.end());
      std::string text =
          used.empty() ? "so " : fmt::format("so, with {}, ", join_words(used, "and"));
      text += line.text;
      const auto number = numbers.find(*line.conclusion);
      if (number != numbers.end()) text += fmt::format(" ({})", number->second = ++next);
      texts.push_back(std::move(text));
    }
    return shortened(std::move(texts));
  }

  static std::vector<std::string> shortened(std::vector<std::string> texts) {
    if (texts.size() <= kMostLines) return texts;
    const std::size_t half = kMostLines / 2;
    const std::size_t left_out = texts.size() - 2 * half;
    texts[half] = fmt::format("… {} more steps …", left_out);
    texts.erase(texts.begin() + static_cast<std::ptrdiff_t>(half) + 1,
                texts.end() - static_cast<std::ptrdiff_t>(half));
    return texts;
  }

  std::vector<std::string> hints() const {
    std::vector<std::string> hints;
    for (const Fact& fact : conflict_.facts) {
      if (fact.kind == FactKind::Asked && fact.is_empty) add_versions_hint(fact, hints);
      if (fact.kind == FactKind::Excluded && fact.reason.starts_with("is a pre-release")) {
        const ConflictPackage& owner = package(fact.subject);
        std::size_t newest = 0;
        while (!fact.subjects.contains(newest)) ++newest;
        hints.push_back(fmt::format("`{}=={}` would ask for the pre-release", owner.package.name,
                                    owner.list.candidates[newest].version));
      }
    }
    std::vector<std::string> once;
    for (std::string& hint : hints) {
      if (std::find(once.begin(), once.end(), hint) == once.end()) once.push_back(std::move(hint));
    }
    return once;
  }

  std::vector<std::string> suspects() const {
    std::set<std::string> asked;
    for (const Fact& fact : conflict_.facts) {
      if (fact.kind == FactKind::Asked) asked.insert(demand_text(fact.requirement));
    }
    if (asked.size() < 2) return {};
    return {fmt::format("change or drop one of {} in {}",
                        join_words({asked.begin(), asked.end()}, "and"), conflict_.asker)};
  }

  void add_versions_hint(const Fact& fact, std::vector<std::string>& hints) const {
    const CandidateList& list = package(fact.object).list;
    if (!list.given.empty() || list.candidates.size() < 2) return;
    std::vector<std::string> newest;
    for (const Candidate& candidate : list.candidates) {
      if (newest.size() < kMostVersions) newest.push_back(candidate.version);
    }
    const bool is_all = newest.size() == list.candidates.size();
    hints.push_back(fmt::format("{} versions of {} are {}", is_all ? "the" : "the newest",
                                fact.requirement.package.name, join_words(newest, "and")));
  }

  const Conflict& conflict_;
  std::vector<std::size_t> uses_;
  std::vector<Line> lines_;
  std::set<std::string> told_;
  std::set<std::size_t> concluded_;
  std::vector<std::size_t> pending_uses_;
  std::optional<std::size_t> last_concluded_;
};

}  // namespace

Explanation explain(const Conflict& conflict) { return Story(conflict).tell(); }

}  // namespace slipway::solve
