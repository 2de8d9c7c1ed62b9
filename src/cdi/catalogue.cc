#include "cdi/catalogue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/io.h"
#include "base/nearest.h"

namespace slipway::cdi {
namespace {

Error unusable(std::string_view reason) { return make_error(ErrorKind::Denied, "{}", reason); }

Result<void> check_trust(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return unusable("it is no file");
  if (status.st_uid != 0 && status.st_uid != ::getuid()) {
    return unusable(fmt::format("it belongs to user {}, not to root or you", status.st_uid));
  }
  const bool is_open =
      (status.st_mode & S_IWOTH) != 0 || ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0);
  if (is_open) return unusable("others than its owner can write it: `chmod go-w` it");
  return {};
}

Result<Spec> read_spec(const std::string& path) {
  // A pipe there would be waited for.
  const UniqueFd file = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_error("cannot look at it");
  TRY(check_trust(status));
  constexpr off_t kMost = 1 << 20;
  if (status.st_size > kMost) return unusable("it is larger than a megabyte");
  FdSource source(file.get());
  StringSink sink;
  TRY(copy(source, sink));
  return parse_spec(sink.text);
}

/// In one line, as a reason within another error.
std::string one_line(const Error& error) {
  std::string text = error.message;
  for (const std::string& step : error.steps) text = fmt::format("{} (while {})", text, step);
  for (const std::string& hint : error.hints) text += "; " + hint;
  return text;
}

void read_folder(std::size_t number, Catalogue& catalogue) {
  const std::string& folder = catalogue.folders[number];
  if (!path_exists(folder)) return;
  const Result<std::vector<std::string>> names = list_folder(folder);
  if (!names.ok()) {
    catalogue.troubles.push_back({folder, one_line(names.error())});
    return;
  }
  for (const std::string& name : *names) {
    const std::string path = join_path(folder, name);
    if ((!name.ends_with(".json") && !name.ends_with(".yaml")) || is_folder(path)) continue;
    Result<Spec> spec = read_spec(path);
    if (spec.ok()) {
      catalogue.files.push_back({path, number, std::move(spec).value()});
    } else {
      catalogue.troubles.push_back({path, one_line(spec.error())});
    }
  }
}

struct Found {
  const SpecFile* file = nullptr;
  const Device* device = nullptr;
};

/// All places, those that count less first.
std::vector<Found> find_all(const Catalogue& catalogue, const QualifiedName& name) {
  std::vector<Found> found;
  for (const SpecFile& file : catalogue.files) {
    if (file.spec.kind != name.kind) continue;
    for (const Device& device : file.spec.devices) {
      if (device.name == name.device) found.push_back({&file, &device});
    }
  }
  return found;
}

/// As CDI's library has it: a name that is claimed twice in one folder stays unusable even where a
/// later folder has it too.
bool is_contested(const std::vector<Found>& found) {
  const auto same_folder = [](const Found& a, const Found& b) {
    return a.file->folder == b.file->folder;
  };
  return std::ranges::adjacent_find(found, same_folder) != found.end();
}

Error contested(const QualifiedName& name, const std::vector<Found>& found) {
  std::vector<std::string> paths;
  for (const Found& one : found) paths.push_back(one.file->path);
  return make_error(ErrorKind::InvalidInput, "several files define the CDI device `{}`",
                    name.text())
      .reason(fmt::format("it is in `{}`", fmt::join(paths, "` and `")))
      .hint("keep it in one of them");
}

std::string list_of(const Spec& spec) {
  constexpr std::size_t kMost = 12;
  std::vector<std::string> names;
  for (const Device& device : spec.devices) {
    if (names.size() == kMost) break;
    names.push_back("`" + device.name + "`");
  }
  const std::size_t more = spec.devices.size() - names.size();
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

Error missing(const Catalogue& catalogue, const QualifiedName& name) {
  Error error = make_error(ErrorKind::NotFound, "there is no CDI device `{}` here", name.text());
  std::vector<std::string> all;
  for (const SpecFile& file : catalogue.files) {
    for (const Device& device : file.spec.devices) {
      all.push_back(file.spec.kind + "=" + device.name);
    }
    if (file.spec.kind != name.kind) continue;
    error.because.push_back(
        fmt::format("`{}` defines of `{}`: {}", file.path, name.kind, list_of(file.spec)));
  }
  for (const Trouble& trouble : catalogue.troubles) {
    error.because.push_back(fmt::format("`{}` cannot be used: {}", trouble.path, trouble.reason));
  }
  if (error.because.empty()) {
    error.because.push_back(fmt::format("no file in `{}` defines a device of `{}`",
                                        fmt::join(catalogue.folders, "` or `"), name.kind));
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const auto nearest = find_nearest(name.text(), all);
  if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
  return error;
}

}  // namespace

std::vector<std::string> default_folders() { return {"/etc/cdi", "/var/run/cdi"}; }

Catalogue read_catalogue(std::vector<std::string> folders) {
  Catalogue catalogue;
  catalogue.folders = std::move(folders);
  for (std::size_t i = 0; i < catalogue.folders.size(); ++i) read_folder(i, catalogue);
  return catalogue;
}

bool has_device(const Catalogue& catalogue, const QualifiedName& name) {
  const std::vector<Found> found = find_all(catalogue, name);
  return !found.empty() && !is_contested(found);
}

Result<Selection> select_devices(const Catalogue& catalogue,
                                 const std::vector<std::string>& names) {
  Selection selection;
  for (const std::string& text : names) {
    const QualifiedName name = TRY(parse_qualified_name(text));
    const std::vector<Found> found = find_all(catalogue, name);
    if (found.empty()) return missing(catalogue, name);
    if (is_contested(found)) return contested(name, found);
    const Found& best = found.back();
    if (std::ranges::find(selection.files, best.file->path) == selection.files.end()) {
      selection.files.push_back(best.file->path);
      selection.edits.append(best.file->spec.edits);
    }
    selection.names.push_back(name.text());
    selection.edits.append(best.device->edits);
  }
  return selection;
}

}  // namespace slipway::cdi
