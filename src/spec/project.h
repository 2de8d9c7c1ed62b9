/// slipway.toml: what the user asks for, read strictly.
///
/// A key that is not known, a value of the wrong type and a value that cannot be right are refused
/// with file, line, column, the key's dotted name and what to write instead; all mistakes of a file
/// are told together. Keys that a later version will read are Unsupported. Format:
/// docs/formats/project.md. Pure: no file is touched.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::spec {

/// `name:tag` by the reference grammar of the OCI distribution spec 1.1 ("Pulling manifests").
struct Image {
  std::string name;
  std::string tag = "latest";
  std::string default_mode{};  ///< started where a run names no command; empty: not said
  std::string reference() const { return name + ":" + tag; }
  bool operator==(const Image&) const = default;
};

/// As a GPU or a driver: what the machine has on which the lock is made.
inline constexpr std::string_view kThisHost = "this host";

/// What the image must run on.
struct Target {
  std::vector<std::string> gpus;  ///< lower case: `a100`, `sm_80`, or kThisHost; empty: not said
  std::string driver;             ///< a specifier such as `>=525`, or kThisHost; empty: not said
  /// `12.8`: the host puts NVIDIA's cuda-compat of that CUDA beside the driver; empty: not said.
  std::string cuda_compat;
  /// The least processor: `x86-64`, `x86-64-v2`, `-v3` or `-v4` of the x86-64 psABI; empty: not
  /// said.
  std::string cpu;
  std::vector<std::string> architectures = {"x86_64"};
  std::string glibc = "2.36";  ///< that of the base; no key sets it
  bool operator==(const Target&) const = default;
};

/// What lies below everything: a Debian release, or an image of a registry.
struct Base {
  std::string debian = "bookworm";  ///< empty where there is an image
  std::string image{};              ///< `python:3.12-slim`, `host:5000/team/x@sha256:…`; or empty
  std::vector<std::string> apt;     ///< Debian package names, in the order written
  bool operator==(const Base&) const = default;
};

/// An index beside the machine's own.
struct PythonIndex {
  enum class Kind {
    Simple,   ///< one simple index
    PerCuda,  ///< `url` has one simple index below it for each CUDA: `cu118`, `cu124`, `cpu`, …
  };
  std::string name;  ///< what the lock and config.toml call it; not that of another index
  std::string url;   ///< without user or password; empty: config.toml has it
  Kind kind = Kind::Simple;
  /// Normalised names, or `prefix*`: taken from here and from nowhere else. Empty: every package
  /// that this index has.
  std::vector<std::string> packages;
  bool operator==(const PythonIndex&) const = default;
};

struct Python {
  std::string version = "3.11";       ///< empty: that of `base.image`
  std::vector<std::string> packages;  ///< PEP 508 texts as written; each parses
  std::vector<PythonIndex> indexes;   ///< in the order in which they are asked
  bool operator==(const Python&) const = default;
};

/// Files and folders of the project that go into the last layer: relative, `/` between parts, no
/// `.` or `..` part, no end `/`, and none inside another.
struct ProjectCode {
  std::vector<std::string> copy;
  bool operator==(const ProjectCode&) const = default;
};

/// Who the image runs as. `uid` is 0 only where the name is `root`: root has to be asked for twice.
struct User {
  std::string name = "dev";
  std::uint32_t uid = 1000;
  bool operator==(const User&) const = default;
};

struct Mode {
  std::vector<std::string> command;  ///< never empty
  bool operator==(const Mode&) const = default;
};

/// Ceilings: lowered to what the machine has.
struct Resources {
  std::string gpus = "auto";  ///< auto, all or none
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::uint64_t> shm_bytes;
  bool operator==(const Resources&) const = default;
};

struct Project {
  Image image;
  Target target;
  Base base;
  Python python;
  ProjectCode code;
  User user;
  std::map<std::string, Mode> modes;
  Resources resources;
  bool operator==(const Project&) const = default;
};

/// `file_name` is only for messages. Fails with InvalidInput, or Unsupported where everything that
/// is wrong is only not there yet.
Result<Project> parse_project(std::string_view text, std::string_view file_name);

}  // namespace slipway::spec
