#include "solve/candidate_set.h"

#include <doctest/doctest.h>

using slipway::solve::CandidateSet;

TEST_CASE("sets of states around the word size") {
  for (const std::size_t count : {0, 1, 2, 62, 63, 64, 65, 127, 128, 200}) {
    CAPTURE(count);
    const CandidateSet none = CandidateSet::none(count);
    const CandidateSet all = CandidateSet::all(count);
    CHECK(none.empty());
    CHECK(all.is_everything());
    CHECK(all.contains_absent());
    CHECK(all.count() == count);
    CHECK(all.complement() == none);
    CHECK(none.is_subset_of(all));
    CHECK(none.is_disjoint_from(all));
    for (std::size_t i = 0; i < count; ++i) {
      const CandidateSet one = CandidateSet::one(count, i);
      CHECK(one.count() == 1);
      CHECK(one.contains(i));
      CHECK_FALSE(one.contains_absent());
      CHECK(one.is_subset_of(all));
      CHECK_FALSE(one.is_subset_of(one.complement()));
      CHECK(one.is_disjoint_from(one.complement()));
      CHECK((one | one.complement()) == all);
      CHECK((one & one.complement()) == none);
      CHECK(one.complement().contains_absent());
    }
  }
}

TEST_CASE("a set from flags has no absent state") {
  const CandidateSet set = CandidateSet::from({true, false, true});
  CHECK(set.count() == 2);
  CHECK(set.contains(0));
  CHECK_FALSE(set.contains(1));
  CHECK_FALSE(set.contains_absent());
  CHECK(set.complement().count() == 1);
}
