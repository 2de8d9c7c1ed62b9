/// What to say about a library that is missing: what the image has instead, and what to change.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "gpu/closure.h"
#include "gpu/compatibility.h"

namespace slipway::gpu {

/// The first word of `name version`, normalised as PEP 503 says.
std::string package_of(std::string_view owner);

/// `libX11.so.6, libXext.so.6, libGL.so.1, libSM.so.6 and 12 more`.
std::string name_some(const std::set<std::string>& libraries);

/// `torchaudio==2.6.0`; where the row is for a whole series, `torchcodec==0.2.*`.
std::string pin_of(const Companion& row);

/// Fills `because` and `remedy`. `beside`: a file of the image that is another version of the same
/// library, or empty.
void add_remedy(const CompatibilityTables& tables,
                const std::map<std::string, std::string>& installed, std::string_view beside,
                Missing& missing);

}  // namespace slipway::gpu
