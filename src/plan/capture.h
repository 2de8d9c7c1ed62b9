/// `slipway capture`: an environment that works on this host becomes an image.
///
/// What the image holds, bottom first: the interpreter with what it needs of the system; the Python
/// packages whose files are those of their RECORD; bytecode of both; the rest, which is listed. All
/// paths are those of the host, because scripts, pyvenv.cfg and .pth files name them. The
/// environment is only read. The same files give the same digest, whatever is in caches, and
/// whoever captures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/build_image.h"
#include "plan/captured_packages.h"
#include "plan/captured_python.h"
#include "plan/captured_system.h"
#include "plan/captured_tree.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "store/image_name.h"

namespace slipway::plan {

struct CaptureRequest {
  std::string venv;          ///< a folder, or
  std::string python;        ///< an interpreter with its own packages: a path, or a name in PATH
  std::string library_path;  ///< LD_LIBRARY_PATH, as the environment is used with it
  std::vector<std::string> include;  ///< folders that editable installs and .pth files name
};

struct Capture {
  CapturedPython python;
  CapturedTree tree;
  CapturedPackages packages;
  SystemNeeds needs;
  std::vector<std::string> dangling;  ///< links that lead out of the image
  std::vector<std::string> rest;      ///< files of the environment that no package owns as they are
};

/// Reads the environment; to be called as the caller. Fails with NotFound (no such environment),
/// Unsupported (an interpreter that does not work, or another C library than glibc), InvalidInput
/// (it imports from folders outside of it: names the .pth file), Denied (a file that the caller may
/// not read), Cancelled, Io.
Result<Capture> read_capture(const CaptureRequest& request, const Tools& tools);

/// The lock of what was read. Pure. Paths that are not UTF-8 are written with `\xNN` in it.
spec::Lock make_capture_lock(const Capture& capture);

/// Makes the image and names it. As root or inside the user namespace of the image's user, root.
/// Nothing is named unless all of it is there. Fails with Corrupt (a file that changed meanwhile),
/// Cancelled, Io (a full disk).
Result<BuiltImage> build_capture(const Capture& capture, const store::ImageName& name,
                                 Bytecode bytecode, const Tools& tools);

}  // namespace slipway::plan
