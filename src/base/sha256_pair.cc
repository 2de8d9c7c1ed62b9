#include "base/sha256_pair.h"

#include <cpuid.h>
#include <immintrin.h>

namespace slipway {
namespace {

// FIPS 180-4, 4.2.2.
alignas(16) constexpr std::uint32_t kConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One stream between two blocks. The instructions want the state's words as ABEF and CDGH.
struct Lane {
  __m128i abef, cdgh;
  __m128i words[4];  ///< the last sixteen of the message schedule
};

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline __m128i read(const void* memory) {
  return _mm_loadu_si128(static_cast<const __m128i*>(memory));
}

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline Lane load_state(
    const std::uint32_t* state) {
  const __m128i cdab = _mm_shuffle_epi32(read(state), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(read(state + 4), 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0), {}};
}

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void store_state(const Lane& lane,
                                                                          std::uint32_t* state) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
  auto* out = reinterpret_cast<__m128i*>(state);
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}

/// The block's words are big-endian.
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void load_words(Lane& lane,
                                                                         const std::byte* block) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; ++i) lane.words[i] = _mm_shuffle_epi8(read(block + 16 * i), swap);
}

/// Rounds 4i to 4i+3, and the schedule's words for rounds 4i+16 to 4i+19.
template <int i>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void four_rounds(Lane& lane) {
  __m128i& words = lane.words[i % 4];
  const __m128i sum = _mm_add_epi32(words, read(kConstants + 4 * i));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(sum, 0x0e));
  if constexpr (i < 12) {
    const __m128i last = lane.words[(i + 3) % 4];
    const __m128i seven_back = _mm_alignr_epi8(last, lane.words[(i + 2) % 4], 4);
    const __m128i older = _mm_sha256msg1_epu32(words, lane.words[(i + 1) % 4]);
    words = _mm_sha256msg2_epu32(_mm_add_epi32(older, seven_back), last);
  }
}

/// All rounds from 4i on, the streams in turns.
template <int i>
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void all_rounds(Lane& first,
                                                                         Lane& second) {
  four_rounds<i>(first);
  four_rounds<i>(second);
  if constexpr (i < 15) all_rounds<i + 1>(first, second);
}

[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void add_state(Lane& lane,
                                                                        const Lane& before) {
  lane.abef = _mm_add_epi32(lane.abef, before.abef);
  lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
}

bool has_instructions() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0;
}

}  // namespace

bool can_hash_pairs() {
  static const bool can = has_instructions();
  return can;
}

[[gnu::target("sha,sse4.1")]] void hash_pair(std::uint32_t* first_state, const std::byte* first,
                                             std::uint32_t* second_state, const std::byte* second,
                                             std::size_t blocks) {
  constexpr std::size_t kBlockBytes = 64;
  Lane one = load_state(first_state), two = load_state(second_state);
  for (; blocks > 0; --blocks, first += kBlockBytes, second += kBlockBytes) {
    const Lane one_before = one, two_before = two;
    load_words(one, first);
    load_words(two, second);
    all_rounds<0>(one, two);
    add_state(one, one_before);
    add_state(two, two_before);
  }
  store_state(one, first_state);
  store_state(two, second_state);
}

}  // namespace slipway
