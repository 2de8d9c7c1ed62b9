#include "plan/base_facts.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.h"
#include "index/debian_installed.h"
#include "plan/binary_versions.h"
#include "plan/image_frame.h"
#include "plan/os_release.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kPython = "python3";
constexpr std::string_view kMultiarch = "x86_64-linux-gnu";
constexpr std::uint64_t kMostBytes = 128 << 20;  ///< of a file that is looked at
constexpr std::uint64_t kMostAptBytes = 1 << 20;

/// 12 of `python3.12`; nothing of `python3`, `python3.12-config`.
std::optional<int> minor_of_name(std::string_view name) {
  if (!name.starts_with("python3.")) return std::nullopt;
  name.remove_prefix(8);
  int minor = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), minor);
  if (read.ec != std::errc() || read.ptr != name.data() + name.size()) return std::nullopt;
  return minor;
}

bool is_interpreter(const std::string& path) {
  const std::string name = base_name(path);
  return (name == kPython || minor_of_name(name)) && base_name(parent_path(path)) == "bin";
}

bool is_python_library(std::string_view name) {
  return name.starts_with("libpython3.") && name.find(".so") != std::string_view::npos;
}

bool is_c_library(std::string_view name) {
  return name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"));
}

/// What apt asks, and whom it trusts; Signed-By may name a key anywhere.
bool is_of_apt(const std::string& path) {
  return path.starts_with("etc/apt/") || path.starts_with("usr/share/keyrings/") ||
         path.ends_with(".gpg") || path.ends_with(".asc") || path.ends_with(".pgp");
}

bool is_text(const layer::TarItem& item) {
  const std::string& path = item.path;
  if (is_of_apt(path)) return item.size_bytes <= kMostAptBytes;
  return path == "etc/os-release" || path == "usr/lib/os-release" ||
         path == "var/lib/dpkg/status" || path.starts_with("var/lib/dpkg/status.d/");
}

bool is_header(const std::string& path) {
  return path.ends_with("/patchlevel.h") && path.find("/include/python3.") != std::string::npos;
}

/// Of programs and libraries the versions in them, so that no large file is kept in memory.
Result<std::optional<std::string>> look_at(const layer::TarItem& item, Source& bytes) {
  const std::string name = base_name(item.path);
  const bool is_program = is_interpreter(item.path) || is_python_library(name);
  const bool is_wanted = is_program || is_c_library(name) || is_text(item) || is_header(item.path);
  if (!is_wanted || item.size_bytes > kMostBytes) return std::optional<std::string>();
  StringSink sink;
  TRY(copy(bytes, sink));
  if (is_text(item)) return std::optional(std::move(sink.text));
  if (is_header(item.path)) return std::optional(find_header_version(sink.text));
  // A wrapper (pyenv's, conda's) is no interpreter that an environment could be made from.
  if (!sink.text.starts_with("\177ELF")) return std::optional<std::string>();
  if (is_c_library(name)) return std::optional(find_glibc_version(sink.text));
  return std::optional(fmt::format("{}", fmt::join(find_python_versions(sink.text), "\n")));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// What a lock can hold.
bool is_plain(std::string_view path) {
  return std::ranges::all_of(path, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("*?[\\").find(c) == std::string_view::npos;
  });
}

