# slipway_module(store SOURCES a.cc TESTS a_test.cc DEPS oci LIBS OpenSSL::Crypto)
#
# One folder = one namespace = one library slipway::<name>, with its unit tests as one program
# slipway_<name>_test, run by ctest. Every module sees `base`; DEPS are the other modules it may
# include: tools/check_deps.py holds the #include lines to them. LIBS stay private.
function(slipway_module name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;TESTS;DEPS;LIBS;TEST_LIBS")
  set(target slipway_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(slipway::${name} ALIAS ${target})
  target_link_libraries(${target} PUBLIC slipway_options fmt::fmt Threads::Threads)
  if(NOT name STREQUAL "base")
    target_link_libraries(${target} PUBLIC slipway::base)
  endif()
  foreach(dep ${ARG_DEPS})
    target_link_libraries(${target} PUBLIC slipway::${dep})
  endforeach()
  target_link_libraries(${target} PRIVATE slipway_warnings ${ARG_LIBS})
  if(ARG_TESTS AND BUILD_TESTING)
    add_executable(${target}_test ${CMAKE_SOURCE_DIR}/tests/doctest_main.cc ${ARG_TESTS})
    target_link_libraries(${target}_test PRIVATE slipway::${name} slipway_warnings
                                                 doctest::doctest ${ARG_LIBS} ${ARG_TEST_LIBS})
    # A quarter of the whole build's time otherwise: what is tested is optimised, the asking need not be.
    target_compile_options(${target}_test PRIVATE $<$<CONFIG:Release>:-O0>)
    target_compile_definitions(${target}_test
                               PRIVATE SLIPWAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${target}_test)
  endif()
endfunction()
