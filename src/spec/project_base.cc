// `[base]` and `python.version`, which depends on it.
#include <charconv>

#include "spec/project_sections.h"

namespace slipway::spec {
namespace {

/// `python -m venv`, the wheels of today and the bytecode of docs/decisions/0003 need as much.
constexpr int kOldestMinor = 8;

constexpr std::string_view kImageHint =
    "write it as `docker pull` takes it: `python:3.12-slim`, `HOST:5000/team/name:tag`, or with "
    "`@sha256:…`";

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// OCI distribution spec 1.1, "Pulling manifests", with a registry's host before it or not.
std::optional<Fault> check_base_image(std::string_view image) {
  const auto wrong = [&](std::string_view why) {
    return Fault{fmt::format("`{}` is not an image: {}", image, why), std::string(kImageHint)};
  };
  std::string_view name = image;
  if (name.find("://") != std::string_view::npos) return wrong("it is an address");
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    std::string_view digest = name.substr(at + 1);
    if (!digest.starts_with("sha256:")) return wrong("behind `@` comes `sha256:…`");
    digest.remove_prefix(7);
    if (digest.size() != 64 || !is_hex(digest)) return wrong("a sha256 has 64 hexadecimal digits");
    name = name.substr(0, at);
  }
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    if (const auto fault = check_image_tag(name.substr(colon + 1))) {
      return Fault{fault->message, std::string(kImageHint)};
    }
    name = name.substr(0, colon);
  }
  const std::string_view first = name.substr(0, name.find('/'));
  const bool has_host =
      first.size() < name.size() &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (has_host) name.remove_prefix(first.size() + 1);
  if (const auto fault = check_image_name(name)) {
    return Fault{fault->message, std::string(kImageHint)};
  }
  return std::nullopt;
}

/// `12` of `3.12`; nothing where it is no such version.
std::optional<int> minor_of(std::string_view version) {
  if (!version.starts_with("3.")) return std::nullopt;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto read = std::from_chars(version.data() + 2, end, minor);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return minor;
}

bool is_number(std::string_view version) {
  return !version.empty() && version.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<Fault> check_python_version(std::string_view version) {
  if (version == "3.11") return std::nullopt;
  if (!is_number(version)) {
    return Fault{fmt::format("`{}` is not a Python version", version), "write `3.11`"};
  }
  if (version.starts_with("3.11.")) {
    return Fault{"the last number of the version is Debian's to choose", "write `3.11`"};
  }
  return Fault{fmt::format("Debian bookworm has Python 3.11, and not {}", version),
               "write `3.11`, or take a base that has another: `[base] image`",
               ErrorKind::Unsupported};
}

/// Which one the image has is seen at `lock`.
std::optional<Fault> check_python_of_image(std::string_view version) {
  if (!is_number(version)) {
    return Fault{fmt::format("`{}` is not a Python version", version),
                 "write it as `3.12`, or leave it out: then it is that of `base.image`"};
  }
  if (const auto minor = minor_of(version)) {
    if (*minor >= kOldestMinor) return std::nullopt;
    return Fault{fmt::format("Python {} is too old", version),
                 fmt::format("3.{} is the oldest that works", kOldestMinor),
                 ErrorKind::Unsupported};
  }
  const std::size_t last = version.find('.', version.find('.') + 1);
  if (last != std::string_view::npos && minor_of(version.substr(0, last))) {
    return Fault{"the last number of the version is the base image's to choose",
                 fmt::format("write `{}`, or leave it out", version.substr(0, last))};
  }
  return Fault{fmt::format("there is no Python {} here", version), "write it as `3.12`"};
}

}  // namespace

void read_base(TableReader& root, Base& base) {
  auto table = root.table("base");
  if (!table) return;
  const auto debian = table->text("debian");
  const auto image = table->text("image");
  if (debian && image) {
    table->problem(image->at, "`base.image` and `base.debian` exclude each other",
                   "keep one: an image of a registry, or a Debian release");
  } else if (debian && debian->value != base.debian) {
    refuse(*table, *debian,
           Fault{fmt::format("Debian `{}` is not supported by this version", debian->value),
                 "write `bookworm`", ErrorKind::Unsupported});
  }
  base.apt = read_checked(*table, "apt", check_debian_package);
  if (image) {
    refuse(*table, *image, check_base_image(image->value));
    base.image = image->value;
    base.debian.clear();
  }
  table->not_yet({"scratch"});
  table->refuse_the_rest(project_keys());
}

void read_python_version(TableReader& table, const Base& base, Python& python) {
  const auto version = table.text("version");
  if (!version) return;
  const bool is_wrong = refuse(table, *version,
                               base.image.empty() ? check_python_version(version->value)
                                                  : check_python_of_image(version->value));
  if (!is_wrong) python.version = version->value;
}

}  // namespace slipway::spec
