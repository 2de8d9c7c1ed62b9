# slipway_lazy_library(solv PkgConfig::libsolv FILE MODULES index HEADERS solv/queue.h)
#
# The library is loaded when one of its functions is first called, not when the program starts: see
# tools/lazy_library.py. Who links the target gets the stand-in. HEADERS have functions of their own,
# which call those of the library. Elsewhere than on x86-64, and under
# sanitizers, nothing changes.
function(slipway_lazy_library name target library)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "" "MODULES;HEADERS")
  if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" OR SLIPWAY_SANITIZE)
    return()
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(sources)
  foreach(module ${ARG_MODULES})
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${module}/*.cc
         ${CMAKE_SOURCE_DIR}/src/${module}/*.h)
    list(APPEND sources ${found})
  endforeach()
  foreach(header ${ARG_HEADERS})
    find_file(path ${header} REQUIRED NO_CACHE)
    list(APPEND sources ${path})
    unset(path)
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/generated/lazy_${name}.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/lazy_library.py ${name} ${library}
            ${output} ${sources}
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/tools/lazy_library.py
    VERBATIM)
  add_library(slipway_lazy_${name} STATIC ${output})
  target_link_libraries(slipway_lazy_${name} PRIVATE ${CMAKE_DL_LIBS})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES slipway_lazy_${name})
  else()
    set(archive ${CMAKE_BINARY_DIR}/libslipway_lazy_${name}.a)
    set_target_properties(
      ${target} PROPERTIES IMPORTED_LOCATION ${archive} IMPORTED_LOCATION_RELEASE ${archive}
                           INTERFACE_LINK_LIBRARIES slipway_lazy_${name})
    add_dependencies(${target} slipway_lazy_${name})
  endif()
endfunction()
