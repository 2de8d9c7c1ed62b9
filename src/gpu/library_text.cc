// The text form of LayerLibraries:
//
//   slipway-libraries 4
//   elf 62 64 /opt/venv/lib/x.so      machine, class, path; the lines that follow are about it
//   soname libx.so.1
//   needed libc.so.6
//   rpath $ORIGIN
//   runpath $ORIGIN/../lib
//   interpreter /lib64/ld-linux-x86-64.so.2
//   undefined _ZN3c104impl3fooEv     symbols that others must define
//   exports EB5jM...                  hashes of what it defines: gpu/number_text.h
//   link /lib usr/lib
//   configuration /etc/ld.so.conf include%20/etc/ld.so.conf.d/*.conf%0A
//   removed /usr/lib/x.so
//   unreadable /usr/share/y.so:%20why
//
// Words are percent-encoded where they hold blanks, control bytes or `%`.
#include <charconv>
#include <string>

#include "gpu/library_scan.h"
#include "gpu/number_text.h"

namespace slipway::gpu {
namespace {

constexpr std::string_view kFirstLine = "slipway-libraries 4";

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%') {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

Error corrupt(std::size_t line) {
  return make_error(ErrorKind::Corrupt, "line {} of the library facts cannot be read", line);
}

Result<std::string> decode(std::string_view word, std::size_t line) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    unsigned value = 0;
    const char* const begin = word.data() + i + 1;
    if (word.size() - i < 3) return corrupt(line);
    const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
    if (error != std::errc() || end != begin + 2) return corrupt(line);
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

/// Cuts the next word off `rest`.
std::string_view next_word(std::string_view& rest) {
  const std::size_t blank = rest.find(' ');
  const std::string_view word = rest.substr(0, blank);
  rest = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
  return word;
}

Result<void> parse_elf_line(std::string_view rest, std::size_t line, LayerLibraries& into) {
  LibraryFile file;
  const std::string_view machine = next_word(rest), bits = next_word(rest);
  const char* const end = machine.data() + machine.size();
  if (std::from_chars(machine.data(), end, file.facts.machine).ptr != end || machine.empty())
    return corrupt(line);
  if (bits != "32" && bits != "64") return corrupt(line);
  file.facts.is_64bit = bits == "64";
  file.path = TRY(decode(rest, line));
  into.elves.push_back(std::move(file));
  return {};
}

template <typename T>
bool read_number(std::string_view word, T& into) {
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, into);
  return !word.empty() && error == std::errc() && stop == end;
}

/// `code sass sm_90a 17 123456`, `code ptx sm_50 6 493000 8.4`; `relocatable` the same.
Result<void> parse_code(std::string_view rest, std::size_t line, std::vector<CodeGroup>& into) {
  CodeGroup group;
  const std::string_view kind = next_word(rest);
  const auto target = parse_code_target(next_word(rest));
  if (!target.ok() || !read_number(next_word(rest), group.count) ||
      !read_number(next_word(rest), group.bytes) || (kind != "sass" && kind != "ptx") ||
      (kind == "ptx") != !rest.empty())
    return corrupt(line);
  group.kind = kind == "ptx" ? CodeKind::Ptx : CodeKind::Sass;
  group.target = target.value();
  group.ptx_version = TRY(decode(rest, line));
  into.push_back(std::move(group));
  return {};
}

Result<void> parse_version(std::string_view key, std::string library, std::string_view rest,
                           std::size_t line, ElfFacts& facts) {
  std::string version = TRY(decode(rest, line));
  if (version.empty()) return corrupt(line);
  facts.needed_versions.push_back({std::move(library), std::move(version), key == "wants"});
  return {};
}

Result<void> parse_fact(std::string_view key, std::string text, std::size_t line,
                        LibraryFile& file) {
  ElfFacts& facts = file.facts;
  if (key == "soname") {
    facts.soname = std::move(text);
  } else if (key == "needed") {
    facts.needed.push_back(std::move(text));
  } else if (key == "rpath") {
    facts.rpath.push_back(std::move(text));
  } else if (key == "runpath") {
    facts.runpath.push_back(std::move(text));
  } else if (key == "interpreter") {
    facts.interpreter = std::move(text);
  } else if (key == "defines") {
    facts.defined_versions.push_back(std::move(text));
  } else if (key == "owner") {
    file.owner = std::move(text);
  } else if (key == "code-problem") {
    file.code.problem = std::move(text);
  } else if (key == "undefined") {
    file.symbols.undefined.push_back(std::move(text));
  } else if (key == "symbols-problem") {
    file.symbols.problem = std::move(text);
  } else if (key == "exports") {
    auto numbers = parse_rising_numbers(text);
    if (!numbers) return corrupt(line);
    file.symbols.defined = std::move(*numbers);
  } else {
    return corrupt(line);
  }
  return {};
}

Result<void> parse_line(std::string_view text, std::size_t line, LayerLibraries& into) {
  const std::string_view key = next_word(text);
  if (key == "elf") return parse_elf_line(text, line, into);
  if (key == "code" || key == "relocatable") {
    if (into.elves.empty()) return corrupt(line);
    GpuCode& code = into.elves.back().code;
    return parse_code(text, line, key == "code" ? code.groups : code.relocatable);
  }
  std::string first = TRY(decode(next_word(text), line));
  if (key == "needs" || key == "wants") {
    if (into.elves.empty()) return corrupt(line);
    return parse_version(key, std::move(first), text, line, into.elves.back().facts);
  }
  if (key == "package") {
    PythonPackage package;
    package.name = std::move(first);
    package.version = TRY(decode(next_word(text), line));
    package.folder = TRY(decode(text, line));
    into.packages.push_back(std::move(package));
    return {};
  }
  if (key == "link" || key == "configuration") {
    std::string second = TRY(decode(text, line));
    if (key == "link") into.links.push_back({std::move(first), std::move(second)});
    if (key == "configuration")
      into.loader_configurations.push_back({std::move(first), std::move(second)});
    return {};
  }
  if (!text.empty()) return corrupt(line);
  if (key == "removed") {
    into.removed.push_back(std::move(first));
    return {};
  }
  if (key == "unreadable") {
    into.unreadable.push_back(std::move(first));
    return {};
  }
  if (key == "requires" || key == "cuda") {
    if (into.packages.empty()) return corrupt(line);
    PythonPackage& package = into.packages.back();
    if (key == "cuda") package.cuda = std::move(first);
    if (key == "requires") package.requirements.push_back(std::move(first));
    return {};
  }
  if (into.elves.empty()) return corrupt(line);
  return parse_fact(key, std::move(first), line, into.elves.back());
}

void write_code(std::string_view key, const std::vector<CodeGroup>& groups, std::string& out) {
  for (const CodeGroup& group : groups) {
    const bool is_ptx = group.kind == CodeKind::Ptx;
    out += fmt::format("{} {} {} {} {}{}{}\n", key, is_ptx ? "ptx" : "sass", group.target.text(),
                       group.count, group.bytes, is_ptx ? " " : "", encode(group.ptx_version));
  }
}

void write_facts(const LibraryFile& file, std::string& out) {
  const ElfFacts& facts = file.facts;
  out += fmt::format("elf {} {} {}\n", facts.machine, facts.is_64bit ? 64 : 32, encode(file.path));
  if (!facts.soname.empty()) out += fmt::format("soname {}\n", encode(facts.soname));
  for (const std::string& name : facts.needed) out += fmt::format("needed {}\n", encode(name));
  for (const std::string& name : facts.rpath) out += fmt::format("rpath {}\n", encode(name));
  for (const std::string& name : facts.runpath) out += fmt::format("runpath {}\n", encode(name));
  if (!facts.interpreter.empty()) out += fmt::format("interpreter {}\n", encode(facts.interpreter));
  for (const NeededVersion& one : facts.needed_versions)
    out += fmt::format("{} {} {}\n", one.weak ? "wants" : "needs", encode(one.library),
                       encode(one.version));
  for (const std::string& name : facts.defined_versions)
    out += fmt::format("defines {}\n", encode(name));
  if (!file.owner.empty()) out += fmt::format("owner {}\n", encode(file.owner));
  write_code("code", file.code.groups, out);
  write_code("relocatable", file.code.relocatable, out);
  if (!file.code.problem.empty())
    out += fmt::format("code-problem {}\n", encode(file.code.problem));
  for (const std::string& name : file.symbols.undefined)
    out += fmt::format("undefined {}\n", encode(name));
  if (!file.symbols.defined.empty())
    out += fmt::format("exports {}\n", write_rising_numbers(file.symbols.defined));
  if (!file.symbols.problem.empty())
    out += fmt::format("symbols-problem {}\n", encode(file.symbols.problem));
}

}  // namespace

