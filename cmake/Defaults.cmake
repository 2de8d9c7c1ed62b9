# The public indexes, as this machine's own tools know them: the sources name none. Written to
# generated/defaults.h; empty where nothing says, and then Slipway asks for configuration at run
# time. Override with -DSLIPWAY_DEFAULT_PYPI=URL and so on.
set(SLIPWAY_DEFAULT_PYPI "" CACHE STRING "Simple API of the default Python index")
set(SLIPWAY_DEFAULT_DEBIAN "" CACHE STRING "Archive of the default Debian mirror")
set(SLIPWAY_DEFAULT_DEBIAN_SECURITY "" CACHE STRING "Archive of Debian's security updates")

# From the installed pip, else from the wheel of pip that Debian's venv carries.
function(slipway_find_default_pypi result)
  set(script "from pip._internal.models.index import PyPI; print(PyPI.simple_url)")
  file(GLOB wheels /usr/share/python-wheels/pip-*.whl
       /usr/lib/python3*/ensurepip/_bundled/pip-*.whl)
  find_program(SLIPWAY_PYTHON python3)
  mark_as_advanced(SLIPWAY_PYTHON)
  set(url "")
  foreach(wheel "" ${wheels})
    if(SLIPWAY_PYTHON AND NOT url)
      execute_process(COMMAND ${CMAKE_COMMAND} -E env "PYTHONPATH=${wheel}" ${SLIPWAY_PYTHON} -c
                              "${script}"
                      OUTPUT_VARIABLE url ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
  endforeach()
  set(${result} "${url}" PARENT_SCOPE)
endfunction()

# From apt's own view of its sources: lines of `URI suite`. Both forms of sources.list count.
function(slipway_find_default_debian suites result)
  find_program(SLIPWAY_APT_GET apt-get)
  mark_as_advanced(SLIPWAY_APT_GET)
  set(found "")
  if(SLIPWAY_APT_GET)
    execute_process(COMMAND ${SLIPWAY_APT_GET} indextargets --format "$(REPO_URI) $(RELEASE)"
                            "Created-By: Packages"
                    OUTPUT_VARIABLE lines ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE "\n" ";" lines "${lines}")
    foreach(line ${lines})
      if(NOT found AND line MATCHES "^(https?://[^ ]+) (${suites})$")
        string(REGEX REPLACE "/$" "" found "${CMAKE_MATCH_1}")
      endif()
    endforeach()
  endif()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

set(releases "bookworm|trixie|bullseye|stable|oldstable")
set(kDefaultPypi "${SLIPWAY_DEFAULT_PYPI}")
set(kDefaultDebian "${SLIPWAY_DEFAULT_DEBIAN}")
set(kDefaultDebianSecurity "${SLIPWAY_DEFAULT_DEBIAN_SECURITY}")
if(NOT kDefaultPypi)
  slipway_find_default_pypi(kDefaultPypi)
endif()
if(NOT kDefaultDebian)
  slipway_find_default_debian("${releases}" kDefaultDebian)
endif()
if(NOT kDefaultDebianSecurity)
  string(REGEX REPLACE "\\|" "-security|" security "${releases}-security")
  slipway_find_default_debian("${security}" kDefaultDebianSecurity)
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/defaults.h CONTENT [=[
/// Made by cmake/Defaults.cmake from this machine's pip and apt. Empty: nothing said.
#pragma once

#include <string_view>

namespace slipway::defaults {
inline constexpr std::string_view kPypiUrl = "@kDefaultPypi@";
inline constexpr std::string_view kDebianUrl = "@kDefaultDebian@";
inline constexpr std::string_view kDebianSecurityUrl = "@kDefaultDebianSecurity@";
}  // namespace slipway::defaults
]=] @ONLY)
