#include "plan/lazy_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

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
    : path_(store.home() + "/lazy/" + oci::chain_id(diff_ids).hex()) {}

std::string LazyFolder::inside(std::string_view name) const { return join_path(path_, name); }

bool LazyFolder::exists() const { return path_exists(inside("record")); }

bool LazyFolder::is_served() const { return is_held(inside("lock")); }

Result<void> LazyFolder::write_progress(const Progress& progress) const {
  return write_file(inside("progress"),
                    fmt::format("{} {}\n", progress.there_bytes, progress.all_bytes));
}

LazyFolder::Progress LazyFolder::read_progress() const {
  const Result<std::string> text = read_file(inside("progress"));
  std::string_view rest = text.ok() ? std::string_view(*text) : std::string_view();
  const std::uint64_t there = take_number(rest);
  return {there, take_number(rest)};
}

Result<void> LazyFolder::write_record(const LazyRecord& record) const {
  for (const char* folder : {"toc", "blobs", "files", "mnt"}) TRY(make_folders(inside(folder)));
  const Json json{{"schema", 1},
                  {"reference", record.reference},
                  {"insecure", record.trust == registry::Trust::Insecure},
                  {"manifest", record.manifest.text()}};
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
  return rename_path(fresh, tree());
}

Result<void> LazyFolder::remove_parts() const {
  for (const char* name : {"record", "order", "progress"}) TRY(remove_file(inside(name)));
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