std::string write_layer_libraries(const LayerLibraries& libraries) {
  std::string out = fmt::format("{}\n", kFirstLine);
  for (const LibraryFile& file : libraries.elves) write_facts(file, out);
  for (const LibraryLink& link : libraries.links)
    out += fmt::format("link {} {}\n", encode(link.path), encode(link.target));
  for (const LoaderConfiguration& file : libraries.loader_configurations)
    out += fmt::format("configuration {} {}\n", encode(file.path), encode(file.text));
  for (const std::string& path : libraries.removed)
    out += fmt::format("removed {}\n", encode(path));
  for (const std::string& why : libraries.unreadable)
    out += fmt::format("unreadable {}\n", encode(why));
  for (const PythonPackage& package : libraries.packages) {
    out += fmt::format("package {} {} {}\n", encode(package.name), encode(package.version),
                       encode(package.folder));
    for (const std::string& text : package.requirements)
      out += fmt::format("requires {}\n", encode(text));
    if (!package.cuda.empty()) out += fmt::format("cuda {}\n", encode(package.cuda));
  }
  return out;
}

Result<LayerLibraries> parse_layer_libraries(std::string_view text) {
  LayerLibraries libraries;
  if (text.empty()) return corrupt(1);
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return corrupt(line);
    const std::string_view content = text.substr(0, end);
    text = text.substr(end + 1);
    if (line == 1 && content != kFirstLine) return corrupt(line);
    if (line > 1) TRY(parse_line(content, line, libraries));
  }
  return libraries;
}

}  // namespace slipway::gpu
