#include "plan/wheel_facts.h"

#include <charconv>

#include "base/threads.h"
#include "plan/artifacts.h"
#include "plan/image_frame.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kKind = "wheel-paths";

/// One line a path: `<crc32 hex> <size> <x or -> <path>`.
std::string write_paths(const std::vector<layer::WheelPath>& paths) {
  std::string text;
  for (const layer::WheelPath& path : paths) {
    fmt::format_to(std::back_inserter(text), "{:08x} {} {} {}\n", path.crc32, path.size_bytes,
                   path.is_executable ? 'x' : '-', path.path);
  }
  return text;
}

/// Nothing where the text is not what write_paths writes: the fact is then read anew.
std::optional<std::vector<layer::WheelPath>> parse_paths(std::string_view text) {
  std::vector<layer::WheelPath> paths;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    layer::WheelPath path;
    const char* last = line.data() + line.size();
    const auto crc = std::from_chars(line.data(), last, path.crc32, 16);
    if (crc.ec != std::errc() || crc.ptr == last) return std::nullopt;
    const auto size = std::from_chars(crc.ptr + 1, last, path.size_bytes);
    if (size.ec != std::errc() || last - size.ptr < 4) return std::nullopt;
    path.is_executable = size.ptr[1] == 'x';
    path.path.assign(size.ptr + 3, last);
    paths.push_back(std::move(path));
  }
  return paths;
}

/// Under which the facts are kept: they depend on the layout and the Python too.
Digest facts_key(const Digest& sha256, const layer::WheelLayerOptions& options) {
  const std::string python =
      options.python_minor == 11 ? "" : fmt::format(" 3.{}", options.python_minor);
  return slipway::sha256(
      fmt::format("wheel-paths {} {} {}{}", layer::kLayoutVersion, kVenv, sha256.text(), python));
}

}  // namespace

std::vector<std::string> WheelFacts::sources() const {
  std::vector<std::string> sources;
  for (const layer::WheelPath& path : paths) {
    if (path.path.ends_with(".py") && path.path.find("/site-packages/") != std::string::npos) {
      sources.push_back(path.path);
    }
  }
  return sources;
}

std::uint64_t WheelFacts::source_bytes() const {
  std::uint64_t bytes = 0;
  for (const layer::WheelPath& path : paths) {
    if (path.path.ends_with(".py")) bytes += path.size_bytes;
  }
  return bytes;
}

layer::WheelInput make_input(const spec::LockedWheel& wheel, const Tools& tools) {
  return {wheel.name, wheel.version, cached_path(make_artifact(wheel), tools), wheel.sha256,
          wheel.size_bytes};
}

layer::WheelLayerOptions wheel_options(const spec::Lock& lock) {
  layer::WheelLayerOptions options;
  options.prefix = kVenv;
  // `3.12`: a lock that says otherwise was changed by hand, and no wheel fits it.
  const std::string& python = lock.python_version;
  const std::size_t dot = std::min(python.find('.'), python.size());
  std::from_chars(python.data(), python.data() + dot, options.python_major);
  std::from_chars(python.data() + std::min(dot + 1, python.size()), python.data() + python.size(),
                  options.python_minor);
  return options;
}

bool knows_wheel(const store::Store& store, const spec::Lock& lock, const Digest& sha256) {
  const auto text = store.find_known(kKind, facts_key(sha256, wheel_options(lock)));
  return text.ok() && text->has_value();
}

Result<std::vector<WheelFacts>> read_wheel_facts(const store::Store& store, const spec::Lock& lock,
                                                 const Tools& tools) {
  std::vector<WheelFacts> facts(lock.wheels.size());
  const layer::WheelLayerOptions options = wheel_options(lock);
  const auto read = [&](std::size_t i) -> Result<void> {
    WheelFacts& one = facts[i];
    one.input = make_input(lock.wheels[i], tools);
    const Digest key = facts_key(one.input.sha256, options);
    if (const auto text = TRY(store.find_known(kKind, key))) {
      if (auto paths = parse_paths(*text)) {
        one.paths = std::move(*paths);
        return {};
      }
    }
    one.paths = TRY(layer::list_wheel(one.input, options));
    return store.put_known(kKind, key, write_paths(one.paths));
  };
  TRY(for_each_parallel(facts.size(), usable_cores(), tools.cancel, read));
  return facts;
}

}  // namespace slipway::plan
