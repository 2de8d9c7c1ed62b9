# Every third-party library, found here and nowhere else. Each enters one module (see the LIBS of
# src/*/CMakeLists.txt) and appears in no public header.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(BZip2 REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(doctest REQUIRED)
foreach(name libdeflate libisal liblzma libzstd libarchive libsolv libseccomp libsodium)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${name})
endforeach()
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(fuse REQUIRED IMPORTED_TARGET fuse3)

# Linked into the program where Debian has an archive of them: a shared library is paid for at every
# start of a container, and in every monitor of a detached run
# (docs/decisions/0014-one-program.md).
if(NOT SLIPWAY_SANITIZE)
  include(CompiledLibraries)
  slipway_link_archive(OpenSSL::Crypto crypto)
  slipway_link_archive(BZip2::BZip2 bz2)
  slipway_link_archive(PkgConfig::libdeflate deflate)
  slipway_link_archive(PkgConfig::liblzma lzma)
  slipway_link_archive(PkgConfig::libseccomp seccomp)
  slipway_link_archive(PkgConfig::libsodium sodium)
  slipway_link_archive(PkgConfig::libzstd zstd)
  slipway_compile_library(fmt::fmt fmt.cc)
  slipway_compile_library(tomlplusplus::tomlplusplus toml.cc TOML_HEADER_ONLY=0)
endif()

# Signatures need all of libcrypto, hashes a corner of it: whoever signs gets the shared one.
add_library(slipway_evp INTERFACE)
add_library(OpenSSL::Evp ALIAS slipway_evp)
target_link_libraries(slipway_evp INTERFACE OpenSSL::Crypto)

# These are needed by few commands, and the first two bring many others along.
include(LazyLibraries)
slipway_lazy_library(evp slipway_evp ${OPENSSL_CRYPTO_LIBRARY} MODULES sign)
slipway_lazy_library(curl CURL::libcurl ${CURL_LIBRARIES} MODULES http)
slipway_lazy_library(archive PkgConfig::libarchive ${pkgcfg_lib_libarchive_archive} MODULES layer)
slipway_lazy_library(isal PkgConfig::libisal ${pkgcfg_lib_libisal_isal} MODULES layer)
slipway_lazy_library(solv PkgConfig::libsolv ${pkgcfg_lib_libsolv_solv} MODULES index
                     HEADERS solv/pool.h solv/queue.h)
slipway_lazy_library(fuse PkgConfig::fuse ${pkgcfg_lib_fuse_fuse3} MODULES lazy)
slipway_lazy_library(yaml PkgConfig::yaml ${pkgcfg_lib_yaml_yaml} MODULES cdi)
