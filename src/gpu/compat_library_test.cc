#include "gpu/compat_library.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/process.h"
#include "gpu/elf.h"

namespace slipway::gpu {
namespace {

constexpr const char* kText =
    R"({"Format": 1, "CUDA Version": "12.8", "Driver": [535, 550], "Device": [1, 2, 14]})";

/// A library with an assembler's note, as NVIDIA's linker makes one.
class Library {
 public:
  Library() : folder_(TemporaryFolder::create("/tmp").value()) {}

  std::string make(const std::string& maker, const std::string& json) {
    std::string text;
    for (const char c : json) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    const std::string source = fmt::format(
        ".section .note.cuda.fwd_compatibility,\"a\",@note\n.balign 4\n"
        ".long 2f-1f, 4f-3f, 1\n1: .asciz \"{}\"\n2: .balign 4\n3: .ascii \"{}\"\n4: .balign 4\n",
        maker, text);
    const std::string file = folder_.path() + "/x.s";
    REQUIRE(write_file(file, source).ok());
    const auto done =
        run_process({"cc", "-shared", "-nostdlib", "-Wl,-soname,libcuda.so.1", "-o", path(), file});
    REQUIRE(done.ok());
    REQUIRE(done->status == 0);
    return read_file(path()).value();
  }
  std::string path() const { return folder_.path() + "/libcuda.so.570.1"; }

 private:
  TemporaryFolder folder_;
};

Result<std::optional<CompatNote>> note_in(const std::string& bytes) {
  return read_compat_note(as_bytes(bytes));
}

TEST_CASE("the note in a library of a real linker") {
  Library library;
  const std::string bytes = library.make("NVIDIA Corporation", kText);
  const auto note = note_in(bytes);
  REQUIRE(note.ok());
  CHECK(*note == CompatNote{"12.8", {535, 550}, {1, 2, 14}});
  const auto file = read_compat_library(open_file(library.path(), O_RDONLY).value().get());
  REQUIRE(file);
  CHECK(file->soname == "libcuda.so.1");
  CHECK(file->note == *note);
  CHECK(file->note_problem == "");
}

TEST_CASE("other people's notes, and none") {
  Library library;
  CHECK_FALSE(note_in(library.make("GNU", kText)).value());
  CHECK_FALSE(note_in("no library").value());
  CHECK_FALSE(note_in(read_file("/proc/self/exe").value()).value());
}

TEST_CASE("notes that say nothing of use") {
  Library library;
  for (const std::string text :
       {"", "{", "[1]", R"({"CUDA Version": "12.8"})", R"({"Driver": "535"})", R"({"Driver": []})",
        R"({"Driver": [535], "CUDA Version": "ab\ncd"})"}) {
    CAPTURE(text);
    const auto note = note_in(library.make("NVIDIA Corporation", text));
    REQUIRE_FALSE(note.ok());
    CHECK(note.error().kind == ErrorKind::Corrupt);
  }
  const auto odd = note_in(library.make(
      "NVIDIA Corporation", R"({"Driver": [535, "x", 1.5, null], "Device": {"a": 1}})"));
  CHECK(odd.value() == CompatNote{"", {535}, {}});
}

TEST_CASE("cut anywhere or changed anywhere it is read or refused, and never read beyond") {
  Library library;
  const std::string bytes = library.make("NVIDIA Corporation", kText);
  for (std::size_t size = 0; size < bytes.size(); size += size < 512 ? 1 : 37) {
    (void)note_in(bytes.substr(0, size));
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string changed = bytes;
      changed[at] = value;
      const auto note = note_in(changed);
      if (!note.ok()) CHECK(note.error().kind == ErrorKind::Corrupt);
    }
  }
}

}  // namespace
}  // namespace slipway::gpu
