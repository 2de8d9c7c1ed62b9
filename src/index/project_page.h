/// One project's page of the simple API (PEP 503, in the JSON form of PEP 691 and 700). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/utc_time.h"

namespace slipway::index {

/// Whether `<url>.metadata` exists (PEP 658, 714).
enum class MetadataFile {
  Unknown,  ///< the index does not say: older ones do not
  Present,
  Absent,
};

struct WheelFile {
  std::string file_name;
  std::string url;  ///< absolute, without password
  std::optional<std::uint64_t> size_bytes;
  std::optional<Digest> sha256;
  std::string requires_python;
  bool is_yanked = false;
  std::string yanked_reason;
  MetadataFile metadata_file = MetadataFile::Unknown;
  std::optional<Digest> metadata_sha256;  ///< of that file
  std::optional<UtcTime> uploaded;        ///< PEP 700; older indexes do not say

  bool operator==(const WheelFile&) const = default;
};

struct ProjectPage {
  std::vector<WheelFile> wheels;  ///< in the index's order
  bool has_other_files = false;   ///< source distributions and the like

  bool operator==(const ProjectPage&) const = default;
};

/// `page_url` is what relative file URLs are relative to. Files with unusable names or URLs are
/// left out. Fails with Corrupt for what is not such a page, Unsupported for a later major version.
Result<ProjectPage> parse_project_page(std::string_view json, std::string_view page_url);

}  // namespace slipway::index
