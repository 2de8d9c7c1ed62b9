#include "base/user_namespace.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/file.h"
#include "base/mapped_root.h"
#include "base/process.h"

namespace slipway {
namespace {

// Debian's base has ids up to 65534 (nobody).
constexpr std::uint32_t kFewestIds = 65535;

bool parse_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string_view take_field(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view field = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return field;
}

std::string user_name(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  (void)::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? fmt::format("{}", user) : std::string(entry.pw_name);
}

Error no_ranges(const std::string& file, const std::string& name, std::uint64_t have) {
  Error error = have == 0
                    ? make_error(ErrorKind::Unsupported, "user `{}` has no subordinate ids in `{}`",
                                 name, file)
                    : make_error(ErrorKind::Unsupported,
                                 "user `{}` has only {} subordinate ids in `{}`; 65536 are needed",
                                 name, have, file);
  error.hints.push_back(fmt::format(
      "as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}` (a range that "
      "no other user has), or run slipway as root",
      name));
  return error;
}

Result<std::vector<IdRange>> read_ranges(const std::string& file, const std::string& name,
                                         uid_t user) {
  const Result<std::string> text = read_file(file);
  std::vector<IdRange> ranges;
  if (text.ok()) ranges = parse_subordinate_ranges(*text, name, user);
  std::uint64_t total = 0;
  for (const IdRange& range : ranges) total += range.count;
  if (total < kFewestIds) return no_ranges(file, name, total);
  return ranges;
}

Result<std::string> find_helper(std::string_view name) {
  const std::optional<std::string> path = find_program(name);
  if (path) return *path;
  return make_error(ErrorKind::Unsupported, "`{}` is not installed, and only root can do without",
                    name)
      .hint("as root: `apt-get install uidmap`, or run slipway as root");
}

std::vector<std::string> helper_arguments(const std::string& program,
                                          const std::vector<IdMapping>& map) {
  std::vector<std::string> arguments{program, fmt::format("{}", ::getpid())};
  for (const IdMapping& line : map) {
    for (const std::uint32_t number : {line.inside, line.outside, line.count}) {
      arguments.push_back(fmt::format("{}", number));
    }
  }
  return arguments;
}

/// A process outside the new namespace: waits for a byte, then maps our ids. Its answer is an empty
/// text, or what went wrong. There is one thread only, so the child may do as it likes.
class Mapper {
 public:
  static Result<Mapper> start(std::vector<std::vector<std::string>> commands) {
    int go[2];
    int answer[2];
    if (::pipe2(go, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
    Mapper mapper;
    const UniqueFd go_read(go[0]);
    mapper.go_.reset(go[1]);
    if (::pipe2(answer, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
    mapper.answer_.reset(answer[0]);
    const UniqueFd answer_write(answer[1]);
    mapper.pid_ = ::fork();
    if (mapper.pid_ < 0) return errno_error("cannot start a helper process");
    if (mapper.pid_ == 0) {
      mapper.go_.reset();
      char byte = 0;
      if (::read(go_read.get(), &byte, 1) == 1) {
        for (const std::vector<std::string>& command : commands) {
          const Result<std::string> done = run_for_output(command);
          if (done.ok()) continue;
          std::string text = done.error().message;
          for (const std::string& reason : done.error().because) text += ": " + reason;
          (void)!::write(answer_write.get(), text.data(), text.size());
          ::_exit(1);
        }
      }
      ::_exit(0);
    }
    return mapper;
  }
  Mapper() = default;
  Mapper(Mapper&&) = default;
  Mapper& operator=(Mapper&&) = delete;

  Result<void> map() {
    (void)!::write(go_.get(), "", 1);
    const Result<std::string> said = finish();
    if (!said.ok()) return said.error();
    if (said->empty()) return {};
    return make_error(ErrorKind::Unsupported, "cannot map the user ids")
        .reason(*said)
        .hint(
            "`newuidmap` must be setuid root (package `uidmap`), and /etc/subuid and /etc/subgid "
            "must grant the ranges");
  }
  /// Without `map` before: the helper ends without doing anything.
  Result<std::string> finish() {
    go_.reset();
    FdSource source(answer_.get());
    StringSink sink;
    TRY(copy(source, sink));
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::move(sink.text);
  }

 private:
  UniqueFd go_;
  UniqueFd answer_;
  pid_t pid_ = -1;
};

Result<NamespaceInfo> stay_root(const UserNamespaceRequest& request) {
  if (request.mounts == UserNamespaceRequest::Mounts::Private) {
    if (::unshare(CLONE_NEWNS) != 0) return no_namespaces("cannot make a mount namespace", errno);
    TRY(become_private());
  }
  return NamespaceInfo{};
}

}  // namespace

std::vector<IdRange> parse_subordinate_ranges(std::string_view text, std::string_view user,
                                              uid_t user_id) {
  std::vector<IdRange> ranges;
  while (!text.empty()) {
    std::string_view line = take_field(text, '\n');
    const std::string_view owner = take_field(line, ':');
    const std::string_view first = take_field(line, ':');
    IdRange range;
    std::uint32_t owner_id = 0;
    const bool is_ours =
        (!user.empty() && owner == user) || (parse_number(owner, owner_id) && owner_id == user_id);
    if (!is_ours || !parse_number(first, range.first) || !parse_number(line, range.count)) continue;
    if (range.count == 0 || range.first > UINT32_MAX - range.count) continue;
    if (std::find(ranges.begin(), ranges.end(), range) == ranges.end()) ranges.push_back(range);
  }
  return ranges;
}

std::vector<IdMapping> make_id_map(const std::vector<IdRange>& ranges, std::uint32_t caller,
                                   std::uint32_t image_id) {
  std::vector<IdMapping> map;
  std::uint32_t inside = 0;
  bool is_caller_in = false;
  const auto add_caller = [&] {
    map.push_back({image_id, caller, 1});
    is_caller_in = true;
  };
  for (IdRange range : ranges) {
    range.count = std::min(range.count, UINT32_MAX - 1 - inside);
    if (!is_caller_in && image_id - inside <= range.count) {
      const std::uint32_t before = image_id - inside;
      if (before > 0) map.push_back({inside, range.first, before});
      add_caller();
      inside = image_id + 1;
      range.first += before;
      range.count -= before;
    }
    if (range.count > 0) map.push_back({inside, range.first, range.count});
    inside += range.count;
  }
  if (!is_caller_in) add_caller();
  return map;
}

namespace {

struct IdMaps {
  std::vector<IdMapping> users, groups;
  std::vector<std::vector<std::string>> commands;  ///< that write them
};

Result<IdMaps> find_many_ids(const UserNamespaceRequest& request, uid_t user, gid_t group) {
  const std::string name = user_name(user);
  const std::string map_users = TRY(find_helper("newuidmap"));
  const std::string map_groups = TRY(find_helper("newgidmap"));
  IdMaps maps;
  maps.users = make_id_map(TRY(read_ranges("/etc/subuid", name, user)), user, request.image_uid);
  maps.groups = make_id_map(TRY(read_ranges("/etc/subgid", name, user)), group, request.image_gid);
  maps.commands = {helper_arguments(map_users, maps.users),
                   helper_arguments(map_groups, maps.groups)};
  return maps;
}

Result<void> write_whole(const char* path, const std::string& text) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY));
  if (::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return errno_error(fmt::format("cannot write `{}`", path));
}

/// What everybody may map (user_namespaces(7)): himself, and no group but his own.
Result<void> map_one_id(uid_t user, gid_t group) {
  TRY(write_whole("/proc/self/setgroups", "deny"));
  TRY(write_whole("/proc/self/uid_map", fmt::format("0 {} 1", user)));
  return write_whole("/proc/self/gid_map", fmt::format("0 {} 1", group));
}

Result<NamespaceInfo> map_one_and_become_root(uid_t user, gid_t group) {
  TRY_WHILE("mapping the user id", map_one_id(user, group));
  TRY(become_mapped_root());
  return NamespaceInfo{true, 0, 0, {{0, user, 1}}, {{0, group, 1}}};
}

}  // namespace

Result<void> check_ids(const UserNamespaceRequest& request) {
  if (::geteuid() == 0 || request.ids == UserNamespaceRequest::Ids::OneIsEnough) return {};
  const Result<IdMaps> maps = find_many_ids(request, ::geteuid(), ::getegid());
  return maps.ok() ? Result<void>() : maps.error();
}

Result<NamespaceInfo> enter_user_namespace(const UserNamespaceRequest& request) {
  if (::geteuid() == 0) return stay_root(request);
  const std::vector<std::string> threads = TRY(list_folder("/proc/self/task"));
  if (threads.size() != 1) {
    return make_error(ErrorKind::Unsupported,
                      "a user namespace can be entered only before threads are started");
  }
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  Result<IdMaps> maps = find_many_ids(request, user, group);
  if (!maps.ok() && request.ids == UserNamespaceRequest::Ids::Many) return maps.error();
  if (!maps.ok()) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) return map_one_and_become_root(user, group);
    return no_namespaces("cannot make a user namespace", errno);
  }
  Mapper mapper = TRY(Mapper::start(maps->commands));
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    const int error_number = errno;
    (void)mapper.finish();
    return no_namespaces("cannot make a user namespace", error_number);
  }
  const Result<void> mapped = mapper.map();
  if (!mapped.ok() && request.ids == UserNamespaceRequest::Ids::OneIsEnough) {
    // newuidmap may not act here (no_new_privs, no set-user-id bit).
    return map_one_and_become_root(user, group);
  }
  TRY(mapped);
  TRY(become_mapped_root());
  return NamespaceInfo{true, request.image_uid, request.image_gid, std::move(maps->users),
                       std::move(maps->groups)};
}

namespace {

/// The first line of a uid_map.
IdMapping first_mapping(std::string_view rest) {
  std::uint32_t fields[3] = {};
  for (std::uint32_t& field : fields) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
    const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
    if (!parse_number(rest.substr(0, end), field)) return {};
    rest.remove_prefix(end);
  }
  return {fields[0], fields[1], fields[2]};
}

}  // namespace

bool in_user_namespace() {
  const Result<std::string> map = read_file("/proc/self/uid_map");
  return map.ok() && first_mapping(*map) != IdMapping{0, 0, UINT32_MAX};
}

bool has_one_id(const std::string& process) {
  const Result<std::string> map = read_file(fmt::format("/proc/{}/uid_map", process));
  return map.ok() && first_mapping(*map).count == 1 && std::ranges::count(*map, '\n') == 1;
}

}  // namespace slipway
