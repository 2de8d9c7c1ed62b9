#include "spec/names.h"

#include <algorithm>
#include <array>

namespace slipway::spec {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

std::string quoted(std::string_view text) { return fmt::format("`{}`", text); }

/// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_path_component(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) {
    return false;
  }
  for (std::size_t i = 0; i < part.size();) {
    if (is_lower_or_digit(part[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < part.size() && !is_lower_or_digit(part[end])) ++end;
    const std::string_view separator = part.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

/// The parts between slashes; an empty one for each slash too many.
template <typename F>
bool each_part(std::string_view text, F&& is_good) {
  while (true) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    if (!is_good(text.substr(0, slash))) return false;
    if (slash == text.size()) return true;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<Fault> check_image_name(std::string_view name) {
  if (name.find(':') != std::string_view::npos) {
    return Fault{quoted(name) + " has a `:` in it", "the tag is a key of its own: `tag = \"...\"`"};
  }
  if (!each_part(name, is_path_component)) {
    return Fault{quoted(name) + " is not an image name",
                 "use lower-case letters, digits and single `-`, `_` or `.` between them, like "
                 "`team/pytorch-cuda`"};
  }
  if (name.size() > 255) {
    return Fault{"the name is longer than 255 characters", "shorten it"};
  }
  return std::nullopt;
}

std::optional<Fault> check_image_tag(std::string_view tag) {
  const auto is_first = [](char c) { return is_lower_or_digit(c) || is_upper(c) || c == '_'; };
  const bool good = !tag.empty() && tag.size() <= 128 && is_first(tag.front()) &&
                    std::all_of(tag.begin(), tag.end(),
                                [&](char c) { return is_first(c) || is_one_of(c, ".-"); });
  if (good) return std::nullopt;
  return Fault{quoted(tag) + " is not a tag",
               "use letters, digits, `_`, `.` and `-`, at most 128, like `2.6`"};
}

std::optional<Fault> check_debian_package(std::string_view name) {
  if (name.find_first_of("=<>~ ") != std::string_view::npos) {
    return Fault{quoted(name) + " is more than a package name",
                 "write only the name: `slipway lock` chooses the version and writes it down"};
  }
  const bool good = name.size() >= 2 && is_lower_or_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower_or_digit(c) || is_one_of(c, "+-."); });
  if (good) return std::nullopt;
  return Fault{quoted(name) + " is not a Debian package name",
               "they are lower case: letters, digits, `+`, `-` and `.`, like `openssh-server`"};
}

std::optional<Fault> check_user_name(std::string_view name) {
  // base-passwd 3.6, passwd.master: these have their own uid in every Debian image.
  static constexpr std::array<std::string_view, 18> kTaken{
      "_apt", "backup", "bin",    "daemon", "games", "irc", "list", "lp",       "mail",
      "man",  "news",   "nobody", "proxy",  "sync",  "sys", "uucp", "www-data", "staff"};
  if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
    return Fault{quoted(name) + " is one of Debian's own users", "choose another, like `dev`"};
  }
  const bool good = !name.empty() && name.size() <= 32 && (is_lower(name[0]) || name[0] == '_') &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower_or_digit(c) || is_one_of(c, "_-"); });
  if (good) return std::nullopt;
  return Fault{quoted(name) + " is not a user name",
               "use lower-case letters, digits, `_` and `-`, at most 32, beginning with a letter"};
}

std::optional<Fault> check_plain_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 128 && is_lower_or_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower_or_digit(c) || is_one_of(c, "_-"); });
  if (good) return std::nullopt;
  return Fault{quoted(name) + " is not a name",
               "use lower-case letters, digits, `-` and `_`, at most 128"};
}

std::string normal_copy_path(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

std::optional<Fault> check_copy_path(std::string_view written) {
  const std::string path = normal_copy_path(written);
  if (path.starts_with('/') || path.starts_with('~')) {
    return Fault{quoted(written) + " is not inside the project",
                 "write it relative to slipway.toml"};
  }
  if (path == "." || path.empty()) {
    return Fault{quoted(written) + " is the whole project",
                 "name the files and folders: the rest (`.git`, results, data) stays out",
                 ErrorKind::Unsupported};
  }
  if (path.find_first_of("*?[") != std::string::npos) {
    return Fault{quoted(written) + " is a pattern", "name a file or a folder",
                 ErrorKind::Unsupported};
  }
  bool leaves = false;
  const bool good = each_part(path, [&](std::string_view part) {
    leaves = leaves || part == "..";
    return !part.empty() && part != "." && part != ".." &&
           std::none_of(part.begin(), part.end(), [](char c) {
             return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
           });
  });
  if (leaves) {
    return Fault{quoted(written) + " may leave the project",
                 "write it without `..`, relative to slipway.toml"};
  }
  if (good) return std::nullopt;
  return Fault{"this is not a plain path", "write it like `src/model`"};
}

std::optional<Fault> check_url(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://", "file:///"}) {
    if (!url.starts_with(scheme) || url.size() == scheme.size()) continue;
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
      return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    });
    if (plain) return std::nullopt;
  }
  return Fault{quoted(url) + " is not a URL", "write it with `https://`, `http://` or `file:///`"};
}

bool is_within(std::string_view inner, std::string_view outer) {
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

}  // namespace slipway::spec
