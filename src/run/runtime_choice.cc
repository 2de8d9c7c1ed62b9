#include "run/runtime_choice.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <chrono>

#include "base/clock.h"
#include "base/file.h"
#include "base/user_namespace.h"
#include "run/receipt.h"
#include "run/runtime_probe.h"

namespace slipway::run {
namespace {

constexpr std::chrono::hours kKept{1};

std::string place_of(const LifeRequest& life, const RuntimeProgram& program) {
  return join_path(parent_path(life.record.folder()), "runtime-refused." + base_name(program.path));
}

/// What a refusal holds for; empty where that cannot be told.
std::string mark_of(const LifeRequest& life, const RuntimeProgram& program) {
  const std::string file = file_mark(program.path);
  if (file.empty()) return "";
  utsname kernel{};
  ::uname(&kernel);
  return fmt::format("{} {} {} {} {} {}", file, kernel.release, kernel.version,
                     static_cast<int>(life.host.layout), in_user_namespace() ? "user" : "root",
                     static_cast<int>(life.request.network));
}

bool is_recent(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  const auto age = utc_now().time_since_epoch() - std::chrono::seconds(status.st_mtim.tv_sec);
  return age >= std::chrono::seconds(-1) && age < kKept;
}

Result<std::string> ask(const LifeRequest& life, const RuntimeProgram& program) {
  TRY(life.record.start_life());
  return probe_runtime({program, life.host, life.limits, life.request.network,
                        life.record.live("probe"), life.state.group, life.record.group_name()});
}

}  // namespace

std::string known_refusal(const LifeRequest& life, const RuntimeProgram& program) {
  const std::string path = place_of(life, program);
  const Result<std::string> noted = read_file(path);
  if (!noted.ok() || !is_recent(path)) return "";
  const std::string head = mark_of(life, program) + "\n";
  return head.size() > 1 && noted->starts_with(head) ? noted->substr(head.size()) : "";
}

Result<Refusal> find_refusal(const LifeRequest& life, const std::vector<RuntimeProgram>& programs) {
  Refusal refusal{TRY(ask(life, programs[0]))};
  if (refusal.message.empty()) return refusal;
  refusal.other_works = TRY(ask(life, programs[1])).empty();
  const std::string mark = mark_of(life, programs[0]);
  if (!refusal.other_works || mark.empty()) return refusal;
  const std::string path = place_of(life, programs[0]);
  (void)remove_file(path);
  (void)write_scratch_file(path, mark + "\n" + refusal.message);
  return refusal;
}

}  // namespace slipway::run
