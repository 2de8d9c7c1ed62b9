/// A project page on disk, in a form that reads faster than JSON.
///
///   slipway page 2                   the form's version
///   <URL of the page>                another URL under the same index name is a miss
///   <ETag>
///   <max-age in seconds>
///   <other files: 0 or 1>
///   name TAB url TAB size TAB sha256 TAB metadata (?, +, -) TAB its sha256 TAB yanked (0, 1)
///        TAB upload time (ms since 1970) TAB requires-python TAB reason
///                                 a line per wheel; a URL that ends in `*` goes on with the file's
///                                 name; `-` is an absent size, hash or time
///   end                              what is not complete is a miss
///
/// The file's time is when the index last confirmed it. Files are written without fsync(2): a crash
/// costs a miss at worst.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "index/project_page.h"

namespace slipway::index {

struct CachedPage {
  std::string url;
  std::string etag;
  std::chrono::seconds max_age{0};
  ProjectPage page;

  bool operator==(const CachedPage&) const = default;
};

/// Pure.
std::string write_page(const CachedPage& page);
std::optional<CachedPage> parse_page(std::string_view text);

/// Replaces the file at `path`, making its folder. Best effort: a cache that cannot be written is
/// no failure.
void store_cache_file(const std::string& path, std::string_view text);
/// The file was confirmed just now.
void touch_cache_file(const std::string& path);
/// How long ago the file was stored or confirmed; nothing when it is not there or from the future.
std::optional<std::chrono::seconds> cache_file_age(const std::string& path);

}  // namespace slipway::index
