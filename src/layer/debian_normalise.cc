#include "layer/debian_normalise.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "base/file.h"
#include "layer/layout.h"

namespace slipway::layer {
namespace {

bool is_link(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

bool is_real_folder(const std::string& path) { return !is_link(path) && is_folder(path); }

using Visit = std::function<Result<void>(const std::string& path, bool folder)>;

/// Everything below `folder`, what is inside a folder before it. Links are not followed.
Result<void> walk(const std::string& folder, const Visit& visit) {
  for (const auto& name : TRY(list_folder(folder))) {
    const auto path = join_path(folder, name);
    const bool is_inner = is_real_folder(path);
    if (is_inner) TRY(walk(path, visit));
    TRY(visit(path, is_inner));
  }
  return {};
}

/// Removes all files below, keeps the folders: packages own them.
Result<void> remove_files(const std::string& folder) {
  if (!is_real_folder(folder)) return {};
  return walk(folder, [](const std::string& path, bool is_inner) -> Result<void> {
    return is_inner ? Result<void>() : remove_file(path);
  });
}

Result<void> remove_content(const std::string& folder) {
  if (!is_real_folder(folder)) return {};
  for (const auto& name : TRY(list_folder(folder))) TRY(remove_tree(join_path(folder, name)));
  return {};
}

Result<void> empty_file(const std::string& path) {
  if (!path_exists(path) || is_link(path)) return {};
  if (::truncate(path.c_str(), 0) != 0) return errno_error(path);
  return {};
}

/// Removes the files in `folder` (not below) whose name begins and ends so.
Result<void> remove_matching(const std::string& folder, std::string_view prefix,
                             std::string_view suffix) {
  if (!is_real_folder(folder)) return {};
  for (const auto& name : TRY(list_folder(folder))) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    TRY(remove_file(join_path(folder, name)));
  }
  return {};
}

/// utmp(5) and lastlog are expected to be there by those who write to them; the rest is not.
Result<void> empty_logs(const std::string& log_folder) {
  if (!is_real_folder(log_folder)) return {};
  return walk(log_folder, [](const std::string& path, bool is_inner) -> Result<void> {
    if (is_inner) return {};
    const auto name = base_name(path);
    const bool stays = name == "wtmp" || name == "btmp" || name == "lastlog" || name == "faillog";
    return stays ? empty_file(path) : remove_file(path);
  });
}

/// What dpkg was told to leave out, but we unpacked before it, or a script made.
Result<void> prune_share(const std::string& share) {
  for (const char* name : {"groff", "info", "lintian", "linda", "man"}) {
    TRY(remove_content(join_path(share, name)));
  }
  const auto locale = join_path(share, "locale");
  if (is_real_folder(locale)) {
    for (const auto& name : TRY(list_folder(locale))) {
      if (name != "locale.alias") TRY(remove_tree(join_path(locale, name)));
    }
  }
  const auto doc = join_path(share, "doc");
  if (!is_real_folder(doc)) return {};
  return walk(doc, [](const std::string& path, bool is_inner) -> Result<void> {
    if (!is_inner) return base_name(path) == "copyright" ? Result<void>() : remove_file(path);
    // Links between documentation folders go with the rest; empty folders too.
    if (TRY(list_folder(path)).empty()) return remove_tree(path);
    return {};
  });
}

/// Bytecode that carries the time of its source.
Result<void> remove_bytecode(const std::string& folder) {
  if (!is_real_folder(folder)) return {};
  return walk(folder, [](const std::string& path, bool is_inner) -> Result<void> {
    return is_inner && base_name(path) == "__pycache__" ? remove_tree(path) : Result<void>();
  });
}

Result<void> remove_identity(const std::string& tree) {
  TRY(remove_matching(join_path(tree, "etc/ssh"), "ssh_host_", ""));
  TRY(empty_file(join_path(tree, "etc/machine-id")));
  for (const char* path :
       {"var/lib/dbus/machine-id", "etc/hostname", "etc/resolv.conf", "etc/.pwd.lock",
        "etc/mailname", "var/lib/systemd/random-seed", "usr/sbin/policy-rc.d"}) {
    TRY(remove_file(join_path(tree, path)));
  }
  for (const char* name : {"passwd", "group", "shadow", "gshadow", "subuid", "subgid"}) {
    TRY(remove_file(fmt::format("{}/etc/{}-", tree, name)));
  }
  const auto shadow = join_path(tree, "etc/shadow");
  const auto text = read_file(shadow);
  if (!text) return {};
  // In place: the file's owner, group and mode matter.
  const auto file = TRY(open_file(shadow, O_WRONLY | O_TRUNC));
  return FdSink(file.get()).write(as_bytes(fix_shadow_dates(*text)));
}

Result<void> remove_dpkg_leftovers(const std::string& tree) {
  const auto dpkg = join_path(tree, "var/lib/dpkg");
  TRY(remove_matching(dpkg, "", "-old"));
  TRY(remove_matching(dpkg, "lock", ""));
  TRY(remove_matching(join_path(dpkg, "triggers"), "Lock", ""));
  TRY(remove_content(join_path(dpkg, "updates")));
  TRY(remove_content(join_path(tree, "var/lib/dpkg/tmp.ci")));
  return remove_files(join_path(tree, "var/lib/apt/lists"));
}

Result<void> empty_special_folders(const std::string& tree) {
  struct Special {
    const char* name;
    mode_t mode;
  };
  for (const auto& special : {Special{"dev", 0755},
                              {"proc", 0555},
                              {"sys", 0555},
                              {"run", 0755},
                              {"tmp", 01777},
                              {"var/tmp", 01777}}) {
    const auto path = join_path(tree, special.name);
    TRY(make_folders(path));
    TRY(remove_content(path));
    if (::chmod(path.c_str(), special.mode) != 0) return errno_error(path);
  }
  // base-files' own: /var/lock leads here.
  const auto lock = join_path(tree, "run/lock");
  TRY(make_folders(lock));
  if (::chmod(lock.c_str(), 01777) != 0) return errno_error(lock);
  return {};
}

}  // namespace

std::string fix_shadow_dates(std::string_view shadow) {
  std::string fixed;
  while (!shadow.empty()) {
    const auto line = shadow.substr(0, shadow.find('\n'));
    shadow.remove_prefix(std::min(shadow.size(), line.size() + 1));
    const auto password = line.find(':');
    const auto date = password == std::string_view::npos ? password : line.find(':', password + 1);
    const auto end = date == std::string_view::npos ? date : line.find(':', date + 1);
    const auto value = end == std::string_view::npos ? "" : line.substr(date + 1, end - date - 1);
    // Empty: no ageing; 0: the password must change at once. Both are meant, not measured.
    if (value.empty() || value == "0") {
      fixed += line;
    } else {
      fixed += fmt::format("{}:{}{}", line.substr(0, date), kLayerTime / 86400, line.substr(end));
    }
    fixed += '\n';
  }
  return fixed;
}

Result<void> normalise_debian_tree(const std::string& tree_folder) {
  TRY(remove_identity(tree_folder));
  TRY(remove_dpkg_leftovers(tree_folder));
  TRY(empty_logs(join_path(tree_folder, "var/log")));
  TRY(remove_files(join_path(tree_folder, "var/cache")));
  TRY(prune_share(join_path(tree_folder, "usr/share")));
  TRY(remove_bytecode(join_path(tree_folder, "usr")));
  return empty_special_folders(tree_folder);
}

Result<void> fix_times(const std::string& tree_folder) {
  const timespec time{kLayerTime, 0};
  const timespec times[2] = {time, time};
  const auto fix = [&](const std::string& path, bool) -> Result<void> {
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error(path);
    }
    return {};
  };
  TRY(walk(tree_folder, fix));
  return fix(tree_folder, true);
}

}  // namespace slipway::layer
