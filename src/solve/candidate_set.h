/// The states that a package may be in: one of its candidates, or absent (not in the solution).
///
/// One bit per candidate, in the order of the source's list, and one for "absent". With it, a
/// positive term "torch is one of these" and a negative one "torch is none of these, or absent" are
/// the same kind of thing, and PubGrub's term algebra is plain set algebra. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slipway::solve {

class CandidateSet {
 public:
  CandidateSet() = default;
  /// No state at all, for a package with `candidates` candidates.
  static CandidateSet none(std::size_t candidates);
  /// Every candidate, and absent.
  static CandidateSet all(std::size_t candidates);
  static CandidateSet one(std::size_t candidates, std::size_t index);
  /// The candidates whose flag is set; not absent.
  static CandidateSet from(const std::vector<bool>& flags);

  std::size_t candidates() const { return candidates_; }
  bool contains(std::size_t index) const { return (words_[index / 64] >> (index % 64) & 1U) != 0; }
  bool contains_absent() const { return contains(candidates_); }
  void insert(std::size_t index) { words_[index / 64] |= std::uint64_t{1} << (index % 64); }
  void insert_absent() { insert(candidates_); }

  bool empty() const;
  bool is_everything() const;
  /// Candidates in the set, without absent.
  std::size_t count() const;

  CandidateSet complement() const;
  CandidateSet& operator&=(const CandidateSet& other);
  CandidateSet& operator|=(const CandidateSet& other);
  friend CandidateSet operator&(CandidateSet a, const CandidateSet& b) { return a &= b; }
  friend CandidateSet operator|(CandidateSet a, const CandidateSet& b) { return a |= b; }
  bool is_subset_of(const CandidateSet& other) const;
  bool is_disjoint_from(const CandidateSet& other) const;

  bool operator==(const CandidateSet&) const = default;

 private:
  std::size_t candidates_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace slipway::solve
