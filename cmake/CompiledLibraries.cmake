# slipway_link_archive(OpenSSL::Crypto crypto)
#
# Who links the target gets libcrypto.a, if the machine has it; else all stays as it was.
function(slipway_link_archive target name)
  find_library(SLIPWAY_${name}_ARCHIVE lib${name}.a)
  mark_as_advanced(SLIPWAY_${name}_ARCHIVE)
  if(NOT SLIPWAY_${name}_ARCHIVE)
    return()
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES ${SLIPWAY_${name}_ARCHIVE})
  else()
    set_target_properties(
      ${target} PROPERTIES IMPORTED_LOCATION ${SLIPWAY_${name}_ARCHIVE}
                           IMPORTED_LOCATION_RELEASE ${SLIPWAY_${name}_ARCHIVE})
  endif()
endfunction()

# slipway_compile_library(tomlplusplus::tomlplusplus toml.cc TOML_HEADER_ONLY=0)
#
# Who links the target gets cmake/compiled/toml.cc, compiled with these definitions as they are.
function(slipway_compile_library target source)
  string(REGEX REPLACE "\\..*" "" name ${source})
  add_library(slipway_compiled_${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/compiled/${source})
  target_compile_features(slipway_compiled_${name} PUBLIC cxx_std_20)
  target_compile_definitions(slipway_compiled_${name} PUBLIC ${ARGN})
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(folders)
    target_include_directories(slipway_compiled_${name} SYSTEM PUBLIC ${folders})
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set_target_properties(
      ${target} PROPERTIES INTERFACE_LINK_LIBRARIES slipway_compiled_${name}
                           INTERFACE_COMPILE_DEFINITIONS "")
  else()
    set(archive ${CMAKE_BINARY_DIR}/libslipway_compiled_${name}.a)
    set_target_properties(
      ${target} PROPERTIES IMPORTED_LOCATION ${archive} IMPORTED_LOCATION_NONE ${archive}
                           INTERFACE_LINK_LIBRARIES slipway_compiled_${name}
                           INTERFACE_COMPILE_DEFINITIONS "")
    add_dependencies(${target} slipway_compiled_${name})
  endif()
endfunction()
