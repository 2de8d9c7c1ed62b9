# Every third-party library, found here and nowhere else. Each enters one module (see the LIBS of
# src/*/CMakeLists.txt) and appears in no public header.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(doctest REQUIRED)
foreach(name libdeflate libisal liblzma libzstd libarchive libsolv libsolvext libseccomp)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${name})
endforeach()
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)

# Two bring many others along, and most commands need none of them.
include(LazyLibraries)
slipway_lazy_library(curl CURL::libcurl ${CURL_LIBRARIES} MODULES http)
slipway_lazy_library(archive PkgConfig::libarchive ${pkgcfg_lib_libarchive_archive} MODULES layer)
slipway_lazy_library(yaml PkgConfig::yaml ${pkgcfg_lib_yaml_yaml} MODULES cdi)
