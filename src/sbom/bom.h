/// A bill of materials: what an image is made of, in no format yet; and its two formats. Pure.
///
/// The same Bom gives the same bytes: components are sorted, dates are the image's, identifiers
/// come from its digest. Text that is not UTF-8 is mended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "sbom/licence.h"

namespace slipway::sbom {

enum class Ecosystem { Python, Debian };

struct Component {
  Ecosystem ecosystem = Ecosystem::Python;
  std::string id;  ///< unique in the Bom: `python-numpy-2.1.0`
  std::string name, version;
  std::string purl;
  std::string summary;   ///< one line; may be empty
  std::string homepage;  ///< may be empty
  std::string supplier;  ///< `Debian GCC Maintainers <…>`; may be empty
  Licence licence;
  std::string licence_remark;      ///< where to look, if `licence` is empty
  std::string file;                ///< of the wheel or the Debian package; may be empty
  std::optional<Digest> sha256;    ///< of that file
  std::string place;               ///< in the image: `/opt/venv/…/numpy-2.1.0.dist-info`
  std::vector<std::string> needs;  ///< ids in this Bom
};

struct Bom {
  std::string reference;      ///< `pytorch-cuda:2.6`
  std::string name, version;  ///< the image's
  std::string purl;
  Digest digest;        ///< of the image's manifest
  std::string created;  ///< `1980-01-01T00:00:00Z`
  std::string tool_version;
  std::vector<Component> components;
};

/// Sorts components by id, makes doubled ids unique (`…-2`), sorts and cleans `needs`.
void finish(Bom& bom);

/// SPDX 2.3, JSON: spdx-spec 2.3, with a newline at the end.
std::string spdx_text(const Bom& bom);

/// CycloneDX 1.6, JSON, with a newline at the end.
std::string cyclonedx_text(const Bom& bom);

}  // namespace slipway::sbom
