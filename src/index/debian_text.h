/// Debian's control syntax (deb822(5), DebianRepository/Format): paragraphs, Release, relations.
/// Everything here is pure, and borrows from the text that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"

namespace slipway::index {

/// Calls `field(name, value)` for every field of the paragraph at the front of `rest` and takes it
/// off. The value holds its continuation lines, newlines included. False at the end of the text.
bool next_paragraph(std::string_view& rest,
                    const std::function<void(std::string_view, std::string_view)>& field);

/// Compares field names: ASCII, without case.
bool same_field(std::string_view a, std::string_view b);

std::string_view trimmed(std::string_view text);
/// The words of a text, split at blanks and newlines.
std::vector<std::string_view> words_of(std::string_view text);

/// `3.11.2` of `3.11.2-6+deb12u6`: the digits and dots behind the epoch (deb-version(7)).
std::string upstream_number(std::string_view version);

struct ReleaseFile {
  Digest sha256;
  std::uint64_t size_bytes = 0;
};

/// What a Release file says, as far as we need it.
struct DebianRelease {
  std::string suite;     ///< "oldstable"
  std::string codename;  ///< "bookworm"
  std::int64_t date = 0;
  std::optional<std::int64_t> valid_until;  ///< seconds since 1970; stable releases have none
  bool by_hash = false;
  /// Backports and the like: taken where no other suite has the package (apt_preferences(5)).
  bool is_not_automatic = false;
  std::map<std::string, ReleaseFile, std::less<>> files;  ///< by path below `dists/<suite>/`
};

/// Fails with Corrupt for a text that lacks a date or SHA-256 values, or has bad ones.
Result<DebianRelease> parse_release(std::string_view text);

/// `Sat, 11 Jul 2026 10:16:37 UTC` as seconds since 1970. Fails with Corrupt.
Result<std::int64_t> parse_release_date(std::string_view text);

/// Is this the release of `suite`, and still valid at `now`? A flat archive has no suite: empty.
/// Fails with Corrupt and a hint.
Result<void> check_release(const DebianRelease& release, std::string_view suite, std::int64_t now);

/// One alternative of a relation: `libc6 (>= 2.36)`; `python3:any` loses its qualifier, because we
/// install for one architecture only.
struct Relation {
  std::string_view name;
  std::string_view comparison;  ///< `<<`, `<=`, `=`, `>=`, `>>`, or empty
  std::string_view version;
  bool operator==(const Relation&) const = default;
};

/// Calls `element(alternatives)` for every comma-separated element of a Depends-like field. False
/// when the text breaks the syntax; elements before that were handed out.
bool parse_relations(std::string_view text,
                     const std::function<void(const std::vector<Relation>&)>& element);

/// `gcc-12 (12.2.0-14)`: a Source field (deb-policy 5.6.1). Where it names no version, or where
/// there is no such field, it is the binary package's own.
struct SourcePackage {
  std::string_view name, version;
};
SourcePackage parse_source(std::string_view text);

/// A stanza of a Packages file. Fields that are not there are empty.
struct PackageStanza {
  std::string_view package, version, architecture, priority, essential, depends, pre_depends,
      conflicts, breaks, provides, source, file_name, size, sha256;
};

/// Takes the next stanza off `rest`; false at the end. Built for speed: one look at each line.
bool next_package(std::string_view& rest, PackageStanza& stanza);

}  // namespace slipway::index
