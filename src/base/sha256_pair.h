/// SHA-256 (FIPS 180-4) of two streams at once, by the processor's own instructions.
///
/// Each of these instructions waits for the one before it in its stream, so that one stream keeps
/// the unit half idle. A second stream in the gaps is nearly free: measured, two take 1.07 times as
/// long as one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slipway {

/// Whether this processor has the instructions (SHA and SSE4.1).
bool can_hash_pairs();

/// Takes `blocks` blocks of 64 bytes from `first` into the chaining value `first_state` (eight
/// words, as OpenSSL's SHA256_CTX has them), and likewise the second. Only where can_hash_pairs.
void hash_pair(std::uint32_t* first_state, const std::byte* first, std::uint32_t* second_state,
               const std::byte* second, std::size_t blocks);

}  // namespace slipway
