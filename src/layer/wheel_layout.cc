#include "layer/wheel_layout.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/file.h"
#include "layer/entry_points.h"

namespace slipway::layer {
namespace {

constexpr std::string_view kInstaller = "slipway\n";

/// PEP 503: lower case, and runs of `-`, `_`, `.` are one `-`.
std::string normalised(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool is_separator = c == '-' || c == '_' || c == '.';
    if (is_separator && text.ends_with('-')) continue;
    text.push_back(is_separator ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  return text;
}

/// What the wheel's maker compiled: valid, if at all, for the times of files there.
bool is_their_bytecode(const std::string& path) {
  return path.ends_with(".pyc") && base_name(parent_path(path)) == "__pycache__";
}

std::string_view top_folder(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

/// Where things go, relative to the root of the image and to each other.
struct Places {
  std::string prefix, site, scripts, headers;

  Places(const WheelLayerOptions& options, const std::string& package)
      : prefix(options.prefix.substr(1)) {
    const std::string python =
        fmt::format("python{}.{}", options.python_major, options.python_minor);
    site = fmt::format("{}/lib/{}/site-packages", prefix, python);
    scripts = prefix + "/bin";
    headers = fmt::format("{}/include/site/{}/{}", prefix, python, package);
  }
  /// As RECORD writes it: relative to site-packages.
  std::string record_path(std::string_view path) const {
    if (path.starts_with(site + "/")) return std::string(path.substr(site.size() + 1));
    return fmt::format("../../../{}", path.substr(prefix.size() + 1));
  }
};

class Reader {
 public:
  Reader(const ZipArchive& archive, const std::string& package, const WheelLayerOptions& options)
      : archive_(archive),
        package_(package),
        options_(options),
        places_(options, package),
        interpreter_(options.prefix + "/bin/python") {}

  Result<WheelLayout> read();

 private:
  Result<void> find_info_folder();
  Result<void> check_wheel_version() const;
  Result<std::optional<std::string>> read_info(std::string_view name) const;
  Result<void> place_members();
  Result<std::string> place(const ZipMember& member) const;
  bool is_replaced_script(const ZipMember& member, const std::string& path) const;
  Result<void> add_member(const ZipMember& member, std::string path);
  void add_commands();
  void add_record();
  Result<void> check_paths() const;

  const ZipArchive& archive_;
  const std::string& package_;
  const WheelLayerOptions& options_;
  const Places places_;
  const std::string interpreter_;
  std::string info_;  ///< `torch-2.6.0.dist-info`
  Record record_;     ///< of the wheel
  Commands commands_;
  std::map<std::string, std::size_t> by_path_;  ///< members' places in `layout_.files`
  std::map<std::string, InstalledFile> texts_;
  WheelLayout layout_;
};

Result<void> Reader::find_info_folder() {
  std::set<std::string> folders;
  for (const ZipMember& member : archive_.members()) {
    const std::string_view top = top_folder(member.name);
    if (top.ends_with(".dist-info")) folders.emplace(top);
  }
  if (folders.size() != 1) {
    return make_error(ErrorKind::Corrupt, "has {} `.dist-info` folders where there must be one",
                      folders.size());
  }
  info_ = *folders.begin();
  if (!normalised(info_).starts_with(normalised(package_))) {
    return make_error(ErrorKind::Corrupt, "is not of package `{}`: it holds `{}`", package_,
                      shown_name(info_));
  }
  return {};
}

Result<std::optional<std::string>> Reader::read_info(std::string_view name) const {
  const ZipMember* member = archive_.find_member(fmt::format("{}/{}", info_, name));
  if (member == nullptr) return std::optional<std::string>();
  return std::optional<std::string>(TRY(archive_.read_member(*member)));
}

Result<void> Reader::check_wheel_version() const {
  const std::optional<std::string> text = TRY(read_info("WHEEL"));
  if (!text) return make_error(ErrorKind::Corrupt, "has no `WHEEL` file");
  constexpr std::string_view kKey = "Wheel-Version:";
  const std::size_t at = text->starts_with(kKey) ? 0 : text->find("\n" + std::string(kKey));
  if (at == std::string::npos)
    return make_error(ErrorKind::Corrupt, "does not say its Wheel-Version");
  const std::size_t value = text->find_first_not_of(' ', text->find(':', at) + 1);
  if (value == std::string::npos || text->substr(value, 2) != "1.") {
    return make_error(ErrorKind::Corrupt,
                      "has a Wheel-Version other than 1, which nobody knows yet");
  }
  return {};
}

Result<std::string> Reader::place(const ZipMember& member) const {
  const std::string_view name = member.name;
  const std::string_view top = top_folder(name);
  if (!top.ends_with(".data")) return join_path(places_.site, name);
  const std::string_view inner = name.substr(top.size() + 1);
  const std::size_t slash = inner.find('/');
  const std::string_view scheme = inner.substr(0, slash);
  const std::map<std::string_view, std::string> folders{{"purelib", places_.site},
                                                        {"platlib", places_.site},
                                                        {"scripts", places_.scripts},
                                                        {"headers", places_.headers},
                                                        {"data", places_.prefix}};
  const auto folder = folders.find(scheme);
  if (slash == std::string_view::npos || folder == folders.end()) {
    return make_error(ErrorKind::Corrupt, "has a member `{}` in no scheme that wheels know",
                      shown_name(name));
  }
  return join_path(folder->second, inner.substr(slash + 1));
}

/// Wrappers that setuptools put beside the entry point of the same name: pip leaves them out.
bool Reader::is_replaced_script(const ZipMember& member, const std::string& path) const {
  const std::string_view name = member.name;
  const std::string_view top = top_folder(name);
  if (!top.ends_with(".data") || !name.substr(top.size() + 1).starts_with("scripts/")) return false;
  std::string base = base_name(path);
  for (const std::string_view suffix : {".exe", "-script.py", ".pya"}) {
    if (!base.ends_with(suffix)) continue;
    base.resize(base.size() - suffix.size());
    break;
  }
  return commands_.contains(base);
}

Result<void> Reader::add_member(const ZipMember& member, std::string path) {
  InstalledFile file;
  file.path = std::move(path);
  file.mode = member.is_executable() ? 0755 : 0644;
  if (const auto row = record_.find(member.name); row != record_.end()) {
    file.record_hash = row->second.hash;
  }
  const std::string_view top = top_folder(member.name);
  const bool is_script =
      top.ends_with(".data") && member.name.substr(top.size() + 1).starts_with("scripts/");
  if (is_script && TRY(archive_.read_start(member, 8)) == "#!python") {
    const std::string text = TRY(archive_.read_member(member));
    file.text = fmt::format("#!{}\n", interpreter_) +
                text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
    texts_[file.path] = std::move(file);
    return {};
  }
  const auto [old, is_new] = by_path_.emplace(file.path, layout_.files.size());
  if (is_new) {
    file.member = &member;
    layout_.files.push_back(std::move(file));
    return {};
  }
  const ZipMember& first = *layout_.files[old->second].member;
  if (first.crc32 == member.crc32 && first.size_bytes == member.size_bytes) return {};
  return make_error(ErrorKind::Corrupt, "puts both `{}` and `{}` at `/{}`", shown_name(first.name),
                    shown_name(member.name), file.path);
}

Result<void> Reader::place_members() {
  const std::set<std::string> written_anew{info_ + "/RECORD", info_ + "/INSTALLER"};
  for (const ZipMember& member : archive_.members()) {
    if (member.is_folder() || written_anew.contains(member.name)) continue;
    std::string path = TRY(place(member));
    if (is_replaced_script(member, path) || is_their_bytecode(path)) continue;
    TRY(add_member(member, std::move(path)));
  }
  return {};
}

void Reader::add_commands() {
  for (const auto& [name, entry] :
       fit_versioned_commands(commands_, options_.python_major, options_.python_minor)) {
    const std::string path = join_path(places_.scripts, name);
    texts_[path] = {path, 0755, nullptr, make_script(interpreter_, entry), {}};
  }
}

void Reader::add_record() {
  const std::string folder = join_path(places_.site, info_);
  const std::string installer = folder + "/INSTALLER", own = folder + "/RECORD";
  texts_[installer] = {installer, 0644, nullptr, std::string(kInstaller), {}};
  Record record;
  for (const InstalledFile& file : layout_.files) {
    const auto row = record_.find(file.member->name);
    record[places_.record_path(file.path)] = row == record_.end() ? RecordRow{} : row->second;
  }
  for (const auto& [path, file] : texts_) {
    record[places_.record_path(path)] = make_record_row(file.text);
  }
  record[places_.record_path(own)] = {};
  texts_[own] = {own, 0644, nullptr, write_record(record), {}};
}

Result<void> Reader::check_paths() const {
  std::set<std::string> paths, folders;
  for (const InstalledFile& file : layout_.files) {
    if (!paths.insert(file.path).second) {
      return make_error(ErrorKind::Corrupt, "brings `/{}`, which is written anew", file.path);
    }
    for (std::string folder = parent_path(file.path); folders.insert(folder).second;) {
      folder = parent_path(folder);
    }
  }
  for (const std::string& path : paths) {
    if (!folders.contains(path)) continue;
    return make_error(ErrorKind::Corrupt, "has `/{}` both as a file and as a folder", path);
  }
  return {};
}

Result<WheelLayout> Reader::read() {
  TRY(find_info_folder());
  TRY(check_wheel_version());
  const std::optional<std::string> record = TRY(read_info("RECORD"));
  if (!record) return make_error(ErrorKind::Corrupt, "has no `RECORD` file");
  record_ = TRY(parse_record(*record));
  if (const auto text = TRY(read_info("entry_points.txt"))) commands_ = TRY(parse_commands(*text));
  TRY(place_members());
  add_commands();
  add_record();
  for (auto& [path, file] : texts_) layout_.files.push_back(std::move(file));
  TRY(check_paths());
  return std::move(layout_);
}

}  // namespace

Result<WheelLayout> read_wheel_layout(const ZipArchive& archive, const std::string& package,
                                      const WheelLayerOptions& options) {
  SLIPWAY_CHECK(options.prefix.size() > 1 && options.prefix.starts_with('/'));
  Result<WheelLayout> layout = Reader(archive, package, options).read();
  if (layout.ok()) return layout;
  Error error = std::move(layout).error();
  // What came from the archive names the wheel already.
  return error.message.starts_with("wheel `") ? std::move(error) : archive.blame(std::move(error));
}

}  // namespace slipway::layer
