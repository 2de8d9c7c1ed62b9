#include "plan/lazy_folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace slipway::plan {
namespace {

using Json = nlohmann::json;

std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return error == std::errc() ? number : 0;
}

bool is_held(const std::string& lock) {
  const UniqueFd fd(::open(lock.c_str(), O_RDONLY | O_CLOEXEC));
  return fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace

LazyFolder::LazyFolder(const store::Store& store, const std::vector<Digest>& diff_ids)
    : path_(store.home() + "/lazy/" + oci::chain_id(diff_ids).hex()), owner_(store.owner()) {}

std::string LazyFolder::inside(std::string_view name) const { return join_path(path_, name); }

bool LazyFolder::exists() const { return path_exists(inside("record")); }

bool LazyFolder::is_served() const { return is_held(inside("lock")); }

Result<void> LazyFolder::give_to_owner(std::string_view name) const {
  if (owner_.uid == ::geteuid()) return {};
  if (::lchown(inside(name).c_str(), owner_.uid, owner_.gid) == 0) return {};
  return errno_error(fmt::format("cannot give `{}` to its owner", inside(name)));
}

Result<void> LazyFolder::make() const {
  for (const char* folder : {"toc", "blobs", "files", "mnt"}) TRY(make_folders(inside(folder)));
  return {};
}

Result<void> LazyFolder::write_progress(const Progress& progress) const {
  TRY(write_file(inside("progress"),
                 fmt::format("{} {}\n", progress.there_bytes, progress.all_bytes)));
  return give_to_owner("progress");
}

Result<void> LazyFolder::write_server(const LazyServerMark& mark) const {
  TRY(write_file(inside("server"),
                 fmt::format("{}\n{} {}\n", mark.process, mark.owner.uid, mark.owner.gid)));
  return give_to_owner("server");
}

Result<void> LazyFolder::remove_server() const { return remove_file(inside("server")); }

std::optional<LazyServerMark> LazyFolder::find_server() const {
  const Result<std::string> text = read_file(inside("server"));
  if (!text.ok()) return std::nullopt;
  const std::size_t end = std::min(text->find('\n'), text->size());
  std::string_view rest = std::string_view(*text).substr(std::min(end + 1, text->size()));
  LazyServerMark mark{text->substr(0, end), {}};
  mark.owner.uid = static_cast<uid_t>(take_number(rest));
  mark.owner.gid = static_cast<gid_t>(take_number(rest));
  return mark;
}

LazyFolder::Progress LazyFolder::read_progress() const {
  const Result<std::string> text = read_file(inside("progress"));
  std::string_view rest = text.ok() ? std::string_view(*text) : std::string_view();
  const std::uint64_t there = take_number(rest);
  return {there, take_number(rest)};
}

Result<void> LazyFolder::write_record(const LazyRecord& record) const {
  TRY(make());
  Json json{{"schema", 1},
            {"reference", record.reference},
            {"insecure", record.trust == registry::Trust::Insecure},
            {"manifest", record.manifest.text()}};
  if (record.ids) {
    json["uid"] = record.ids->uid;
    json["gid"] = record.ids->gid;
  }
  return write_file(inside("record"), json.dump() + "\n", 0600);
}

Result<LazyRecord> LazyFolder::read_record() const {
  const std::string text = TRY(read_file(inside("record")));
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("schema", 0) != 1 || !json.contains("reference") ||
      !json["reference"].is_string()) {
    return make_error(ErrorKind::Corrupt, "`{}` is no record of an image that comes lazily",
                      inside("record"));
  }
  LazyRecord record;
  record.reference = json["reference"].get<std::string>();
  if (json.value("insecure", false)) record.trust = registry::Trust::Insecure;
  record.manifest = TRY(parse_digest(json.value("manifest", "")));
  if (json.contains("uid")) record.ids = ImageIds{json.value("uid", 0U), json.value("gid", 0U)};
  return record;
}

Result<void> LazyFolder::write_table(const Digest& blob, std::uint64_t toc_offset,
                                     std::string_view text) const {
  return write_file(inside("toc/" + blob.hex()), fmt::format("{}\n{}", toc_offset, text));
}

Result<LazyFolder::Table> LazyFolder::read_table(const Digest& blob) const {
  std::string text = TRY(read_file(inside("toc/" + blob.hex())));
  Table table;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), table.toc_offset);
  if (error != std::errc() || *end != '\n') {
    return make_error(ErrorKind::Corrupt, "`{}` is no table of contents",
                      inside("toc/" + blob.hex()));
  }
  table.text = text.substr(static_cast<std::size_t>(end + 1 - text.data()));
  return table;
}

Result<void> LazyFolder::link_tree(const std::string& target) const {
  const std::string fresh = tree() + ".new";
  TRY(remove_file(fresh));
  if (::symlink(target.c_str(), fresh.c_str()) != 0) {
    return errno_error(fmt::format("cannot make `{}`", fresh));
  }
  TRY(rename_path(fresh, tree()));
  return give_to_owner("tree");
}

bool LazyFolder::leads_to_merged_tree() const {
  return base_name(real_path(tree())) == base_name(path_);
}

bool LazyFolder::is_shown() const {
  struct statfs status {};
  if (::statfs(tree().c_str(), &status) != 0) return false;
  return status.f_type == FUSE_SUPER_MAGIC || leads_to_merged_tree();
}

Result<void> LazyFolder::remove_parts() const {
  for (const char* name : {"record", "server", "order", "progress"}) TRY(remove_file(inside(name)));
  for (const char* name : {"toc", "blobs", "files", "mnt"}) TRY(remove_tree(inside(name)));
  TRY(remove_file(inside("lock")));
  struct stat link {};
  return ::lstat(tree().c_str(), &link) == 0 ? Result<void>() : remove_tree(path_);
}

Result<void> LazyFolder::sweep(const store::Store& store, const std::set<Digest>& kept) {
  const std::string top = store.home() + "/lazy";
  if (!path_exists(top)) return {};
  for (const std::string& name : TRY(list_folder(top))) {
    const Result<Digest> chain = parse_digest(name);
    const std::string folder = join_path(top, name);
    if (!chain.ok() || kept.contains(*chain) || is_held(join_path(folder, "lock"))) continue;
    ::umount2(join_path(folder, "mnt").c_str(), MNT_DETACH);
    TRY(remove_tree(folder));
  }
  return {};
}

}  // namespace slipway::plan
