/// Rising numbers as one short word: the distances between them, five bits a letter, lowest first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::gpu {

/// `numbers` are sorted, each once.
std::string write_rising_numbers(std::span<const std::uint32_t> numbers);
/// Nothing for what the other does not write.
std::optional<std::vector<std::uint32_t>> parse_rising_numbers(std::string_view text);

}  // namespace slipway::gpu
