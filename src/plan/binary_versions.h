/// Which version a program or library is, by the texts in its bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::plan {

/// Every text `3.N.N` (of the first 64) that stands between two null bytes of a program, as
/// PY_VERSION does in the interpreter (Include/patchlevel.h); sorted.
std::vector<std::string> find_python_versions(std::string_view bytes);

/// "3.12.4" of `#define PY_VERSION "3.12.4"` in patchlevel.h; empty where there is none.
std::string find_header_version(std::string_view text);

/// "2.36" of the banner in libc.so.6: `GNU C Library (…) stable release version 2.36.`; empty where
/// there is none.
std::string find_glibc_version(std::string_view bytes);

}  // namespace slipway::plan
