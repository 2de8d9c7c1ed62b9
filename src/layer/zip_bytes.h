/// Little-endian numbers at the front of a span. The caller has checked the length.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "base/io.h"

namespace slipway::layer {

template <typename T>
T read_little(Bytes bytes, std::size_t at) {
  SLIPWAY_CHECK(at + sizeof(T) <= bytes.size());
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 |
                           std::to_integer<std::uint8_t>(bytes[at + i]));
  }
  return value;
}

inline std::uint16_t read16(Bytes bytes, std::size_t at) {
  return read_little<std::uint16_t>(bytes, at);
}
inline std::uint32_t read32(Bytes bytes, std::size_t at) {
  return read_little<std::uint32_t>(bytes, at);
}
inline std::uint64_t read64(Bytes bytes, std::size_t at) {
  return read_little<std::uint64_t>(bytes, at);
}

}  // namespace slipway::layer