std::string path_of(const oci::ImageConfig& config) {
  for (const std::string& variable : config.env) {
    if (variable.starts_with("PATH=")) return variable.substr(5);
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/// A Python of the base: where it is, and which minor version its name says, or its bytes do.
struct Interpreter {
  std::string path;  ///< without leading slash or links
  int minor = 0;
};

class Facts {
 public:
  Facts(const TarTree& tree, const oci::ImageConfig& config, const std::string& name)
      : tree_(tree), config_(config), name_(name) {
    const std::string* text = tree_.find("etc/os-release");
    if (text == nullptr) text = tree_.find("usr/lib/os-release");
    if (text != nullptr) facts_.os = os_name(*text);
  }

  Result<BaseFacts> find(const std::string& python, NoPython no_python) {
    TRY(find_glibc());
    const std::vector<Interpreter> interpreters = list_interpreters();
    if (!interpreters.empty() || no_python == NoPython::Refused)
      TRY(add_python(interpreters, python));
    for (const char* shell : {"/bin/bash", "/bin/sh"}) {
      if (facts_.shell.empty() && tree_.resolve(shell)) facts_.shell = shell;
    }
    if (tree_.exists(std::string_view(kVenv).substr(1))) {
      return refuse(fmt::format("has `{}` already, where the environment would be made", kVenv),
                    "take the image that it was made from: an environment goes onto a system, not "
                    "onto another environment");
    }
    return facts_;
  }

 private:
  Result<void> add_python(const std::vector<Interpreter>& interpreters, const std::string& python) {
    const Interpreter interpreter = TRY(choose_interpreter(interpreters, python));
    if (interpreter.minor < kOldestPython) {
      return refuse(fmt::format("has Python 3.{}, which is too old", interpreter.minor),
                    fmt::format("take an image with Python 3.{} or newer", kOldestPython));
    }
    facts_.interpreter = "/" + interpreter.path;
    facts_.python = TRY(exact_version(interpreter));
    return {};
  }

  Error refuse(std::string what, std::string hint) const {
    Error error = make_error(ErrorKind::Unsupported, "the base `{}` {}", name_, what);
    error.because.push_back(facts_.os.empty() ? "it does not say what it is (/etc/os-release)"
                                              : fmt::format("it is {}", facts_.os));
    if (!facts_.glibc.empty()) error.because.back() += fmt::format(", with glibc {}", facts_.glibc);
    error.hints.push_back(std::move(hint));
    return error;
  }

  Result<void> find_glibc() {
    for (const std::string_view lib : {"lib", "lib64", "usr/lib", "usr/lib64"}) {
      for (const std::string& folder : {fmt::format("{}/{}", lib, kMultiarch), std::string(lib)}) {
        const std::string* found = tree_.find(folder + "/libc.so.6");
        if (found == nullptr || found->empty()) continue;
        facts_.glibc = *found;
        return {};
      }
    }
    if (tree_.resolve("lib/ld-musl-x86_64.so.1")) {
      return refuse("has musl for its C library",
                    "take an image with glibc: one of Debian, Ubuntu or the like; most wheels are "
                    "made for that alone");
    }
    return refuse("has no C library in which wheels could run",
                  "take an image of a system with glibc and Python 3, or `[base] debian`");
  }

  /// In the order of the image's PATH.
  std::vector<Interpreter> list_interpreters() const {
    std::vector<Interpreter> found;
    const auto add = [&](const std::string& path) {
      const auto real = tree_.resolve(path);
      const std::string* versions = real ? tree_.find(*real) : nullptr;
      if (versions == nullptr || !is_plain(*real)) return;
      auto minor = minor_of_name(base_name(*real));
      const std::vector<std::string> all = split(*versions, '\n');
      if (!minor && all.size() == 1) {
        minor = minor_of_name("python" + all[0].substr(0, all[0].rfind('.')));
      }
      if (minor) found.push_back({*real, *minor});
    };
    for (const std::string& folder : split(path_of(config_), ':')) {
      add(join_path(folder, std::string(kPython)));
      for (const std::string& name : tree_.names(folder)) {
        if (minor_of_name(name)) add(join_path(folder, name));
      }
    }
    return found;
  }

  Result<Interpreter> choose_interpreter(const std::vector<Interpreter>& found,
                                         const std::string& python) const {
    if (found.empty()) {
      return refuse(
          "has no Python 3 on its PATH",
          "it has no dpkg that could install one: take an image that has a Python, or one "
          "with dpkg (Debian, Ubuntu), or `[base] debian = \"bookworm\"`");
    }
    if (python.empty()) return found.front();
    for (const Interpreter& one : found) {
      if (fmt::format("3.{}", one.minor) == python) return one;
    }
    std::vector<std::string> versions;
    for (const Interpreter& one : found) {
      const std::string text = fmt::format("3.{}", one.minor);
      if (std::ranges::find(versions, text) == versions.end()) versions.push_back(text);
    }
    return make_error(ErrorKind::InvalidInput,
                      "the base `{}` brings Python {}, and slipway.toml says {}", name_,
                      fmt::join(versions, " and "), python)
        .hint(fmt::format("write `version = \"{}\"` under [python], or leave it out",
                          versions.front()))
        .hint(fmt::format("or take a base with Python {}", python));
  }

  /// The one version of this minor that a program or library has in it.
  std::string version_in(const std::string& path, int minor) const {
    const std::string* versions = tree_.find(path);
    if (versions == nullptr) return {};
    std::string only;
    for (const std::string& version : split(*versions, '\n')) {
      if (!version.starts_with(fmt::format("3.{}.", minor))) continue;
      if (!only.empty()) return {};
      only = version;
    }
    return only;
  }

  /// The interpreter's own bytes, else its library's, else its header's, else dpkg's word for it.
  Result<std::string> exact_version(const Interpreter& python) const {
    std::string version = version_in(python.path, python.minor);
    const std::string prefix = parent_path(parent_path(python.path));
    for (const std::string_view lib : {"lib", "lib64", "lib/x86_64-linux-gnu"}) {
      const std::string path = fmt::format("{}/{}/libpython3.{}.so.1.0", prefix, lib, python.minor);
      if (version.empty()) version = version_in(path, python.minor);
    }
    if (version.empty()) {
      version = version_in(fmt::format("{}/include/python3.{}/patchlevel.h", prefix, python.minor),
                           python.minor);
    }
    if (version.empty()) version = package_version(python.minor);
    if (!version.empty()) return version;
    return refuse(fmt::format("does not tell which Python `/{}` is", python.path),
                  "take another image");
  }

  std::string package_version(int minor) const {
    const std::string* status = tree_.find("var/lib/dpkg/status");
    if (status == nullptr) return {};
    for (const index::InstalledDeb& deb : index::parse_installed_debs(*status)) {
      if (deb.name != fmt::format("python3.{}-minimal", minor)) continue;
      const std::size_t end = deb.version.find_first_not_of("0123456789.");
      return deb.version.substr(0, end);
    }
    return {};
  }

  const TarTree& tree_;
  const oci::ImageConfig& config_;
  const std::string& name_;
  BaseFacts facts_;
};

}  // namespace

Result<TarTree> read_base_tree(std::span<const std::string> blobs, const CancelToken& cancel) {
  return TarTree::read(blobs, look_at, cancel);
}

Result<BaseFacts> find_base_facts(const TarTree& tree, const oci::ImageConfig& config,
                                  const std::string& python, const std::string& name,
                                  NoPython no_python) {
  return Facts(tree, config, name).find(python, no_python);
}

}  // namespace slipway::plan
