#include "layer/debian_users.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "layer/layout.h"

namespace slipway::layer {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// shadow-utils' own rule (useradd(8), CAVEATS), and 32 characters at most.
bool is_user_name(std::string_view name) {
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_other = [&](char c) { return is_first(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 32 && is_first(name.front()) &&
         std::all_of(name.begin(), name.end(), is_other);
}

bool is_field(std::string_view text) {
  return text.starts_with('/') && text.find_first_of(":\n") == std::string_view::npos;
}

struct Found {
  enum class What { No, Same, Other } what = What::No;
  std::string name, id;  ///< of the other
};

/// Is `name` or `id` (the third field) taken in this file?
Found find_entry(std::string_view text, std::string_view name, std::string_view id) {
  for (const auto line : split(text, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const bool same_name = fields[0] == name;
    const bool same_id = fields[2] == id;
    if (same_name && same_id) return {Found::What::Same, {}, {}};
    if (same_name || same_id) {
      return {Found::What::Other, std::string(fields[0]), std::string(fields[2])};
    }
  }
  return {};
}

void add_line(std::string& text, std::string_view line) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += line;
  text += '\n';
}

}  // namespace

Result<UserFiles> add_user(const UserFiles& base, const ImageUser& user) {
  if (!is_user_name(user.name)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no name for a user", user.name)
        .hint("use lower-case letters, digits, `-` and `_`, at most 32, a letter first");
  }
  if (!is_field(user.home) || !is_field(user.shell)) {
    return make_error(ErrorKind::InvalidInput, "home and shell of `{}` must be absolute paths",
                      user.name);
  }
  const auto id = std::to_string(user.uid);
  const auto in_passwd = find_entry(base.passwd, user.name, id);
  const auto in_group = find_entry(base.group, user.name, id);
  for (const auto& [kind, found] : {std::pair("user", in_passwd), std::pair("group", in_group)}) {
    if (found.what != Found::What::Other) continue;
    Error error = make_error(ErrorKind::InvalidInput,
                             "the user `{}` with id {} collides with a user or group of the base",
                             user.name, id);
    error.because.push_back(
        fmt::format("the base has the {} `{}` with id {}", kind, found.name, found.id));
    error.hints.emplace_back(
        fmt::format("under `[user]` write `name = \"{}\"` and `uid = {}` to be that one, or choose "
                    "another name or id",
                    found.name, found.id));
    return error;
  }
  auto files = base;
  if (in_passwd.what == Found::What::No) {
    add_line(files.passwd,
             fmt::format("{0}:x:{1}:{1}::{2}:{3}", user.name, id, user.home, user.shell));
    constexpr auto kDays = kLayerTime / 86400;
    add_line(files.shadow, fmt::format("{}:*:{}:0:99999:7:::", user.name, kDays));
  }
  if (in_group.what == Found::What::No)
    add_line(files.group, fmt::format("{}:x:{}:", user.name, id));
  return files;
}

}  // namespace slipway::layer
