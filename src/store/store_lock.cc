#include "store/store_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <thread>
#include <vector>

#include "base/file.h"

namespace slipway::store {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

/// The first words of a process's command line.
std::string command_of(std::string_view pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/cmdline", pid));
  if (!text.ok()) return {};
  const std::size_t first_end = std::min(text->find('\0'), text->size());
  std::string command = base_name(std::string_view(*text).substr(0, first_end));
  if (first_end < text->size()) {
    command += " " + text->substr(first_end + 1, text->find('\0', first_end + 1) - first_end - 1);
  }
  return command;
}

}  // namespace

Result<bool> try_flock(int fd, LockMode mode, const std::string& shown) {
  const int operation = (mode == LockMode::Shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  while (::flock(fd, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return errno_error(fmt::format("cannot lock `{}`", shown));
  }
  return true;
}

Result<void> wait_for_flock(int fd, LockMode mode, const std::string& path, Reporter& reporter,
                            const CancelToken& cancel) {
  constexpr std::chrono::milliseconds kPause(10);
  constexpr int kPausesBeforeNote = 30;
  for (int pauses = 0;; ++pauses) {
    TRY(cancel.check());
    if (TRY(try_flock(fd, mode, path))) return {};
    if (pauses == kPausesBeforeNote) {
      reporter.note(fmt::format("waiting for {}, which uses the store", describe_holders(fd)));
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::string describe_holders(int fd) {
  struct stat status;
  const Result<std::string> locks = read_file("/proc/locks");
  if (!locks.ok() || ::fstat(fd, &status) != 0) return "another process";
  // "1: FLOCK  ADVISORY  READ 1234 fe:00:5678 0 EOF" (proc(5)); waiters have "->" in second place.
  const std::string inode = fmt::format(":{}", status.st_ino);
  std::vector<std::string> holders;
  std::string_view rest = *locks;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words.size() < 6 || words[1] != "FLOCK" || !words[5].ends_with(inode)) continue;
    const std::string command = command_of(words[4]);
    if (!command.empty()) holders.push_back(fmt::format("process {} (`{}`)", words[4], command));
  }
  if (holders.empty()) return "another process";
  return fmt::format("{}", fmt::join(holders, ", "));
}

Result<void> empty_folder(const std::string& folder) {
  Result<void> emptied;
  for (const std::string& name : TRY(list_folder(folder))) {
    const auto removed = remove_tree(join_path(folder, name));
    if (!removed.ok()) emptied = removed;
  }
  return emptied;
}

}  // namespace slipway::store
