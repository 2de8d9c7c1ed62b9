#include "gpu/fat_binary.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "gpu/elf.h"
#include "gpu/testing/elf_writer.h"
#include "gpu/testing/fat_writer.h"

namespace slipway::gpu {
namespace {

ElfFacts library() {
  ElfFacts facts;
  facts.machine = kMachineX86_64;
  facts.is_64bit = true;
  facts.soname = "libkernels.so";
  facts.needed = {"libcudart.so.12", "libc.so.6"};
  facts.needed_versions = {{"libc.so.6", "GLIBC_2.17", false},
                           {"libc.so.6", "GLIBC_2.34", true},
                           {"libcudart.so.12", "libcudart.so.12", false}};
  facts.defined_versions = {"KERNELS_1", "KERNELS_2"};
  return facts;
}

std::vector<CodeGroup> sorted(std::vector<CodeGroup> groups) {
  std::sort(groups.begin(), groups.end());
  return groups;
}

TEST_CASE("what a library carries: kinds, targets, variants and PTX versions") {
  std::vector<CodeGroup> groups = {sass("sm_80"), sass("sm_90"), sass("sm_90a"), sass("sm_100"),
                                   ptx("sm_90", "8.4")};
  groups[0].count = 3;
  groups[0].bytes = 96;
  const std::string one = make_fat_binary(groups);
  const std::string padded = one + std::string(24, '\0') + make_fat_binary({ptx("sm_90", "8.10")});
  for (const bool is_64bit : {true, false}) {
    ElfFacts facts = library();
    facts.is_64bit = is_64bit;
    const std::string file =
        make_elf(facts, ByteOrder::Little,
                 {{".nv_fatbin", padded}, {"__nv_relfatbin", make_fat_binary({sass("sm_75")})}});
    const GpuCode code = read_gpu_code(as_bytes(file)).value();
    groups[4].count = 2;
    groups[4].bytes = 128;
    groups[4].ptx_version = "8.10";
    CHECK(code.groups == sorted(groups));
    CHECK(code.relocatable == std::vector<CodeGroup>{sass("sm_75")});
    CHECK(read_elf(as_bytes(file)).value().value() == facts);
  }
}

TEST_CASE("sizes that lie are Corrupt, and say where") {
  const std::string good = make_fat_binary({sass("sm_80"), ptx("sm_80", "8.4")});
  struct Case {
    std::string name;
    std::size_t at;
    std::string bytes;
    std::string says;
  };
  const Case cases[] = {
      {"magic", 0, "\1\2\3\4", "offset 0: it does not begin as one"},
      {"version", 4, "\2", "an unknown version"},
      {"short header", 6, "\4", "strange size"},
      {"long header", 6, "\xff\xff", "strange size"},
      {"body beyond the end", 8, std::string(8, '\xff'), "claims 18446744073709551615 bytes"},
      {"one byte too many", 8, "\x11\x01", "offset 0: it claims 273 bytes where 272 are left"},
      {"body ends in an entry", 8, std::string("\x10\0", 2), "offset 16: an entry"},
      {"entry header", 16 + 4, std::string(4, '\xff'), "header claims 4294967295 bytes"},
      {"entry header too small", 16 + 4, std::string(1, '\x08'), "header claims 8 bytes"},
      {"payload", 16 + 8, std::string(8, '\xff'), "offset 16: an entry claims"},
      {"compressed", 16 + 16, "\xff\xff", "compressed size"},
      {"architecture 0", 16 + 28, std::string(1, '\0'), "architecture 0"},
      {"architecture", 16 + 28, "\xff\xff", "architecture 65535"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    std::string bad = good;
    bad.replace(one.at, one.bytes.size(), one.bytes);
    const auto read = read_fat_binaries(as_bytes(bad));
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == ErrorKind::Corrupt);
    CHECK(read.error().message.find(one.says) != std::string::npos);
    INFO(read.error().message);
  }
  CHECK(read_fat_binaries(as_bytes(good)).value().size() == 2);
  CHECK(read_fat_binaries(Bytes()).value().empty());
  // Entries of kinds that are not known are passed over.
  std::string other = good;
  other[16] = 8;
  CHECK(read_fat_binaries(as_bytes(other)).value() == std::vector<CodeGroup>{ptx("sm_80", "8.4")});
}

TEST_CASE("a file cut anywhere gives facts or Corrupt, never more") {
  const std::string file =
      make_elf(library(), ByteOrder::Little, {{".nv_fatbin", make_fat_binary({sass("sm_80")})}});
  const std::string fat = make_fat_binary({sass("sm_80"), ptx("sm_80", "8.4")});
  for (std::size_t length = 0; length < file.size(); ++length) {
    // A copy of just this size, so that the address sanitizer sees a read beyond.
    const std::vector<char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    const Bytes bytes = as_bytes(std::string_view(cut.data(), cut.size()));
    const auto facts = read_elf(bytes);
    const auto code = read_gpu_code(bytes);
    if (!facts.ok()) CHECK(facts.error().kind == ErrorKind::Corrupt);
    if (!code.ok()) CHECK(code.error().kind == ErrorKind::Corrupt);
    CHECK((length < 4) == (facts.ok() && !facts->has_value()));
    // The section headers stand at the end: what is cut there must not look like a whole file.
    CHECK_FALSE((length > 64 && code.ok()));
  }
  for (std::size_t length = 8; length < fat.size(); ++length) {
    const std::vector<char> cut(fat.begin(), fat.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_FALSE(read_fat_binaries(as_bytes(std::string_view(cut.data(), cut.size()))).ok());
  }
}

TEST_CASE("code that cannot be found is told") {
  ElfFacts facts = library();
  const GpuCode code = read_gpu_code(as_bytes(make_elf(facts))).value();
  CHECK(code.problem.find("no section headers") != std::string::npos);
  facts.needed = {"libc.so.6"};
  facts.needed_versions.clear();
  CHECK(read_gpu_code(as_bytes(make_elf(facts))).value().empty());
  std::string file = make_elf(library(), ByteOrder::Little, {{".nv_fatbin", "not a fat binary"}});
  CHECK(read_gpu_code(as_bytes(file)).error().kind == ErrorKind::Corrupt);
  file[40] = file[41] = file[42] = '\x7f';  // where the section headers are said to be
  CHECK(read_gpu_code(as_bytes(file)).error().kind == ErrorKind::Corrupt);
}

}  // namespace
}  // namespace slipway::gpu
