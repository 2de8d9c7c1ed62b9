# The two interface targets that carry every compiler flag of the project.
option(SLIPWAY_WERROR "Warnings are errors" OFF)
option(SLIPWAY_ASSERTIONS "libstdc++ assertions" OFF)
option(SLIPWAY_FUZZ "Build the fuzzers of tests/fuzz (clang)" OFF)
set(SLIPWAY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

add_library(slipway_options INTERFACE)
target_compile_features(slipway_options INTERFACE cxx_std_20)
target_compile_definitions(slipway_options INTERFACE _FILE_OFFSET_BITS=64)
target_include_directories(slipway_options INTERFACE ${CMAKE_SOURCE_DIR}/src
                                                     ${CMAKE_BINARY_DIR}/generated)
if(SLIPWAY_ASSERTIONS)
  target_compile_definitions(slipway_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_options INTERFACE -fsanitize=${SLIPWAY_SANITIZE}
                                                   -fno-omit-frame-pointer)
  target_link_options(slipway_options INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
endif()
if(SLIPWAY_FUZZ)
  target_compile_options(slipway_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(slipway_warnings INTERFACE)
target_compile_options(
  slipway_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef
                             # With optimisation, g++ 12 sees null pointers inside std::vector, and
                             # uninitialised members in what a statement expression moves.
                             $<$<CONFIG:Debug>:-Wnull-dereference>
                             $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized>
                             $<$<BOOL:${SLIPWAY_WERROR}>:-Werror>)
