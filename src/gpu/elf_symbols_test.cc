#include "gpu/elf_symbols.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "gpu/closure.h"
#include "gpu/number_text.h"
#include "gpu/undefined_symbols.h"

namespace slipway::gpu {
namespace {

constexpr const char* kSource = R"(
int printf(const char *, ...);          /* with a version: glibc's */
int from_another(int);
extern int data_of_another;
__attribute__((weak)) int may_be_missing(void);
static int hidden(void) { return data_of_another; }
int one(int x) { return printf("%d", from_another(x)) + hidden(); }
int two(void) { return may_be_missing ? may_be_missing() : 0; }
__attribute__((weak)) int three = 3;
)";

std::vector<std::uint32_t> hashes_of(const std::vector<std::string>& names) {
  std::vector<std::uint32_t> hashes;
  for (const std::string& name : names) hashes.push_back(symbol_hash(name));
  std::ranges::sort(hashes);
  return hashes;
}

bool has_all(const ElfSymbols& symbols, const std::vector<std::string>& names) {
  return std::ranges::includes(symbols.defined, hashes_of(names));
}

/// A library as the C compiler here makes it.
std::string compile(const TemporaryFolder& folder, const std::string& style,
                    const std::string& source = kSource) {
  const std::string in = folder.path() + "/x.c", out = folder.path() + "/x.so";
  REQUIRE(write_file(in, source).ok());
  const auto run = run_for_output(
      {"cc", "-shared", "-fPIC", "-Wl,--hash-style=" + style, "-Wl,-z,lazy", "-o", out, in});
  REQUIRE(run.ok());
  return read_file(out).value();
}

TEST_CASE("what a library defines and leaves to others, by each hash table" *
          doctest::skip(!find_program("cc").has_value())) {
  const auto folder = TemporaryFolder::create("/tmp").value();
  for (const char* style : {"gnu", "sysv", "both"}) {
    CAPTURE(style);
    const std::string file = compile(folder, style);
    const ElfSymbols symbols = read_symbols(as_bytes(file));
    CHECK(symbols.problem == "");
    CHECK(symbols.undefined == std::vector<std::string>{"data_of_another", "from_another"});
    CHECK(has_all(symbols, {"one", "three", "two"}));
    CHECK_FALSE(has_all(symbols, {"hidden"}));
    CHECK_FALSE(has_all(symbols, {"from_another"}));
    CHECK(std::ranges::is_sorted(symbols.defined));
  }
}

TEST_CASE("a library that defines nothing" * doctest::skip(!find_program("cc").has_value())) {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const std::string file = compile(folder, "gnu", "static int x; int *f(void);\n");
  const ElfSymbols symbols = read_symbols(as_bytes(file));
  CHECK(symbols.problem == "");
  CHECK(symbols.undefined.empty());
}

TEST_CASE("every cut and every changed byte is told, or reads without harm" *
          doctest::skip(!find_program("cc").has_value())) {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const std::string whole = compile(folder, "both");
  for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 4096); ++size) {
    const std::string cut = whole.substr(0, size);
    const ElfSymbols symbols = read_symbols(as_bytes(cut));
    if (!symbols.problem.empty()) CHECK((symbols.undefined.empty() && symbols.defined.empty()));
  }
  for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 4096); ++at) {
    for (const char value : {'\x00', '\x01', '\x7f', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      const ElfSymbols symbols = read_symbols(as_bytes(changed));
      if (!symbols.problem.empty()) CHECK((symbols.undefined.empty() && symbols.defined.empty()));
    }
  }
}

TEST_CASE("rising numbers as text") {
  const std::vector<std::vector<std::uint32_t>> cases = {
      {}, {0}, {0, 1, 2}, {31, 32, 33, 1000}, {5381, 0x7fffffff}, {0x7ffffffe, 0x7fffffff}};
  for (const auto& numbers : cases) {
    const std::string text = write_rising_numbers(numbers);
    CAPTURE(text);
    CHECK(parse_rising_numbers(text) == numbers);
  }
  for (const char* text : {" ", "A*", "g", "gA", "/////////", "////////f", "A\xff"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rising_numbers(text).has_value());
  }
}

