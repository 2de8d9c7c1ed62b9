#include "gpu/slim_code.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "gpu/elf.h"
#include "gpu/testing/elf_writer.h"
#include "gpu/testing/fat_writer.h"

namespace slipway::gpu {
namespace {

std::string number_bytes(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

/// All of it is loaded, so that addresses lead to its sections.
std::string library(const std::string& fat, const std::string& relocations = "") {
  ElfFacts facts;
  facts.machine = kMachineX86_64;
  facts.is_64bit = true;
  facts.soname = "libkernels.so";
  facts.needed = {"libcudart.so.12"};
  std::map<std::string, std::string> sections = {
      {".nv_fatbin", fat}, {"__nv_relfatbin", make_fat_binary({sass("sm_75")})}};
  if (!relocations.empty()) sections[".rela.dyn"] = relocations;
  std::string file = make_elf(facts, ByteOrder::Little, sections);
  file.replace(64 + 32, 8, number_bytes(file.size()));  // p_filesz of PT_LOAD, the first header
  return file;
}

std::string slimmed(const std::string& file, const std::vector<CodePiece>& pieces) {
  std::string slim = file;
  for (const CodePiece& piece : pieces) {
    const std::string bytes = piece.what == CodePiece::What::Zeros ? std::string(piece.size, '\0')
                              : piece.what == CodePiece::What::Moved
                                  ? file.substr(piece.from, piece.size)
                                  : number_bytes(piece.number);
    REQUIRE(bytes.size() == piece.size);
    slim.replace(piece.offset, piece.size, bytes);
  }
  return slim;
}

std::vector<std::string> names(const GpuCode& code) {
  std::vector<std::string> names;
  for (const CodeGroup& group : code.groups) {
    const std::string name = (group.kind == CodeKind::Ptx ? "ptx " : "") + group.target.text();
    for (std::uint32_t i = 0; i < group.count; ++i) names.push_back(name);
  }
  return names;
}

std::vector<ComputeCapability> devices(const std::vector<std::string>& names) {
  std::vector<ComputeCapability> all;
  for (const std::string& name : names) all.push_back(parse_compute_capability(name).value());
  return all;
}

TEST_CASE("what stays for which GPUs") {
  const std::vector<CodeGroup> torch = {sass("sm_50"), sass("sm_70"), sass("sm_75"), sass("sm_80"),
                                        sass("sm_86"), sass("sm_90"), sass("sm_90a")};
  const std::vector<std::string> all_of_torch = {"sm_50", "sm_70", "sm_75", "sm_80",
                                                 "sm_86", "sm_90", "sm_90a"};
  struct Case {
    std::vector<std::vector<CodeGroup>> containers;
    std::vector<std::string> gpus, left;
  };
  const Case cases[] = {
      {{torch}, {"9.0"}, {"sm_90", "sm_90a"}},
      {{torch}, {"8.0"}, {"sm_80"}},
      // Both run there: which of them the driver takes is not for us to say.
      {{torch}, {"8.6"}, {"sm_80", "sm_86"}},
      {{torch}, {"8.9"}, {"sm_80", "sm_86"}},
      {{torch}, {"7.5"}, {"sm_70", "sm_75"}},
      {{torch}, {"7.0", "9.0"}, {"sm_70", "sm_90", "sm_90a"}},
      // A container of which nothing runs stays as it is: the driver finds in it what it found.
      {{torch}, {"10.0"}, all_of_torch},
      {{torch}, {"8.7"}, all_of_torch},
      {{{sass("sm_80"), sass("sm_90")}, {sass("sm_75"), sass("sm_80")}},
       {"9.0"},
       {"sm_75", "sm_80", "sm_90"}},
      // PTX stays where nothing else of its container runs, all of it that could be compiled.
      {{{sass("sm_80"), ptx("sm_80", "8.4")}}, {"8.0"}, {"sm_80"}},
      {{{sass("sm_80"), ptx("sm_80", "8.4")}}, {"9.0"}, {"ptx sm_80"}},
      {{{sass("sm_80"), ptx("sm_80", "8.4")}}, {"8.0", "9.0"}, {"ptx sm_80", "sm_80"}},
      {{{ptx("sm_70", "8.4"), ptx("sm_80", "8.4"), ptx("sm_100", "8.7")}},
       {"9.0"},
       {"ptx sm_70", "ptx sm_80"}},
      {{{ptx("sm_90a", "8.4")}}, {"9.0"}, {"ptx sm_90a"}},
      {{{ptx("sm_90a", "8.4"), sass("sm_80")}}, {"10.0"}, {"ptx sm_90a", "sm_80"}},
      // Each container by itself: that another has SASS says nothing of this one's kernels.
      {{{sass("sm_90")}, {ptx("sm_80", "8.4"), sass("sm_80")}}, {"9.0"}, {"ptx sm_80", "sm_90"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.gpus);
    std::string fat;
    for (const auto& container : one.containers) fat += make_fat_binary(container);
    const std::string file = library(fat);
    const SlimCode code = slim_code(as_bytes(file), devices(one.gpus)).value();
    CHECK(code.problem.empty());
    CHECK(names(code.left) == one.left);
    const std::string slim = slimmed(file, code.pieces);
    CHECK(slim.size() == file.size());
    // What is foretold is what the reader finds, and it is done once and for all.
    CHECK(read_gpu_code(as_bytes(slim)).value() == code.left);
    CHECK(slim_code(as_bytes(slim), devices(one.gpus)).value().pieces.empty());
    CHECK(read_elf(as_bytes(slim)).value() == read_elf(as_bytes(file)).value());
  }
}

TEST_CASE("a container becomes what it would be if only that had been compiled") {
  std::vector<CodeGroup> all = {sass("sm_70"), sass("sm_80"), sass("sm_90"), ptx("sm_90", "8.4")};
  all[2].bytes = 8192;
  const std::string fat = make_fat_binary(all), only = make_fat_binary({all[2]});
  const std::string second = make_fat_binary({sass("sm_90")});
  const std::string file = library(fat + std::string(24, '\0') + second);
  const std::size_t at = file.find(fat);
  const SlimCode code = slim_code(as_bytes(file), devices({"9.0"})).value();
  std::string expected = file;
  expected.replace(at, fat.size(), only + std::string(fat.size() - only.size(), '\0'));
  CHECK(slimmed(file, code.pieces) == expected);
  CHECK(code.code_bytes == 3 * 64 + 8192 + 64);
  CHECK(code.left.relocatable == std::vector<CodeGroup>{sass("sm_75")});
}

TEST_CASE("what cannot be read, or is pointed into, is left alone") {
  const std::vector<ComputeCapability> h100 = devices({"9.0"});
  CHECK(slim_code(as_bytes("#!/bin/sh"), h100).value().pieces.empty());
  const std::string good = make_fat_binary({sass("sm_80"), sass("sm_90")});
  CHECK_FALSE(slim_code(as_bytes(library(good)), h100).value().pieces.empty());
  std::string lies = good;
  lies[8] = '\xff';
  lies[9] = '\xff';
  CHECK(slim_code(as_bytes(library(lies)), h100).error().kind == ErrorKind::Corrupt);
  CHECK_FALSE(slim_code(as_bytes(library(good + lies)), h100).ok());
  // Entries of kinds that are not known stay, and do not count as something that runs.
  std::string other = good;
  other[16] = 8;
  CHECK(slim_code(as_bytes(library(other)), h100).value().pieces.empty());
  other = make_fat_binary({sass("sm_80"), sass("sm_80")});
  other[16] = 8;
  CHECK(slim_code(as_bytes(library(other)), h100).value().pieces.empty());

  // R_X86_64_RELATIVE to the container's start is how programs find it; into it nobody may point.
  const std::string file = library(good);
  const std::uint64_t address = file.find(good);
  for (const std::uint64_t inside : {0, 16, 200}) {
    CAPTURE(inside);
    const std::string table =
        number_bytes(0) + number_bytes(8) + number_bytes(kElfBase + address + inside);
    const SlimCode code = slim_code(as_bytes(library(good, table)), h100).value();
    CHECK(code.problem.empty() == (inside == 0));
    CHECK(code.pieces.empty() == (inside != 0));
    CHECK(names(code.left).size() == (inside == 0 ? 1 : 2));
  }
}

}  // namespace
}  // namespace slipway::gpu
