#include "gpu/host_view.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/file.h"
#include "gpu/host_finding.h"

namespace slipway::gpu {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The value of `KEY=value` or `KEY="value"` in os-release(5).
std::string value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=') continue;
    line = trimmed(line.substr(key.size() + 1));
    if (line.size() > 1 && line.front() == '"' && line.back() == '"') {
      line = line.substr(1, line.size() - 2);
    }
    return std::string(line);
  }
  return {};
}

Distribution::Family family_of(const std::string& words) {
  using Family = Distribution::Family;
  struct Word {
    const char* word;
    Family family;
  };
  for (const Word& known :
       {Word{"debian", Family::Debian}, Word{"ubuntu", Family::Debian},
        Word{"fedora", Family::Fedora}, Word{"rhel", Family::Fedora},
        Word{"centos", Family::Fedora}, Word{"suse", Family::Suse}, Word{"arch", Family::Arch}}) {
    if (words.find(known.word) != std::string::npos) return known.family;
  }
  return Family::Other;
}

}  // namespace

const char* severity_name(Severity severity) {
  constexpr std::array<const char*, 4> kNames{"ok", "note", "warning", "broken"};
  return kNames.at(static_cast<std::size_t>(severity));
}

Caller Caller::current() {
  Caller caller{::geteuid(), ::getegid(), {}, {}};
  const int count = ::getgroups(0, nullptr);
  caller.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (count > 0) (void)::getgroups(count, caller.groups.data());
  const passwd* const entry = ::getpwuid(caller.uid);
  caller.name = entry != nullptr ? entry->pw_name : fmt::format("{}", caller.uid);
  return caller;
}

std::string HostView::at(std::string_view path) const {
  return is_live() ? std::string(path) : root + std::string(path);
}

bool HostView::has(std::string_view path) const {
  struct stat status {};
  return ::lstat(at(path).c_str(), &status) == 0;
}

std::string HostView::text(std::string_view path) const {
  const Result<std::string> text = read_file(at(path));
  return text.ok() ? std::string(trimmed(*text)) : std::string();
}

std::vector<std::string> HostView::names(std::string_view folder) const {
  const std::string path = at(folder);
  if (!is_folder(path)) return {};
  Result<std::vector<std::string>> names = list_folder(path);
  return names.ok() ? std::move(*names) : std::vector<std::string>();
}

std::string HostView::link_name(std::string_view path) const {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(at(path).c_str(), target.data(), target.size());
  return size > 0 ? base_name({target.data(), static_cast<std::size_t>(size)}) : std::string();
}

long long number_in(const HostView& host, std::string_view path) {
  const std::string text = host.text(path);
  long long number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

Distribution read_distribution(const HostView& host) {
  std::string text = host.text("/etc/os-release");
  if (text.empty()) text = host.text("/usr/lib/os-release");
  Distribution found{value_of(text, "ID"), value_of(text, "PRETTY_NAME"), {}};
  found.family = family_of(found.id + " " + value_of(text, "ID_LIKE"));
  return found;
}

std::string install_command(const Distribution& distribution, std::string_view debian_package,
                            std::string_view fedora_package) {
  switch (distribution.family) {
    case Distribution::Family::Fedora:
      return fmt::format("sudo dnf install {}", fedora_package);
    case Distribution::Family::Suse:
      return fmt::format("sudo zypper install {}", fedora_package);
    case Distribution::Family::Arch:
      return fmt::format("sudo pacman -S {}", fedora_package);
    case Distribution::Family::Debian:
    case Distribution::Family::Other:
      break;
  }
  return fmt::format("sudo apt-get install {}", debian_package);
}

}  // namespace slipway::gpu
