/// An eStargz table of contents (stargz_toc.h) told anew for a layer of which files have changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace slipway::layer {

class EditedToc {
 public:
  struct File {
    std::uint64_t size_bytes = 0;
    Digest contents;
  };
  /// By path without a leading slash; nothing: the file is gone.
  using Changes = std::map<std::string, std::optional<File>>;

  /// `text` is the old table, `members` where the gzip members of the old blob begin. Nothing where
  /// it is none, names other places than those, or tells of a changed file in a way that cannot be
  /// told anew here: one in several chunks, without contents, there twice or not at all.
  static std::optional<EditedToc> read(std::string_view text, Changes changes,
                                       const std::set<std::uint64_t>& members);

  /// The new table. `offsets`: where each of `members` begins in the new blob.
  std::string write(const std::map<std::uint64_t, std::uint64_t>& offsets) const;

 private:
  std::string text_;
  Changes changes_;
};

}  // namespace slipway::layer
