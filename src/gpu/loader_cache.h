/// /etc/ld.so.cache, the loader's list of libraries by name, in the format that glibc 2.2 and later
/// read: glibc's sysdeps/generic/dl-cache.h (`glibc-ld.so.cache1.1`, and the extensions of 2.33).
///
/// A container with a GPU gets the driver's libraries in a folder of their own. Nothing needs to
/// run for the loader to find them (ldconfig in a foreign tree has been a way out of containers):
/// the image's cache is read, the names are put in, and it is written anew.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

struct LoaderCacheEntry {
  std::string name;                ///< what programs ask for: `libcuda.so.1`
  std::string path;                ///< inside the image
  std::int32_t flags = 0;          ///< kind of library: see library_flags()
  std::uint32_t os_version = 0;    ///< of the kernel; glibc does not look at it any more
  std::uint64_t capabilities = 0;  ///< 0, an old bit set, or where it lies in `subfolders`
  bool operator==(const LoaderCacheEntry&) const = default;
};

struct LoaderCache {
  std::vector<LoaderCacheEntry> entries;  ///< in the loader's order: names fall, the better first
  std::vector<std::string> subfolders;    ///< of glibc-hwcaps, by the number that entries name
  std::string generator;                  ///< the program that made it, in its own words
};

/// Of any bytes. Fails with InvalidInput where it is no such file, is one for the other byte order,
/// or says more than it holds.
Result<LoaderCache> parse_loader_cache(std::string_view bytes);

/// The same cache gives the same bytes. `entries` may be in any order: those of one name keep
/// theirs.
std::string write_loader_cache(const LoaderCache& cache);

/// FLAG_* of a library of this machine's 64-bit architecture.
std::int32_t library_flags();

/// A name that programs ask for, and the file inside the image that they get.
struct LoaderLead {
  std::string name, path;
  bool operator==(const LoaderLead&) const = default;
};

/// Each name leads to its file and nowhere else.
void lead_to_files(LoaderCache& cache, const std::vector<LoaderLead>& leads);

/// `names` are found in `folder` and nowhere else: what the cache had under them is taken out, as a
/// driver's library that was left in an image fits no other machine.
void lead_to_folder(LoaderCache& cache, const std::string& folder,
                    const std::vector<std::string>& names);

}  // namespace slipway::gpu
