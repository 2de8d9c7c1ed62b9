#include "gpu/compat_choice.h"

#include <doctest/doctest.h>

namespace slipway::gpu {
namespace {

using Use = CompatAnswer::Use;

constexpr int kTesla = 2, kGeforce = 5, kNew = 99;

Gpu make_gpu(const std::string& name, int brand, int major, int minor) {
  Gpu gpu;
  gpu.name = name;
  gpu.brand = brand;
  gpu.compute_major = major;
  gpu.compute_minor = minor;
  return gpu;
}

TEST_CASE("who stands in for whom") {
  const Gpu h100 = make_gpu("NVIDIA H100 80GB HBM3", kTesla, 9, 0);
  const Gpu v100 = make_gpu("Tesla V100-SXM2-16GB", kTesla, 7, 0);
  const Gpu rtx = make_gpu("NVIDIA GeForce RTX 4090", kGeforce, 8, 9);
  const Gpu silent = make_gpu("NVIDIA GeForce RTX 4090", 0, 8, 9);
  const Gpu next_one = make_gpu("NVIDIA Z900", 0, 13, 0);
  const Gpu next_kind = make_gpu("NVIDIA Z900", kNew, 13, 0);
  // As in the libcuda of CUDA 12.9 and 13.2.
  const CompatNote note{
      "12.9", {535, 550, 560, 565, 570, 575}, {1, 2, 7, 8, 9, 10, 11, 12, 13, 14}};
  const CompatNote of_13{"13.2", {535, 570, 580, 590}, note.brands};
  struct Case {
    const char* name;
    std::string host, compat;
    std::optional<CompatNote> note;
    std::vector<Gpu> gpus;
    Use use;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {"an older branch that it names", "570.211.01", "575.57.08", note, {h100}, Use::Yes, ""},
      {"its own branch, older", "575.10.10", "575.57.08", note, {h100}, Use::Yes, ""},
      {"the same", "575.57.08", "575.57.08", note, {h100}, Use::NotNeeded, ""},
      {"its own branch, newer", "575.99.99", "575.57.08", note, {h100}, Use::NotNeeded, ""},
      {"a newer branch", "590.44.01", "575.57.08", note, {h100}, Use::NotNeeded, ""},
      {"a branch that it does not name",
       "525.60.13",
       "575.57.08",
       note,
       {h100},
       Use::No,
       "it stands in for drivers of the branches 535, 550, 560, 565, 570 or 575 alone, and this "
       "host's is 525.60.13"},
      {"a GeForce",
       "570.1",
       "575.57.08",
       note,
       {rtx},
       Use::No,
       "it does not work on this kind of GPU, NVIDIA GeForce RTX 4090 (CUDA's error 804)"},
      {"one of two",
       "570.1",
       "575.57.08",
       note,
       {h100, rtx},
       Use::No,
       "it does not work on this kind of GPU, NVIDIA GeForce RTX 4090 (CUDA's error 804)"},
      {"the note decides where the brand is not known",
       "570.1",
       "575.57.08",
       note,
       {silent},
       Use::Yes,
       ""},
      {"a note without kinds",
       "570.1",
       "575.57.08",
       CompatNote{"12.9", {570}, {}},
       {rtx},
       Use::Yes,
       ""},
      {"a brand of tomorrow",
       "570.1",
       "575.57.08",
       note,
       {next_kind},
       Use::No,
       "it does not work on this kind of GPU, NVIDIA Z900 (CUDA's error 804)"},
      {"a chip of yesterday",
       "570.1",
       "595.45.04",
       of_13,
       {v100},
       Use::No,
       "it knows compute capability 7.0 of Tesla V100-SXM2-16GB no longer"},
      {"no note: the table", "535.1", "570.124.06", {}, {h100}, Use::Yes, ""},
      {"no note, a branch that the table lacks",
       "525.60.13",
       "570.124.06",
       {},
       {h100},
       Use::No,
       "it stands in for drivers of the branches 470, 535, 550, 560 or 565 alone, and this host's "
       "is 525.60.13"},
      {"no note, a GeForce by name",
       "535.1",
       "570.124.06",
       {},
       {silent},
       Use::No,
       "it does not work on this kind of GPU, NVIDIA GeForce RTX 4090 (CUDA's error 804)"},
      {"no note, no row: the branch alone", "222.55.66", "333.88.99", {}, {next_one}, Use::Yes, ""},
      {"no note, no row, the same branch",
       "333.1",
       "333.88.99",
       {},
       {next_one},
       Use::NotNeeded,
       ""},
      {"no note, no row, a new GeForce",
       "222.55.66",
       "333.88.99",
       {},
       {make_gpu("NVIDIA Z90", kGeforce, 13, 0)},
       Use::No,
       "it does not work on this kind of GPU, NVIDIA Z90 (CUDA's error 804)"},
      {"no GPU that is known to NVML", "570.1", "575.57.08", note, {}, Use::Yes, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const CompatQuestion question{parse_driver_version(c.host).value(),
                                  parse_driver_version(c.compat).value(),
                                  {"libcuda.so.1", c.note, ""},
                                  c.gpus};
    const CompatAnswer answer = choose_compat(compatibility_tables(), question);
    CHECK(answer.use == c.use);
    CHECK(answer.reason == c.reason);
    if (c.note) CHECK(answer.cuda == c.note->cuda);
  }
}

TEST_CASE("a note that cannot be read decides nothing") {
  const CompatQuestion question{parse_driver_version("535.1").value(),
                                parse_driver_version("570.124.06").value(),
                                {"libcuda.so.1", {}, "it is cut short"},
                                {}};
  const CompatAnswer answer = choose_compat(compatibility_tables(), question);
  CHECK(answer.use == Use::No);
  CHECK(answer.reason == "it is cut short");
  CHECK(answer.cuda == "12.8");
}

}  // namespace
}  // namespace slipway::gpu
