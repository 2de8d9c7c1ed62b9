#include "run/run_list.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/nearest.h"

namespace slipway::run {
namespace {

constexpr std::size_t kIdDigits = 32;

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// Nothing where the record is just being made or removed.
Result<std::optional<KnownRun>> read_run(const std::string& folder) {
  KnownRun run;
  run.folder = folder;
  // Before the state: who dies in between is seen as alive for once, never the reverse.
  run.is_alive = is_alive(folder);
  const Result<std::string> facts = read_file(join_path(folder, "run.json"));
  const Result<std::string> state = read_file(join_path(folder, "state.json"));
  for (const Result<std::string>* text : {&facts, &state}) {
    if (text->ok()) continue;
    if (text->error().kind == ErrorKind::NotFound) return std::optional<KnownRun>();
    return text->error();
  }
  run.facts = TRY_WHILE(fmt::format("reading `{}`", folder), parse_run_facts(*facts));
  run.state = TRY_WHILE(fmt::format("reading `{}`", folder), parse_run_state(*state));
  if (!run.is_alive && run.state.status != RunStatus::Exited) {
    run.state.status = RunStatus::Lost;
    run.state.exit_status = 137;
  }
  return std::optional(std::move(run));
}

Error several(std::string_view word, const std::vector<std::string>& ids) {
  std::vector<std::string> shown;
  for (const std::string& id : ids)
    shown.push_back(id.substr(0, std::max<std::size_t>(12, word.size() + 2)));
  return make_error(ErrorKind::InvalidInput, "`{}` is the beginning of several ids", word)
      .hint(fmt::format("they are `{}`", fmt::join(shown, "`, `")));
}

}  // namespace

bool is_alive(const std::string& run_folder) {
  const UniqueFd lock(::open(join_path(run_folder, "lock").c_str(), O_RDONLY | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
}

Result<std::vector<KnownRun>> list_runs(const std::string& runs) {
  std::vector<KnownRun> list;
  if (!is_folder(runs)) return list;
  for (const std::string& name : TRY(list_folder(runs))) {
    if (!is_id(name)) continue;
    std::optional<KnownRun> run = TRY(read_run(join_path(runs, name)));
    if (run) list.push_back(std::move(*run));
  }
  std::stable_sort(list.begin(), list.end(), [](const KnownRun& one, const KnownRun& other) {
    return one.facts.created > other.facts.created;
  });
  return list;
}

Result<KnownRun> find_run(const std::string& runs, std::string_view word) {
  std::vector<std::string> ids;
  std::vector<std::string> names;
  if (is_folder(runs)) ids = TRY(list_folder(runs));
  std::erase_if(ids, [](const std::string& name) { return !is_id(name); });
  const Result<std::vector<std::string>> listed = list_folder(join_path(runs, "names"));
  if (listed.ok()) names = *listed;

  std::string id;
  if (std::find(names.begin(), names.end(), word) != names.end()) {
    char target[kIdDigits + 1];
    const ssize_t size =
        ::readlink(fmt::format("{}/names/{}", runs, word).c_str(), target, sizeof target);
    if (size == kIdDigits) id.assign(target, kIdDigits);
  }
  if (is_id(word)) id = word;
  if (id.empty() && !word.empty()) {
    std::vector<std::string> matching;
    for (const std::string& one : ids) {
      if (one.starts_with(word)) matching.push_back(one);
    }
    if (matching.size() > 1) return several(word, matching);
    if (matching.size() == 1) id = matching.front();
  }
  if (!id.empty()) {
    std::optional<KnownRun> run = TRY(read_run(join_path(runs, id)));
    if (run) return std::move(*run);
  }
  Error error = make_error(ErrorKind::NotFound, "there is no run `{}`", word);
  const auto nearest = find_nearest(word, names);
  error.hints.push_back(nearest.empty() ? "`slipway ps -a` lists them" : did_you_mean(nearest));
  return error;
}

}  // namespace slipway::run
