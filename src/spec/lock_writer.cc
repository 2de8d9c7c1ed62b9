#include <algorithm>
#include <tuple>

#include "spec/lock.h"

namespace slipway::spec {
namespace {

constexpr std::size_t kWidth = 100;

constexpr std::string_view kHeader =
    "# slipway.lock: every file that the image is made of, and why it is there.\n"
    "# Written by `slipway lock`; keep it under version control and change slipway.toml instead.\n";

/// A TOML basic string (TOML 1.0, "String").
std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Emitter {
 public:
  explicit Emitter(std::string text) : text_(std::move(text)) {}

  void header(std::string_view line) { text_ += fmt::format("\n{}\n", line); }
  void put(std::string_view key, std::string_view value) {
    text_ += fmt::format("{} = {}\n", key, quote(value));
  }
  void put(std::string_view key, std::uint64_t value) {
    text_ += fmt::format("{} = {}\n", key, value);
  }
  void put_if_said(std::string_view key, std::string_view value) {
    if (!value.empty()) put(key, value);
  }
  /// On one line where it fits, else one item a line. Nothing for an empty list.
  void put_if_said(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::string line = fmt::format("{} = [", key);
    for (std::size_t i = 0; i < values.size(); ++i) line += (i > 0 ? ", " : "") + quote(values[i]);
    line += "]\n";
    if (line.size() <= kWidth + 1) {
      text_ += line;
      return;
    }
    text_ += fmt::format("{} = [\n", key);
    for (const std::string& value : values) text_ += fmt::format("    {},\n", quote(value));
    text_ += "]\n";
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

void sort_unique(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

void sort_all(Lock& lock) {
  sort_unique(lock.gpus);
  for (LockedWheel& wheel : lock.wheels) {
    sort_unique(wheel.extras);
    sort_unique(wheel.dependencies);
    sort_unique(wheel.because);
  }
  for (LockedDeb& deb : lock.debs) sort_unique(deb.because);
  for (CapturedFiles& files : lock.captured) {
    sort_unique(files.changed);
    sort_unique(files.missing);
    sort_unique(files.paths);
  }
  std::sort(lock.captured.begin(), lock.captured.end(),
            [](const CapturedFiles& a, const CapturedFiles& b) { return a.name < b.name; });
  std::sort(lock.wheels.begin(), lock.wheels.end(),
            [](const LockedWheel& a, const LockedWheel& b) { return a.name < b.name; });
  std::sort(lock.debs.begin(), lock.debs.end(), [](const LockedDeb& a, const LockedDeb& b) {
    return std::tie(a.name, a.architecture) < std::tie(b.name, b.architecture);
  });
}

void put_base(Emitter& out, const LockedBase& base) {
  out.header("[base]");
  out.put("image", base.image);
  out.put("digest", base.digest.text());
  out.put_if_said("os", base.os);
  out.put("python", base.python);
  out.put("interpreter", base.interpreter);
  out.put_if_said("shell", base.shell);
}

void put_wheel(Emitter& out, const LockedWheel& wheel) {
  out.header("[[wheel]]");
  out.put("name", wheel.name);
  out.put("version", wheel.version);
  out.put("index", wheel.index);
  out.put("file", wheel.file_name);
  out.put("size", wheel.size_bytes);
  out.put("sha256", wheel.sha256.hex());
  out.put_if_said("requires-python", wheel.requires_python);
  out.put_if_said("extras", wheel.extras);
  out.put_if_said("requires", wheel.dependencies);
  out.put_if_said("because", wheel.because);
}

void put_deb(Emitter& out, const LockedDeb& deb) {
  out.header("[[deb]]");
  out.put("name", deb.name);
  out.put("version", deb.version);
  out.put("architecture", deb.architecture);
  out.put("index", deb.index);
  out.put("path", deb.path);
  out.put("size", deb.size_bytes);
  out.put("sha256", deb.sha256.hex());
  out.put_if_said("because", deb.because);
}

void put_captured(Emitter& out, const CapturedFiles& files) {
  out.header("[[captured]]");
  out.put("name", files.name);
  out.put_if_said("version", files.version);
  if (!files.wheel.empty()) {
    out.put_if_said("index", files.index);
    out.put("wheel", files.wheel);
    out.put("wheel-sha256", files.wheel_sha256.hex());
  }
  out.put("files", files.files);
  out.put("sha256", files.sha256.hex());
  out.put_if_said("changed", files.changed);
  out.put_if_said("missing", files.missing);
  out.put_if_said("paths", files.paths);
}

/// Last, so that what is above it is write_solution's text.
void put_image(Emitter& out, const LockedImage& image) {
  out.header("[image]");
  out.put("layout", static_cast<std::uint64_t>(image.layout));
  if (image.manifest) {
    out.put("manifest", image.manifest->text());
    out.put("config", image.config.text());
  }
  for (const LockedLayer& layer : image.layers) {
    out.header("[[layer]]");
    out.put("holds", layer_kind_text(layer.kind));
    out.put_if_said("packages", layer.packages);
    out.put("digest", layer.digest.text());
    out.put("diff-id", layer.diff_id.text());
    out.put("size", layer.size_bytes);
  }
}

}  // namespace

std::string write_lock(Lock lock) {
  sort_all(lock);
  Emitter out{std::string(kHeader)};
  out.put("schema", static_cast<std::uint64_t>(kLockSchema));
  out.put("slipway", lock.slipway_version);
  out.put("inputs", lock.inputs.text());
  if (lock.before) out.put("before", utc_time_text(*lock.before));
  out.header("[target]");
  out.put("architecture", lock.architecture);
  out.put_if_said("debian", lock.debian);
  out.put("glibc", lock.glibc);
  out.put("python", lock.python_version);
  out.put_if_said("gpu", lock.gpus);
  out.put_if_said("driver", lock.driver);
  out.put_if_said("cuda-compat", lock.cuda_compat);
  out.put_if_said("cuda", lock.cuda);
  out.put_if_said("cpu", lock.cpu);
  if (lock.base) put_base(out, *lock.base);
  for (const LockedWheel& wheel : lock.wheels) put_wheel(out, wheel);
  for (const LockedDeb& deb : lock.debs) put_deb(out, deb);
  for (const CapturedFiles& files : lock.captured) put_captured(out, files);
  if (lock.image) put_image(out, *lock.image);
  return std::move(out).take();
}

std::string write_solution(Lock lock) {
  lock.image.reset();
  return write_lock(std::move(lock));
}

Digest inputs_digest(const Project& project) {
  // One value a line, lists sorted, each under its key: no two different requests look alike.
  std::string text = "slipway inputs 1\n";
  const auto put = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{} {}\n", key, quote(value));
  };
  const auto put_list = [&](std::string_view key, std::vector<std::string> values) {
    sort_unique(values);
    for (const std::string& value : values) put(key, value);
  };
  put("python", project.python.version);
  put_list("package", project.python.packages);
  for (const PythonIndex& index : project.python.indexes) {  // in order: the first one wins
    put("index", index.name);
    if (index.kind == PythonIndex::Kind::PerCuda) put("index-kind", "per-cuda");
    put_list("index-package", index.packages);
  }
  put_list("gpu", project.target.gpus);
  put("driver", project.target.driver);
  if (!project.target.cuda_compat.empty()) put("cuda-compat", project.target.cuda_compat);
  if (!project.target.cpu.empty()) put("cpu", project.target.cpu);
  put_list("arch", project.target.architectures);
  put("glibc", project.target.glibc);
  put("debian", project.base.debian);
  if (!project.base.image.empty()) put("image", project.base.image);
  put_list("apt", project.base.apt);
  return sha256(text);
}

}  // namespace slipway::spec
