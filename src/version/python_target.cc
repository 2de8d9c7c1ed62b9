#include "version/python_target.h"

#include <fmt/format.h>

namespace slipway::version {

MarkerEnvironment marker_environment(const PythonTarget& target, std::string_view full_version) {
  MarkerEnvironment environment;
  environment.python_version = fmt::format("{}.{}", target.major, target.minor);
  environment.python_full_version = full_version;
  environment.os_name = "posix";
  environment.sys_platform = "linux";
  environment.platform_system = "Linux";
  environment.platform_machine = target.architecture;
  environment.platform_python_implementation = "CPython";
  environment.implementation_name = "cpython";
  environment.implementation_version = full_version;
  return environment;
}

}  // namespace slipway::version
