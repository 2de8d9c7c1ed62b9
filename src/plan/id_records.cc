#include "plan/id_records.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace slipway::plan {
namespace {

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

/// The fields of the first line whose field `column` is `value`.
std::vector<std::string> find_record(std::string_view text, std::size_t column,
                                     std::string_view value) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::vector<std::string> fields;
    while (true) {
      const std::size_t colon = std::min(line.find(':'), line.size());
      fields.emplace_back(line.substr(0, colon));
      if (colon == line.size()) break;
      line.remove_prefix(colon + 1);
    }
    if (column < fields.size() && fields[column] == value) return fields;
  }
  return {};
}

/// User and group of `user[:group]`; no user is root.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view user = text.substr(0, colon);
  return {user.empty() ? std::string_view("0") : user,
          text.substr(std::min(colon + 1, text.size()))};
}

}  // namespace

Result<ImageIds> find_ids(std::string_view user, std::string_view passwd, std::string_view group,
                          std::string_view image) {
  const auto [name, group_name] = split(user);
  ImageIds ids;
  const std::optional<std::uint32_t> uid = parse_id(name);
  const auto record = find_record(passwd, uid ? 2 : 0, name);
  if (uid) {
    ids.uid = *uid;
  } else if (record.size() > 3 && parse_id(record[2])) {
    ids.uid = *parse_id(record[2]);
  } else {
    return make_error(ErrorKind::InvalidInput, "`{}` has no user `{}`", image, name)
        .hint("give a number, like `--user 1000`");
  }
  if (record.size() > 3) ids.gid = parse_id(record[3]).value_or(0);
  if (group_name.empty()) return ids;
  if (const auto gid = parse_id(group_name)) {
    ids.gid = *gid;
    return ids;
  }
  const auto group_record = find_record(group, 0, group_name);
  if (group_record.size() < 3 || !parse_id(group_record[2])) {
    return make_error(ErrorKind::InvalidInput, "`{}` has no group `{}`", image, group_name);
  }
  ids.gid = *parse_id(group_record[2]);
  return ids;
}

std::optional<ImageIds> find_numeric_ids(std::string_view user) {
  const auto [name, group] = split(user);
  const auto uid = parse_id(name);
  const auto gid = parse_id(group);
  if (uid && gid) return ImageIds{*uid, *gid};
  // A number alone: its group stands in passwd, but for root's.
  if (uid == 0 && group.empty()) return ImageIds{};
  return std::nullopt;
}

}  // namespace slipway::plan
