/// Text from strangers (index pages, wheels, other programs) on its way to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::cli {

/// Control characters (C0, DEL, and C1 as UTF-8 writes them) become `?`, a tab or newline becomes a
/// space: what is left cannot move the cursor or change a terminal's state.
std::string plain_text(std::string_view text);

/// Code points: right for what our names are made of; wide characters count as one.
std::size_t columns_of(std::string_view text);

/// At most `columns` wide; what is cut off shows as `…` at the end.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace slipway::cli
