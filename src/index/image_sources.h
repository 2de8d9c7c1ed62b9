/// Which archives the apt of an image would ask, by its own /etc/apt: for distributions whose
/// archives this machine's apt does not know.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/debian_sources.h"

namespace slipway::index {

/// A file of the image.
struct ImageFile {
  std::string path;  ///< "etc/apt/sources.list.d/ubuntu.sources"
  std::string text;
  bool operator==(const ImageFile&) const = default;
};

/// The suites that these files name for `architecture` ("amd64"), each once, with all components.
/// An archive is called as the distribution is (`ubuntu`) where sources.list or a file of that name
/// has it, and else as its file is (`cuda-ubuntu2204` of `cuda-ubuntu2204.list`), since a lock
/// names no host. `host` are the entries of this machine where it runs the same distribution: their
/// address of a suite stands in for the image's (a mirror). `keyring` of what comes back is still
/// the image's Signed-By. Pure.
std::vector<DebianSource> choose_image_sources(std::string_view distribution,
                                               std::string_view architecture,
                                               std::span<const ImageFile> files,
                                               std::span<const AptEntry> host);

/// Where the keys are that may sign a source: what `signed_by` (Signed-By of sources.list(5))
/// names, or all that apt trusts.
struct KeyChoice {
  std::vector<std::string> paths;  ///< in the image, without a leading slash
  std::string key;                 ///< one that stands in the sources file itself
  bool is_any = false;             ///< etc/apt/trusted.gpg and trusted.gpg.d
  bool operator==(const KeyChoice&) const = default;
};

/// Fails with Unsupported for fingerprints, which choose among keys. Pure.
Result<KeyChoice> choose_keys(std::string_view signed_by);

/// Keys as gpgv takes them: ASCII armour (RFC 4880, section 6.2) is taken off, and several blocks
/// become one. Fails with Unsupported for GnuPG's keybox, Corrupt for a broken armour. Pure.
Result<std::string> make_keyring(std::string_view bytes);

}  // namespace slipway::index
