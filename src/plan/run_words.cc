#include "plan/run_words.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"
#include "base/nearest.h"
#include "base/size_text.h"
#include "run/volumes.h"

namespace slipway::plan {
namespace {

Error bad_flag(std::string_view flag, std::string_view value, std::string hint) {
  return make_error(ErrorKind::InvalidInput, "`{} {}` cannot be read", flag, value)
      .hint(std::move(hint));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<run::Volume> parse_volume(const std::string& text, const std::string& folder,
                                 const std::string& store_folder) {
  static constexpr const char* kForm = "write `--volume HOST:INSIDE`, or `HOST:INSIDE:ro`";
  const std::size_t first = text.find(':');
  if (first == std::string::npos || first == 0) return bad_flag("--volume", text, kForm);
  const std::string source = text.substr(0, first);
  std::string target = text.substr(first + 1);
  run::Volume volume;
  if (const std::size_t second = target.find(':'); second != std::string::npos) {
    for (const std::string& option : split(std::string_view(target).substr(second + 1), ',')) {
      // SELinux's words change nothing here; the others are how volumes are mounted anyway.
      static constexpr std::array<std::string_view, 7> kSame{
          "z", "Z", "rprivate", "private", "nosuid", "nodev", "delegated"};
      if (option == "ro") {
        volume.access = run::Access::ReadOnly;
      } else if (option != "rw" && std::find(kSame.begin(), kSame.end(), option) == kSame.end()) {
        return bad_flag("--volume", text, kForm);
      }
    }
    target.resize(second);
  }
  if (!target.starts_with('/')) {
    return bad_flag("--volume", text, "the place inside is an absolute path, like `/workspace`");
  }
  if (source.find('/') == std::string::npos && source != "." && source != "..") {
    return bad_flag(
        "--volume", text,
        fmt::format("named volumes are not there yet; for the folder here write `./{}`", source));
  }
  volume.source = TRY(absolute_path(join_path(folder, source)));
  volume.target = std::move(target);
  TRY(run::check_volume_source(volume, volume.source, store_folder));
  if (!path_exists(volume.source)) {
    return make_error(ErrorKind::NotFound, "`{}` is not there to be mounted", volume.source)
        .hint(fmt::format("`mkdir {}` makes a folder", volume.source));
  }
  return volume;
}

Result<run::Tmpfs> parse_tmpfs(const std::string& text) {
  const std::size_t colon = text.find(':');
  run::Tmpfs tmpfs;
  tmpfs.target = text.substr(0, colon);
  if (!tmpfs.target.starts_with('/')) {
    return bad_flag("--tmpfs", text, "write `--tmpfs /path`, or `/path:size=64m,mode=1777`");
  }
  tmpfs.options = {"noexec"};
  if (colon == std::string::npos) return tmpfs;
  for (const std::string& option : split(std::string_view(text).substr(colon + 1), ',')) {
    static constexpr std::array<std::string_view, 6> kPlain{"rw",   "ro",     "noexec",
                                                            "exec", "nosuid", "nodev"};
    const bool is_plain = std::find(kPlain.begin(), kPlain.end(), option) != kPlain.end();
    if (option == "exec") {
      std::erase(tmpfs.options, "noexec");
    } else if (option.starts_with("size=")) {
      const std::uint64_t bytes = TRY(parse_size(option.substr(5)));
      tmpfs.options.push_back(fmt::format("size={}", bytes));
    } else if (is_plain || option.starts_with("mode=") || option.starts_with("uid=") ||
               option.starts_with("gid=")) {
      tmpfs.options.push_back(option);
    } else {
      return bad_flag("--tmpfs", text,
                      "its options are size, mode, uid, gid, ro, rw, exec, noexec");
    }
  }
  return tmpfs;
}

Result<run::DeviceWish> parse_device(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  run::DeviceWish wish;
  wish.source = parts[0];
  wish.target = parts.size() > 1 && parts[1].starts_with('/') ? parts[1] : parts[0];
  if (parts.size() > 1 && !parts.back().starts_with('/')) wish.access = parts.back();
  const bool is_good =
      parts.size() <= 3 && wish.source.starts_with("/dev/") && wish.target.starts_with("/dev/") &&
      wish.source.find("..") == std::string::npos && wish.target.find("..") == std::string::npos &&
      !wish.access.empty() && wish.access.find_first_not_of("rwm") == std::string::npos;
  if (!is_good) {
    return bad_flag("--device", text,
                    "write `--device /dev/x`, `/dev/x:/dev/y:rw` or `vendor.com/class=name`");
  }
  return wish;
}

Result<run::ResourceLimit> parse_ulimit(const std::string& text) {
  static constexpr std::array<std::string_view, 15> kTypes{
      "as",   "core",   "cpu",   "data", "fsize",  "locks",      "memlock", "msgqueue",
      "nice", "nofile", "nproc", "rss",  "rtprio", "sigpending", "stack"};
  const std::size_t equals = text.find('=');
  const std::string type = text.substr(0, equals);
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end() ||
      equals == std::string::npos) {
    return bad_flag(
        "--ulimit", text,
        fmt::format("write `--ulimit nofile=1024:2048`; there are {}", fmt::join(kTypes, ", ")));
  }
  const auto read = [](std::string_view number) -> std::optional<std::uint64_t> {
    if (number == "-1" || number == "unlimited") return RLIM_INFINITY;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    return value;
  };
  const std::vector<std::string> parts = split(std::string_view(text).substr(equals + 1), ':');
  const auto soft = read(parts[0]);
  const auto hard = parts.size() > 1 ? read(parts[1]) : soft;
  if (parts.size() > 2 || !soft || !hard || *soft > *hard) {
    return bad_flag("--ulimit", text, "write numbers, the soft limit first and no larger");
  }
  run::ResourceLimit limit{"", *soft, *hard};
  for (const char c : type) limit.type += static_cast<char>(c - 'a' + 'A');
  return limit;
}

std::pair<std::string, std::string> parse_label(const std::string& text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  return {text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
}

void set_variable(std::vector<std::string>& environment, const std::string& variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  for (std::string& known : environment) {
    if (known.starts_with(name)) {
      known = variable;
      return;
    }
  }
  environment.push_back(variable);
}

Result<std::vector<std::string>> read_environment_file(const std::string& path) {
  const std::string text = TRY_WHILE("reading `--env-file`", read_file(path));
  std::vector<std::string> variables;
  int number = 0;
  for (std::string& line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    line.erase(0, begin);
    const std::string name = line.substr(0, line.find('='));
    if (name.empty() || name.find_first_of(" \t") != std::string::npos ||
        line.find('\0') != std::string::npos) {
      return make_error(ErrorKind::InvalidInput, "line {} of `{}` is no variable", number, path)
          .hint("each line is `NAME=value`, or `NAME` to pass yours on; nothing is quoted");
    }
    variables.push_back(std::move(line));
  }
  return variables;
}

}  // namespace slipway::plan
