#include "gpu/closure.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "gpu/compatibility.h"
#include "gpu/driver_library.h"
#include "gpu/loader_configuration.h"

namespace slipway::gpu {
namespace {

constexpr const char* kSite = "/opt/venv/lib/python3.11/site-packages/";

/// Facts as they were scanned from the real thing: src/gpu/testing/facts.
LayerLibraries real(const std::string& name) {
  const std::string path = fmt::format("{}/src/gpu/testing/facts/{}.txt", SLIPWAY_SOURCE_DIR, name);
  return parse_layer_libraries(read_file(path).value()).value();
}

/// Who brought a file of the real layers.
std::string real_owner(const std::string& path, const std::string& torchaudio) {
  const std::string rest = path.starts_with(kSite) ? path.substr(std::string(kSite).size()) : "";
  if (rest.starts_with("torchaudio/") || rest.starts_with("torio/"))
    return "torchaudio " + torchaudio;
  if (rest.starts_with("torchvision")) return "torchvision 0.21.0";
  return rest.starts_with("torch/") ? "torch 2.6.0" : "";
}

ClosureReport check_real(const std::vector<LayerLibraries>& layers, const std::string& torchaudio) {
  return check_closure(
      {layers,
       [&](const std::string& path) { return real_owner(path, torchaudio); },
       {{"torch", "2.6.0"}, {"torchvision", "0.21.0"}, {"torchaudio", torchaudio}}});
}

TEST_CASE("torch 2.6.0 with its own companions is whole") {
  const std::vector<LayerLibraries> layers = {real("debian-12"), real("torch-2.6.0"),
                                              real("torchvision-0.21.0"), real("torchaudio-2.6.0")};
  const ClosureReport report = check_real(layers, "2.6.0");
  for (const Missing& missing : report.missing) MESSAGE(explain(missing));
  CHECK(report.missing.empty());
  CHECK(report.files > 80);
  // Known gaps are told, not hidden: sox and the FFmpeg versions that are not installed.
  CHECK(report.optional.size() == 28);
  for (const Missing& gap : report.optional) {
    CHECK(gap.owner == "torchaudio 2.6.0");
    CHECK_FALSE(gap.reason.empty());
  }
}

TEST_CASE("torchaudio 2.11.0 beside torch 2.6.0 is refused, with the version that fits") {
  const std::vector<LayerLibraries> layers = {real("debian-12"), real("torch-2.6.0"),
                                              real("torchaudio-2.11.0")};
  const ClosureReport report = check_real(layers, "2.11.0");
  REQUIRE(report.missing.size() == 3);
  const Missing& first = report.missing[0];
  CHECK(first.path == std::string(kSite) + "torchaudio/lib/_torchaudio.abi3.so");
  CHECK(first.library == "libcudart.so.13");
  CHECK(first.owner == "torchaudio 2.11.0");
  CHECK(first.remedy == "use torchaudio==2.6.0");
  CHECK(explain(first) ==
        "torchaudio 2.11.0 needs libcudart.so.13 (CUDA 13), and this image has torch 2.6.0 with "
        "CUDA 12.4: use torchaudio==2.6.0");

  const Error error = closure_error(report.missing);
  CHECK(error.kind == ErrorKind::Unsolvable);
  CHECK(error.because == std::vector<std::string>{explain(first)});
  CHECK(error.hints == std::vector<std::string>{"use torchaudio==2.6.0"});
}

TEST_CASE("the waiver for preloading is no waiver where torch does not load the library") {
  LayerLibraries torch = real("torch-2.6.0");
  std::erase_if(torch.elves, [](const LibraryFile& file) {
    return file.path.find("cuda_runtime/") != std::string::npos;
  });
  const std::vector<LayerLibraries> layers = {real("debian-12"), torch, real("torchvision-0.21.0")};
  const ClosureReport report = check_real(layers, "2.6.0");
  REQUIRE_FALSE(report.missing.empty());
  for (const Missing& missing : report.missing) CHECK(missing.library == "libcudart.so.12");
}

TEST_CASE("a torchvision without torch is told to get one") {
  const std::vector<LayerLibraries> layers = {real("debian-12"), real("torchvision-0.21.0")};
  const ClosureReport report =
      check_closure({layers, [](const std::string& path) { return real_owner(path, ""); }, {}});
  REQUIRE_FALSE(report.missing.empty());
  CHECK(explain(report.missing[0]) ==
        "torchvision 0.21.0 needs libc10.so, and this image has no torch: add torch to "
        "python.packages");
}

// -- the loader's rules, one by one
// -----------------------------------------------------------------

LibraryFile library(const std::string& path, std::vector<std::string> needed,
                    std::vector<std::string> runpath = {}, std::vector<std::string> rpath = {}) {
  return {path,
          {kMachineX86_64, true, base_name(path), std::move(needed), std::move(rpath),
           std::move(runpath), ""}};
}

struct RuleCase {
  const char* name;
  std::vector<LayerLibraries> layers;
  std::vector<std::string> missing;  ///< `path library`
};

LibraryFile for_machine(LibraryFile file, int machine, bool is_64bit) {
  file.facts.machine = machine;
  file.facts.is_64bit = is_64bit;
  return file;
}

LibraryFile with_soname(LibraryFile file, const std::string& soname) {
  file.facts.soname = soname;
  return file;
}

LayerLibraries layer(std::vector<LibraryFile> elves, std::vector<LibraryLink> links = {},
                     std::vector<LoaderConfiguration> configurations = {}) {
  return {std::move(elves), std::move(links), std::move(configurations), {}, {}};
}

std::vector<RuleCase> search_cases() {
  const LibraryFile deb_libc = library("/usr/lib/x86_64-linux-gnu/libc.so.6", {});
  return {
      {"default folders",
       {layer({library("/a", {"libb.so"}), library("/usr/lib/libb.so", {})})},
       {}},
      {"not beside it",
       {layer({library("/x/a", {"libb.so"}), library("/x/libb.so", {})})},
       {"/x/a libb.so"}},
      {"Debian's multiarch folder",
       {layer({library("/a", {"libb.so"}), deb_libc,
               library("/usr/lib/x86_64-linux-gnu/libb.so", {})})},
       {}},
      {"lib64 is not searched by Debian's loader",
       {layer({library("/a", {"libb.so"}), deb_libc, library("/usr/lib64/libb.so", {})})},
       {"/a libb.so"}},
      {"lib64 is searched by the others",
       {layer({library("/a", {"libb.so"}), library("/usr/lib64/libb.so", {})})},
       {}},
      {"usr-merge: /lib is a link",
       {layer({library("/a", {"libb.so"}, {"/lib/x"}), library("/usr/lib/x/libb.so", {})},
              {{"/lib", "usr/lib"}})},
       {}},
      {"a link to the file, over an absolute link to a folder, in another layer",
       {layer({library("/opt/real/libb.so.1.2", {})}, {{"/opt/real/libb.so", "libb.so.1.2"}}),
        layer({library("/a", {"libb.so"}, {"/opt/here"})}, {{"/opt/here", "/opt/real"}})},
       {}},
      {"links in a circle end",
       {layer({library("/a", {"libb.so"}, {"/x"})}, {{"/x", "/y"}, {"/y", "/x"}})},
       {"/a libb.so"}},
      {"links do not leave the image",
       {layer({library("/a", {"libb.so"}, {"/up"}), library("/lib/libb.so", {})},
              {{"/up", "../../../../lib"}})},
       {}},
      {"ld.so.conf with an include",
       {layer({library("/a", {"libb.so"}), library("/opt/x/libb.so", {})}, {},
              {{"/etc/ld.so.conf", "include ld.so.conf.d/*.conf"},
               {"/etc/ld.so.conf.d/x.conf", "# c\n/nowhere /opt/x # here"}})},
       {}},
      {"another machine is passed over",
       {layer({library("/a", {"libb.so"}, {"/1", "/2"}), library("/2/libb.so", {}),
               for_machine(library("/1/libb.so", {}), kMachineAarch64, true)})},
       {}},
      {"another machine alone is no answer",
       {layer({library("/a", {"libb.so"}), library("/z", {}),
               for_machine(library("/lib/libb.so", {}), kMachineX86, false)})},
       {"/a libb.so"}},
      {"files for other machines are not asked",
       {layer({library("/a", {}), library("/b", {}),
               for_machine(library("/c", {"libnone.so"}), kMachineX86, false)})},
       {}},
      {"the driver's own", {layer({library("/a", {"libcuda.so.1", "libnvidia-ml.so.1"})})}, {}},
      {"not every library that begins like the driver's",
       {layer({library("/a", {"libcudax.so.1"})})},
       {"/a libcudax.so.1"}},
  };
}

std::vector<RuleCase> path_cases() {
  const LibraryFile b = library("/x/lib/libb.so", {});
  return {
      {"RUNPATH with $ORIGIN",
       {layer({library("/x/bin/a", {"libb.so"}, {"$ORIGIN/../lib"}), b})},
       {}},
      {"${ORIGIN}", {layer({library("/x/bin/a", {"libb.so"}, {"${ORIGIN}/../lib"}), b})}, {}},
      {"$LIB is Debian's multiarch",
       {layer({library("/a", {"libb.so"}, {"/x/$LIB"}),
               library("/x/lib/x86_64-linux-gnu/libb.so", {})})},
       {}},
      {"$PLATFORM",
       {layer({library("/a", {"libb.so"}, {"/x/$PLATFORM"}), library("/x/x86_64/libb.so", {})})},
       {}},
      {"a relative folder is no folder",
       {layer({library("/x/a", {"libb.so"}, {"lib"}), b})},
       {"/x/a libb.so"}},
      {"RPATH reaches what is loaded behind",
       {layer({library("/a", {"libm.so"}, {}, {"/x/lib"}), library("/x/lib/libm.so", {"libb.so"}),
               b})},
       {}},
      {"RUNPATH does not",
       {layer({library("/a", {"libm.so"}, {"/x/lib"}), library("/x/lib/libm.so", {"libb.so"}), b})},
       {"/x/lib/libm.so libb.so"}},
      {"an object with RUNPATH ignores its RPATH",
       {layer({library("/a", {"libb.so"}, {"/y"}, {"/x/lib"}), b})},
       {"/a libb.so"}},
      {"an object with RUNPATH ignores the RPATH of its loader",
       {layer({library("/a", {"libm.so"}, {}, {"/x/lib"}),
               library("/x/lib/libm.so", {"libb.so"}, {"/y"}), b})},
       {"/x/lib/libm.so libb.so"}},
      {"loaded already, under its SONAME",
       {layer({library("/a", {"libm.so", "libb.so"}, {"/x"}), library("/x/libm.so", {}),
               with_soname(library("/x/libother.so", {}), "libb.so"),
               library("/c", {"libother.so", "libb.so"}, {"/x"})})},
       {"/a libb.so"}},
      {"NEEDED with a path", {layer({library("/a", {"/x/lib/libb.so"}), b})}, {}},
      {"NEEDED with $ORIGIN", {layer({library("/x/a", {"$ORIGIN/lib/libb.so"}), b})}, {}},
      {"two that need each other, and a gap",
       {layer({library("/lib/liba.so", {"libb.so"}),
               library("/lib/libb.so", {"liba.so", "libc.so"})})},
       {"/lib/libb.so libc.so"}},
  };
}

TEST_CASE("the rules of ld.so") {
  std::vector<RuleCase> cases = search_cases();
  for (RuleCase& more : path_cases()) cases.push_back(std::move(more));
  for (const RuleCase& c : cases) {
    CAPTURE(c.name);
    std::vector<std::string> found;
    for (const Missing& missing : check_closure({c.layers, {}, {}}).missing)
      found.push_back(missing.path + " " + missing.library);
    CHECK(found == c.missing);
  }
}

TEST_CASE("a higher layer takes away and covers") {
  const LayerLibraries low = layer({library("/a", {"libb.so"}), library("/lib/libb.so", {})});
  LayerLibraries high;
  high.removed = {"/lib/libb.so"};
  CHECK(check_closure({std::vector{low, high}, {}, {}}).missing.size() == 1);
  high.removed = {"/lib"};
  CHECK(check_closure({std::vector{low, high}, {}, {}}).missing.size() == 1);
  high = layer({}, {{"/lib", "/elsewhere"}});
  CHECK(check_closure({std::vector{low, high}, {}, {}}).missing.size() == 1);
  high.removed = {"/li"};
  high.links.clear();
  CHECK(check_closure({std::vector{low, high}, {}, {}}).missing.empty());
}

TEST_CASE("a plug-in is left to the package that brings what it needs") {
  const auto owner = [](const std::string& path) {
    return path.starts_with("/p/") ? "p 1" : "q 1";
  };
  const auto check = [&](std::vector<LibraryFile> elves) {
    const std::vector<LayerLibraries> layers = {layer(std::move(elves))};
    return check_closure({layers, owner, {}});
  };
  const LibraryFile plugin = library("/p/plugins/libx.so", {"libb.so"});
  // In its package, in its folder from another package; but not anywhere.
  CHECK(check({plugin, library("/p/c/libb.so", {})}).missing.empty());
  CHECK(check({plugin, library("/p/c/libb.so", {})}).optional.size() == 1);
  CHECK(check({library("/q/libx.so", {"libb.so"}), library("/q/libb.so", {})}).missing.empty());
  CHECK(check({plugin, library("/q/libb.so", {})}).missing.size() == 1);
  CHECK(check({plugin}).missing.size() == 1);
  // What others need has to be loadable by itself, and so has a program.
  CHECK(check({plugin, library("/p/c/libb.so", {}), library("/p/a", {"libx.so"}, {"/p/plugins"})})
            .missing.size() == 1);
  LibraryFile program = plugin;
  program.facts.interpreter = "/lib64/ld-linux-x86-64.so.2";
  CHECK(check({program, library("/p/c/libb.so", {})}).missing.size() == 1);
}

TEST_CASE("what is missing is explained") {
  const std::vector<LayerLibraries> layers = {
      layer({library("/a", {"libGL.so.1"}), library("/b", {"libfoo.so.2"}),
             library("/lib/libfoo.so.1", {})})};
  const ClosureReport report = check_closure(
      {layers,
       [](const std::string& path) { return path == "/a" ? "opencv-python 5.0" : ""; },
       {}});
  REQUIRE(report.missing.size() == 2);
  CHECK(explain(report.missing[0]) ==
        "opencv-python 5.0 needs libGL.so.1, and nothing in this image brings it: add `libgl1` to "
        "base.apt");
  CHECK(explain(report.missing[1]) ==
        "`/b` needs libfoo.so.2, and this image has libfoo.so.1 instead");
}

TEST_CASE("where the system is outside, it has what every host has, and a lock's Debian packages") {
  using Packages = std::optional<std::vector<std::string>>;
  struct Case {
    const char* library;
    Packages debian_packages;
    const char* told;  ///< missing, unknown or nothing
  };
  const Packages plain = std::nullopt, none = std::vector<std::string>{};
  const Packages some = std::vector<std::string>{"libgl1", "libzstd1"};
  for (const Case& c : {Case{"libc.so.6", plain, ""}, Case{"libmvec.so.1", plain, ""},
                        Case{"libcuda.so.1", plain, ""}, Case{"libGL.so.1", plain, "unknown"},
                        Case{"libGL.so.1", none, "missing"}, Case{"libGL.so.1", some, ""},
                        Case{"libzstd.so.1", plain, "unknown"},  // in no table
                        Case{"libzstd.so.1", some, "unknown"}, Case{"libc10.so", plain, "missing"},
                        Case{"libcudart.so.13", none, "missing"},
                        Case{"libfoo.so.2", plain, "missing"},  // libfoo.so.1 is here
                        Case{"libjpeg-6c0f8e20.so.62", plain, "missing"},
                        Case{"libboost-system.so.1", plain, "unknown"}}) {
    CAPTURE(c.library);
    const std::vector<LayerLibraries> layers = {
        layer({library("/a", {c.library}), library("/p/libfoo.so.1", {})})};
    ClosureRequest request{layers, {}, {}, System::Outside, "", c.debian_packages};
    const ClosureReport report = check_closure(request);
    const std::string told = !report.missing.empty()   ? "missing"
                             : !report.outside.empty() ? "unknown"
                                                       : "";
    CHECK(told == c.told);
  }
}

TEST_CASE("where the system is this machine, what its loader knows is there") {
  const std::vector<LayerLibraries> layers = {
      layer({library("/a", {"libcufft.so.12", "libGL.so.1", "libfoo.so.2"}),
             library("/p/libfoo.so.1", {})})};
  ClosureRequest request{layers, {}, {}, System::Outside};
  request.host_libraries = {"libGL.so.1", "libcufft.so.12"};
  const ClosureReport report = check_closure(request);
  CHECK(report.outside.empty());
  REQUIRE(report.missing.size() == 1);
  CHECK(report.missing[0].library == "libfoo.so.2");
}

TEST_CASE("a library for newer processors alone is missing on the others") {
  const std::vector<LayerLibraries> layers = {
      layer({library("/a", {"libb.so.1", "libc.so.1"}),
             library("/usr/lib/glibc-hwcaps/x86-64-v3/libb.so.1", {}),
             library("/usr/lib/glibc-hwcaps/x86-64-v3/libc.so.1", {}),
             library("/usr/lib/libc.so.1", {})})};
  const ClosureReport report = check_closure({layers, {}, {}});
  REQUIRE(report.missing.size() == 1);
  CHECK(
      explain(report.missing[0]) ==
      "`/a` needs libb.so.1, and `/usr/lib/glibc-hwcaps/x86-64-v3/libb.so.1` is for processors of "
      "level x86-64-v3 alone");
}

TEST_CASE("what a base image lacks of its own is no gap of ours") {
  const std::vector<LayerLibraries> layers = {
      layer({library("/usr/lib/_tkinter.so", {"libtk8.6.so"})}),
      layer({library("/opt/venv/a.so", {"libtk8.6.so"})})};
  ClosureRequest request{layers, {}, {}};
  CHECK(check_closure(request).missing.size() == 2);
  request.foreign_layers = 1;
  const auto report = check_closure(request);
  REQUIRE(report.missing.size() == 1);
  CHECK(report.missing[0].path == "/opt/venv/a.so");
  REQUIRE(report.optional.size() == 1);
  CHECK(report.optional[0].path == "/usr/lib/_tkinter.so");
  CHECK(report.optional[0].reason == "the base image is made so");
}

TEST_CASE("a refusal stays readable") {
  std::vector<std::string> needed;
  for (int i = 0; i < 30; ++i) needed.push_back(fmt::format("lib{:02}.so", i));
  const std::vector<LayerLibraries> layers = {layer({library("/a", needed)})};
  const auto report = check_closure({layers, [](const std::string&) { return "big 1.0"; }, {}});
  CHECK(report.missing.size() == 30);
  CHECK(
      closure_error(report.missing).because ==
      std::vector<std::string>{"big 1.0 needs lib00.so, lib01.so, lib02.so, lib03.so and 26 more, "
                               "and nothing in this image brings it"});
}

TEST_CASE("ld.so.conf") {
  const std::map<std::string, std::string> files = {
      {"/etc/ld.so.conf",
       "include /etc/ld.so.conf.d/*.conf\n/last:/more,/again\n# no\nhwcap 1 x\nrelative\n"},
      {"/etc/ld.so.conf.d/a.conf", "/first # why\n\t/tab \r\ninclude /etc/ld.so.conf\n"},
      {"/etc/ld.so.conf.d/b.conf", "/old=libc5"},
      {"/etc/ld.so.conf.d/.hidden.conf", "/hidden"}};
  CHECK(read_configured_folders(files) ==
        std::vector<std::string>{"/first", "/tab", "/old", "/last", "/more", "/again"});
  CHECK(read_configured_folders({}).empty());
}

TEST_CASE("the reviewed data") {
  const CompatibilityTables& tables = compatibility_tables();
  CHECK(find_driver_library("libcuda.so.1")->capability == "compute");
  CHECK(find_driver_library("libnvidia-ml.so.570.86.15")->capability == "utility");
  CHECK(find_driver_library("libcudart.so.12") == nullptr);
  CHECK(find_driver_library("libcuda.social") == nullptr);
  for (const Companion& row : tables.companions) CHECK_FALSE(row.torch.empty());
  for (const char* text :
       {"[[torch_build]]\ntorch='2.6'\ncuda='12.4'\n",                         // no source
        "[[torch_build]]\ntorch='2.6'\ncuda='12.4'\nsource='x'\nwrong='x'\n",  // unknown key
        "[[torch_build]]\ntorch=2.6\ncuda='12.4'\nsource='x'\n",               // wrong type
        "[[unknown]]\nsource='x'\n", "[torch_build]\n", "torch_build = [1]\n", "["}) {
    CAPTURE(text);
    CHECK(parse_compatibility(text).error().kind == ErrorKind::Corrupt);
  }
}

}  // namespace
}  // namespace slipway::gpu
