#include "run/remove_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/file.h"
#include "base/size_text.h"
#include "run/control.h"
#include "run/record.h"

namespace slipway::run {
namespace {

constexpr std::size_t kMostNamed = 3;
// What programs leave there is not meant to last; the last three are made for GPUs.
constexpr std::array<std::string_view, 10> kPassing{"/tmp",
                                                    "/var/tmp",
                                                    "/run",
                                                    "/var/run",
                                                    "/dev",
                                                    "/proc",
                                                    "/sys",
                                                    "/etc/ld.so.cache",
                                                    "/etc/ld.so.conf.d/000-slipway-driver.conf",
                                                    "/etc/ld.so.conf.d/001-slipway-cdi.conf"};

class Walk {
 public:
  Leftovers found;

  /// `fd` is a folder of the writable layer; links are not followed.
  void look_in(UniqueFd fd, const std::string& shown) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), ::closedir);
    if (!folder) return;
    const int place = fd.release();
    while (const dirent* entry = ::readdir(folder.get())) {
      const std::string name(entry->d_name);
      if (name == "." || name == "..") continue;
      look_at(place, name, shown + "/" + name);
    }
  }

 private:
  void look_at(int place, const std::string& name, const std::string& shown) {
    struct stat status {};
    if (std::find(kPassing.begin(), kPassing.end(), shown) != kPassing.end()) return;
    if (::fstatat(place, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISDIR(status.st_mode)) {
      UniqueFd fd(::openat(place, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (fd) look_in(std::move(fd), shown);
      return;
    }
    // Character devices are whiteouts; empty files are mostly what something was mounted on.
    if (!S_ISREG(status.st_mode) || status.st_size == 0) return;
    ++found.count;
    found.bytes += static_cast<std::uint64_t>(status.st_size);
    if (found.first.size() < kMostNamed) found.first.push_back(shown);
  }
};

Error has_leftovers(const KnownRun& run, const Leftovers& left) {
  std::string named = fmt::format("`{}`", fmt::join(left.first, "`, `"));
  if (left.count > left.first.size()) {
    named += fmt::format(" and {} more", left.count - left.first.size());
  }
  return make_error(ErrorKind::Denied, "the run `{}` holds {} {} ({}) outside volumes, and is kept",
                    run.facts.name, left.count, left.count == 1 ? "file" : "files",
                    size_text(left.bytes))
      .reason(named + " would be lost")
      .hint(fmt::format("they lie under `{}`; `slipway rm --discard {}` removes them too",
                        join_path(run.folder, "upper"), run.facts.name));
}

}  // namespace

Leftovers find_leftovers(const KnownRun& run) {
  Walk walk;
  Result<UniqueFd> upper = open_file(join_path(run.folder, "upper"), O_RDONLY | O_DIRECTORY);
  if (upper.ok()) walk.look_in(std::move(*upper), "");
  return std::move(walk.found);
}

Result<void> remove_run(const std::string& runs, const KnownRun& run, Stop stop, Discard discard) {
  // The lock of one that has just ended is waited for below.
  if (run.goes_on()) {
    if (stop == Stop::No) {
      return make_error(ErrorKind::Denied, "the run `{}` is running", run.facts.name)
          .hint(
              fmt::format("`slipway stop {0}` first, or `slipway rm --force {0}`", run.facts.name));
    }
    (void)TRY(stop_run(run, SIGKILL, 0));
  }
  const FileLock all = TRY(FileLock::lock(join_path(runs, "records.lock")));
  if (!is_folder(run.folder)) {
    if (run.facts.removes_itself) return {};
    return make_error(ErrorKind::NotFound, "the run `{}` is gone already", run.facts.name);
  }
  // The monitor lets go of it right after it has told us.
  const FileLock lock = TRY(FileLock::lock(join_path(run.folder, "lock")));
  wait_for_room(run.state);
  if (discard == Discard::No) {
    const Leftovers left = find_leftovers(run);
    if (left.count > 0) return has_leftovers(run, left);
  }
  return remove_record(runs, run.facts.id, run.facts.name);
}

}  // namespace slipway::run
