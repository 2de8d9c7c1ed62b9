#include "gpu/loader_configuration.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace slipway::gpu {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

class Reader {
 public:
  explicit Reader(const std::map<std::string, std::string>& files) : files_(files) {}

  void read(const std::string& path) {
    const auto file = files_.find(path);
    if (file == files_.end() || !seen_.insert(path).second) return;
    std::string_view text = file->second;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      read_line(text.substr(0, end));
      text = end == std::string_view::npos ? "" : text.substr(end + 1);
    }
  }
  std::vector<std::string> folders;

 private:
  void read_line(std::string_view line) {
    line = trim(line.substr(0, line.find('#')));
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    const std::string_view rest = trim(line.substr(word.size()));
    if (word == "include") return include(rest);
    if (word == "hwcap" || line.empty()) return;
    // One line may hold several folders; `=libc5` and the like after one is history.
    while (!line.empty()) {
      const std::string_view folder = line.substr(0, line.find_first_of(" \t,:"));
      const std::string plain(folder.substr(0, folder.find('=')));
      if (plain.starts_with('/')) folders.push_back(plain);
      line = line.size() == folder.size() ? "" : line.substr(folder.size() + 1);
    }
  }
  void include(std::string_view patterns) {
    while (!patterns.empty()) {
      const std::string_view word = patterns.substr(0, patterns.find_first_of(kBlanks));
      const std::string pattern = (word.starts_with('/') ? "" : "/etc/") + std::string(word);
      for (const auto& [path, text] : files_) {
        if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) read(path);
      }
      patterns = trim(patterns.substr(word.size()));
    }
  }

  const std::map<std::string, std::string>& files_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<std::string> read_configured_folders(const std::map<std::string, std::string>& files) {
  Reader reader(files);
  reader.read("/etc/ld.so.conf");
  return std::move(reader.folders);
}

}  // namespace slipway::gpu
