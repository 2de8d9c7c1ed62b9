#include "gpu/elf.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "gpu/testing/elf_writer.h"

namespace slipway::gpu {
namespace {

ElfFacts example(int machine, bool is_64bit) {
  return {machine,
          is_64bit,
          "libx.so.1",
          {"libtorch.so", "libc.so.6"},
          {"$ORIGIN/../lib", "/opt/x"},
          {"$ORIGIN"},
          "/lib64/ld-linux-x86-64.so.2"};
}

TEST_CASE("all machines, both classes, both byte orders") {
  struct Case {
    int machine;
    bool is_64bit;
    ByteOrder order;
  };
  for (const Case& c :
       {Case{kMachineX86_64, true, ByteOrder::Little},
        Case{kMachineAarch64, true, ByteOrder::Little}, Case{kMachineX86, false, ByteOrder::Little},
        Case{22 /* s390x */, true, ByteOrder::Big},
        Case{20 /* powerpc */, false, ByteOrder::Big}}) {
    CAPTURE(c.machine);
    const ElfFacts facts = example(c.machine, c.is_64bit);
    const auto read = read_elf(as_bytes(make_elf(facts, c.order)));
    REQUIRE(read.ok());
    REQUIRE(read->has_value());
    CHECK(**read == facts);
  }
}

TEST_CASE("what is no ELF file is nothing") {
  for (const char* text : {"", "\x7f",
                           "\x7f"
                           "EL",
                           "#!/bin/sh\n", "MZ", "!<arch>\n"}) {
    CAPTURE(text);
    const auto read = read_elf(as_bytes(text));
    REQUIRE(read.ok());
    CHECK_FALSE(read->has_value());
  }
}

TEST_CASE("the program that runs this test, as the toolchain wrote it") {
  const MappedFile self = MappedFile::open("/proc/self/exe").value();
  const auto with_sections = read_elf(self.bytes());
  REQUIRE(with_sections.ok());
  const ElfFacts& facts = **with_sections;
  CHECK(facts.is_64bit);
  CHECK(std::find(facts.needed.begin(), facts.needed.end(), "libc.so.6") != facts.needed.end());
  CHECK(facts.interpreter.find("ld-linux") != std::string::npos);

  // Without section headers (e_shoff, e_shnum, e_shstrndx), as `strip` leaves some files.
  std::string stripped(as_text(self.bytes()));
  std::fill_n(stripped.begin() + 40, 8, '\0');
  std::fill_n(stripped.begin() + 60, 4, '\0');
  CHECK(**read_elf(as_bytes(stripped)) == facts);
}

TEST_CASE("every truncation is refused or reads without harm") {
  const std::string whole = make_elf(example(kMachineX86_64, true));
  for (std::size_t size = 4; size < whole.size(); ++size) {
    // A fresh copy of exactly that size, so that a sanitizer sees a read beyond it.
    const std::string cut = whole.substr(0, size);
    const auto read = read_elf(as_bytes(cut));
    CAPTURE(size);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("every changed byte is refused or reads without harm") {
  for (const bool is_64bit : {true, false}) {
    const std::string whole = make_elf(example(kMachineX86_64, is_64bit));
    for (std::size_t at = 4; at < whole.size(); ++at) {
      for (const char value : {'\x00', '\x01', '\x7f', '\xff'}) {
        std::string changed = whole;
        changed[at] = value;
        const auto read = read_elf(as_bytes(changed));
        if (!read.ok()) CHECK(read.error().kind == ErrorKind::Corrupt);
      }
    }
  }
}

TEST_CASE("more names than any real file has are refused") {
  ElfFacts facts = example(kMachineX86_64, true);
  facts.needed.assign(5000, "liba.so");
  CHECK(read_elf(as_bytes(make_elf(facts))).error().kind == ErrorKind::Corrupt);
  facts.needed = {std::string(5000, 'a')};
  CHECK(read_elf(as_bytes(make_elf(facts))).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a file of patchelf reads as it should" *
          doctest::skip(!find_program("patchelf").has_value())) {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const std::string path = folder.path() + "/libx.so";
  // patchelf wants section headers: a program that has them is copied.
  const MappedFile self = MappedFile::open("/proc/self/exe").value();
  REQUIRE(write_file(path, as_text(self.bytes())).ok());
  // One change at a time: patchelf 0.14 confuses two names that it adds at once.
  const std::string folders = "$ORIGIN/../../nvidia/" + std::string(300, 'x');
  REQUIRE(run_for_output({"patchelf", "--set-rpath", folders, path}).ok());
  REQUIRE(run_for_output({"patchelf", "--add-needed", "libadded.so.7", path}).ok());
  const UniqueFd fd = open_file(path, O_RDONLY).value();
  const ElfFacts facts = read_elf_file(fd.get()).value()->facts;
  CHECK(std::find(facts.needed.begin(), facts.needed.end(), "libadded.so.7") != facts.needed.end());
  CHECK(facts.runpath == std::vector<std::string>{folders});
}

TEST_CASE("of a huge file only a handful of pages is read") {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const std::string path = folder.path() + "/libhuge.so";
  REQUIRE(write_file(path, make_elf(example(kMachineX86_64, true))).ok());
  const UniqueFd fd = open_file(path, O_RDWR).value();
  constexpr std::size_t kSize = std::size_t{900} << 20;
  REQUIRE(ftruncate(fd.get(), kSize) == 0);
  REQUIRE(read_elf_file(fd.get()).value()->facts.soname == "libx.so.1");

  void* const map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd.get(), 0);
  REQUIRE(map != MAP_FAILED);
  std::vector<unsigned char> resident(kSize / 4096);
  REQUIRE(mincore(map, kSize, resident.data()) == 0);
  munmap(map, kSize);
  CHECK(std::count_if(resident.begin(), resident.end(), [](auto page) { return page & 1; }) < 16);
}

}  // namespace
}  // namespace slipway::gpu
