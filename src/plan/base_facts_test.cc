#include "plan/base_facts.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/testing/tar_maker.h"
#include "plan/binary_versions.h"
#include "plan/os_release.h"

namespace slipway::plan {
namespace {

using layer::testing::RawEntry;

constexpr const char* kLibc = "lib/x86_64-linux-gnu/libc.so.6";

std::string elf(std::string_view text) {
  std::string bytes = "\177ELF";
  bytes += '\0';
  bytes += text;
  bytes += '\0';
  return bytes;
}
RawEntry file(std::string path, std::string text) {
  return {std::move(path), '0', std::move(text)};
}
RawEntry link(std::string path, std::string target) {
  return {std::move(path), '2', {}, std::move(target)};
}
RawEntry glibc() {
  return file(kLibc, elf("GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nx"));
}

/// Each layer a tar.
Result<TarTree> tree_of(const std::vector<std::vector<RawEntry>>& layers) {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp").value();
  std::vector<std::string> blobs;
  for (const std::vector<RawEntry>& layer : layers) {
    std::string tar;
    for (const RawEntry& entry : layer) tar += raw_entry(entry);
    blobs.push_back(fmt::format("{}/{}", folder.path(), blobs.size()));
    REQUIRE(write_file(blobs.back(), tar + layer::testing::tar_end()).ok());
  }
  return read_base_tree(blobs, {});
}

Result<BaseFacts> facts_of(const std::vector<std::vector<RawEntry>>& layers,
                           const std::string& python = "",
                           const std::vector<std::string>& env = {}) {
  oci::ImageConfig config;
  config.env = env;
  return find_base_facts(tree_of(layers).value(), config, python, "x:1");
}

TEST_CASE("an image as Debian has it") {
  const auto facts = facts_of(
      {{link("lib", "usr/lib"), link("bin", "usr/bin"),
        link("etc/os-release", "../usr/lib/os-release"),
        file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        file("usr/lib/x86_64-linux-gnu/libc.so.6", glibc().contents), file("usr/bin/bash", "x"),
        link("usr/bin/sh", "bash"), link("usr/bin/python3", "python3.11"),
        file("usr/bin/python3.11-config", elf("3.11.9")),
        file("usr/bin/python3.11", elf("3.11.2"))}});
  REQUIRE_MESSAGE(facts.ok(), facts.error().message);
  CHECK(*facts == BaseFacts{"debian 12", "2.36", "3.11.2", "/usr/bin/python3.11", "/bin/bash"});
}

TEST_CASE("the Python that PATH leads to, unless slipway.toml names one") {
  const std::vector<std::vector<RawEntry>> layers{
      {glibc(), file("usr/bin/python3.11", elf("3.11.2")), link("usr/bin/python3", "python3.11")},
      {file("usr/local/bin/python3.12", elf("nothing")),
       link("usr/local/bin/python3", "python3.12"),
       file("usr/local/lib/libpython3.12.so.1.0", elf("3.12.4+"))},
      {file("opt/conda/bin/python3.10", elf("3.10.1rc2")),
       link("opt/conda/bin/python3", "/opt/conda/bin/python3.10"),
       file("opt/shims/python3", "#!/bin/sh\n")}};
  CHECK(facts_of(layers)->interpreter == "/usr/local/bin/python3.12");
  CHECK(facts_of(layers)->python == "3.12.4");
  CHECK(facts_of(layers, "3.11")->interpreter == "/usr/bin/python3.11");
  const auto conda = facts_of(layers, "", {"A=b", "PATH=/opt/shims:/opt/conda/bin:/usr/bin"});
  CHECK(conda->interpreter == "/opt/conda/bin/python3.10");
  CHECK(conda->python == "3.10.1rc2");
  CHECK(conda->shell.empty());
  const auto other = facts_of(layers, "3.13");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().kind == ErrorKind::InvalidInput);
  CHECK(other.error().message ==
        "the base `x:1` brings Python 3.12 and 3.11, and slipway.toml says 3.13");
}

TEST_CASE("what higher layers take away is not there") {
  const std::vector<RawEntry> below{glibc(), file("usr/bin/python3.11", elf("3.11.2")),
                                    file("usr/bin/python3.9", elf("3.9.2")),
                                    link("usr/bin/python3", "python3.11")};
  CHECK(facts_of({below, {file("usr/bin/.wh.python3.11", "")}})->python == "3.9.2");
  CHECK_FALSE(facts_of({below, {file("usr/.wh.bin", "")}}).ok());
  // An opaque folder hides what is below it, and nothing of its own layer.
  const auto opaque = facts_of(
      {below, {file("usr/bin/python3.10", elf("3.10.4")), file("usr/bin/.wh..wh..opq", "")}});
  REQUIRE(opaque.ok());
  CHECK(opaque->python == "3.10.4");
  CHECK_FALSE(facts_of({below, {file("usr", "no folder any more")}}).ok());
  // Twins are the same file.
  const auto twin = facts_of({below, {{"usr/local/bin/python3", '1', "", "usr/bin/python3.9"}}});
  CHECK(twin->interpreter == "/usr/local/bin/python3");
  CHECK(twin->python == "3.9.2");
}

TEST_CASE("where the bytes do not tell the version, a header or dpkg does") {
  const std::vector<RawEntry> layer{glibc(), file("usr/bin/python3.10", elf("?"))};
  CHECK(facts_of({layer}).error().kind == ErrorKind::Unsupported);
  CHECK(facts_of({layer,
                  {file("usr/include/python3.10/patchlevel.h",
                        "/* PY_VERSION_HEX */\n#define PY_VERSION      \t\"3.10.12+\"\n")}})
            ->python == "3.10.12");
  CHECK(facts_of({layer,
                  {file("var/lib/dpkg/status",
                        "Package: python3.10-minimal\nStatus: install ok installed\n"
                        "Version: 3.10.12-1~22.04.5\n\n")}})
            ->python == "3.10.12");
}

TEST_CASE("images on which no environment can stand") {
  const RawEntry python = file("usr/bin/python3.11", elf("3.11.2"));
  struct Case {
    std::vector<RawEntry> layer;
    std::string message;
  };
  for (const Case& c :
       {Case{{}, "the base `x:1` has no C library in which wheels could run"},
        Case{{python, file("lib/ld-musl-x86_64.so.1", "x")},
             "the base `x:1` has musl for its C library"},
        Case{{glibc()}, "the base `x:1` has no Python 3 on its PATH"},
        Case{
            {glibc(), link("usr/bin/python3", "python3.11"), link("usr/bin/python3.11", "python3")},
            "the base `x:1` has no Python 3 on its PATH"},
        Case{{glibc(), file("usr/bin/python3.6", elf("3.6.9"))},
             "the base `x:1` has Python 3.6, which is too old"},
        Case{{glibc(), python, file("opt/venv/bin/python", "x")},
             "the base `x:1` has `/opt/venv` already, where the environment would be made"}}) {
    CAPTURE(c.message);
    const auto facts = facts_of({c.layer});
    REQUIRE_FALSE(facts.ok());
    CHECK(facts.error().message == c.message);
    CHECK(facts.error().kind == ErrorKind::Unsupported);
    CHECK_FALSE(facts.error().hints.empty());
  }
}

TEST_CASE("versions in bytes") {
  const auto bytes = [](std::string_view text) {
    std::string all(text);
    for (char& c : all) c = c == '|' ? '\0' : c;
    return find_python_versions(all);
  };
  using List = std::vector<std::string>;
  CHECK(bytes("|3.12.4|x|3.12.4|3.13.0rc1|3.14.0a7|3.9.2+|") ==
        List{"3.12.4", "3.13.0rc1", "3.14.0a7", "3.9.2"});
  CHECK(bytes("|3.12|3.12.|3..1|3.12.4x|3.12.4rc|x3.12.4|3.12.4") == List{});
  CHECK(find_glibc_version("GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version "
                           "2.35.\nCopyright") == "2.35");
  CHECK(find_glibc_version("GNU C Library and no more").empty());
  CHECK(os_name("NAME=x\nID=\"ubuntu\"\nVERSION_ID=\"22.04\"") == "ubuntu 22.04");
  CHECK(os_name("ID=debian\nVERSION_CODENAME=trixie") == "debian trixie");
  CHECK(os_name("ID=a\x1b\x80z") == "az");
}

}  // namespace
}  // namespace slipway::plan
