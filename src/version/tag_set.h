/// Which wheels fit a target, and which fits best: PEP 425, 513, 571, 599 and 600.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "version/python_target.h"
#include "version/wheel_file_name.h"

namespace slipway::version {

/// The tags of one target in the order in which installers prefer them:
///
///   cp311-cp311-PLATFORM, cp311-abi3-PLATFORM, cp311-none-PLATFORM, cp310-abi3-PLATFORM … cp32,
///   py311-none-PLATFORM, py3-none-PLATFORM, py310-none-PLATFORM … py30,
///   cp311-none-any, py311-none-any, py3-none-any, py310-none-any … py30
///
/// where PLATFORM is manylinux from the newest down to the oldest, then linux_ARCHITECTURE: the
/// order of `packaging`, and so of pip, and of uv.
class TagSet {
 public:
  static TagSet for_target(const PythonTarget& target);

  /// That of the wheel's best tag; lower is better; nothing where the wheel does not fit.
  std::optional<int> rank(const WheelFileName& wheel) const;

 private:
  std::optional<int> rank(const std::string& python, const std::string& abi,
                          const std::string& platform) const;
  std::map<std::string, int, std::less<>> platforms_;
  std::map<std::string, int, std::less<>> with_platform_;  ///< "cp311-abi3"
  std::map<std::string, int, std::less<>> with_any_;       ///< "py3-none", platform any
};

}  // namespace slipway::version
