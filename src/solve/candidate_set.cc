#include "solve/candidate_set.h"

#include <bit>

namespace slipway::solve {
namespace {
constexpr std::size_t kBits = 64;
}

CandidateSet CandidateSet::none(std::size_t candidates) {
  CandidateSet set;
  set.candidates_ = candidates;
  set.words_.assign(candidates / kBits + 1, 0);
  return set;
}

CandidateSet CandidateSet::all(std::size_t candidates) { return none(candidates).complement(); }

CandidateSet CandidateSet::one(std::size_t candidates, std::size_t index) {
  CandidateSet set = none(candidates);
  set.insert(index);
  return set;
}

CandidateSet CandidateSet::from(const std::vector<bool>& flags) {
  CandidateSet set = none(flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) set.insert(i);
  }
  return set;
}

bool CandidateSet::empty() const {
  for (const std::uint64_t word : words_) {
    if (word != 0) return false;
  }
  return true;
}

bool CandidateSet::is_everything() const { return complement().empty(); }

std::size_t CandidateSet::count() const {
  std::size_t count = 0;
  for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
  return count - (contains_absent() ? 1 : 0);
}

// Bits above "absent" stay 0, so that sets compare by their words.
CandidateSet CandidateSet::complement() const {
  CandidateSet set = *this;
  for (std::uint64_t& word : set.words_) word = ~word;
  const std::size_t used = candidates_ % kBits + 1;
  if (used < kBits) set.words_.back() &= (std::uint64_t{1} << used) - 1;
  return set;
}

CandidateSet& CandidateSet::operator&=(const CandidateSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

CandidateSet& CandidateSet::operator|=(const CandidateSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

bool CandidateSet::is_subset_of(const CandidateSet& other) const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if ((words_[i] & ~other.words_[i]) != 0) return false;
  }
  return true;
}

bool CandidateSet::is_disjoint_from(const CandidateSet& other) const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if ((words_[i] & other.words_[i]) != 0) return false;
  }
  return true;
}

}  // namespace slipway::solve