LibraryFile file_of(const std::string& path, std::vector<std::string> undefined,
                    const std::vector<std::string>& defined, std::vector<std::string> needed = {}) {
  LibraryFile file;
  file.path = path;
  file.facts = {kMachineX86_64, true, base_name(path), std::move(needed), {}, {}, ""};
  file.symbols = {std::move(undefined), hashes_of(defined), ""};
  return file;
}

struct SymbolCase {
  const char* name;
  std::vector<LibraryFile> files;
  System system;
  std::vector<std::string> told;  ///< `path: symbols`
};

TEST_CASE("symbols that nothing defines") {
  const std::string old = "_ZN5torch8autograd12VariableInfoC1ERKN2at6TensorE";
  const LibraryFile torch = file_of("/lib/libtorch.so", {}, {"_ZN3c103newEv"});
  const std::vector<SymbolCase> cases = {
      {"defined by what it needs",
       {file_of("/a", {"_ZN3c103newEv"}, {}, {"libtorch.so"}), torch},
       System::Inside,
       {}},
      {"defined by a file that it does not need: somebody may have loaded it",
       {file_of("/a", {"_ZN3c103newEv"}, {}), torch},
       System::Inside,
       {}},
      {"of another torch",
       {file_of("/a", {old, "_ZN3c103newEv"}, {}, {"libtorch.so"}), torch},
       System::Inside,
       {"/a: " + old}},
      {"a C name counts where everything is inside",
       {file_of("/a", {"gone"}, {}, {"libtorch.so"}), torch},
       System::Inside,
       {"/a: gone"}},
      {"a C name may be the driver's",
       {file_of("/a", {"cuInit"}, {}, {"libcuda.so.1"})},
       System::Inside,
       {}},
      {"but no namespace of a package is",
       {file_of("/a", {"cuInit", old}, {}, {"libcuda.so.1"})},
       System::Inside,
       {"/a: " + old}},
      {"the host's C library may define it, a missing C++ library too",
       {file_of("/a", {"malloc", "_ZSt4cout", "_ZNSt6thread4joinEv", "_Znwm"}, {}, {"libc.so.6"})},
       System::Outside,
       {}},
      {"no host defines what is torch's",
       {file_of("/a", {"_ZTVN5torch3jit4NodeE", "malloc"}, {}, {"libc.so.6"})},
       System::Outside,
       {"/a: _ZTVN5torch3jit4NodeE"}},
      {"what a missing library would define is not known",
       {file_of("/a", {old}, {}, {"libb.so"}), file_of("/lib/libb.so", {}, {}, {"libgone.so"})},
       System::Inside,
       {}},
  };
  for (const SymbolCase& c : cases) {
    CAPTURE(c.name);
    LayerLibraries layer;
    layer.elves = c.files;
    std::vector<LayerLibraries> layers = {layer};
    ClosureRequest request;
    request.layers = layers;
    request.system = c.system;
    std::vector<std::string> told;
    for (const Missing& missing : check_closure(request).missing) {
      if (!missing.symbols.empty())
        told.push_back(fmt::format("{}: {}", missing.path, fmt::join(missing.symbols, " ")));
    }
    CHECK(told == c.told);
  }
  LibraryFile unreadable = file_of("/lib/libtorch.so", {}, {});
  unreadable.symbols = {{}, {}, "a table lies outside"};
  LayerLibraries layer;
  layer.elves = {file_of("/a", {old}, {}, {"libtorch.so"}), unreadable};
  std::vector<LayerLibraries> layers = {layer};
  CHECK(check_closure({layers, {}, {}}).missing.empty());
}

TEST_CASE("an extension of another torch is explained") {
  LayerLibraries layer;
  layer.elves = {file_of("/p/_C.so", {"_ZN3c105Error3oldEv", "_ZN3c105Error4olderEv"}, {})};
  const std::vector<LayerLibraries> layers = {layer};
  const auto report = check_closure({layers,
                                     [](const std::string&) { return "torchvision 0.20.1"; },
                                     {{"torch", "2.6.0"}, {"torchvision", "0.20.1"}}});
  REQUIRE(report.missing.size() == 1);
  CHECK(explain(report.missing[0]) ==
        "torchvision 0.20.1 needs the symbol `c10::Error::old()` (and 1 more), and neither torch "
        "2.6.0 nor anything else here defines it: use torchvision==0.21.0");
  CHECK(closure_error(report.missing).message == "the image would not work: symbols are missing");
}

}  // namespace
}  // namespace slipway::gpu
