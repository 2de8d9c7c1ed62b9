#include "plan/capture.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/file.h"

namespace slipway::plan {
namespace {

/// Folders in which a distribution keeps more than its Python.
bool is_shared(const std::string& prefix) {
  return prefix == "/" || prefix == "/usr" || prefix == "/usr/local";
}

std::string without_links(const std::string& path) {
  const std::string real = real_path(path);
  return real.empty() ? path : real;
}

/// Where links may lead: what distributions install, never somebody's home.
bool may_follow(const std::string& path, const CapturedPython& python) {
  for (const char* folder : {"/usr", "/lib", "/lib64", "/bin", "/etc/ssl/certs",
                             "/etc/alternatives", "/etc/pki/ca-trust/extracted"}) {
    if (is_within(path, folder)) return true;
  }
  return path.starts_with("/etc/python") || is_within(path, without_links(python.base_prefix));
}

class EnvironmentReader {
 public:
  EnvironmentReader(const CaptureRequest& request, const Tools& tools)
      : request_(request), tools_(tools) {}

  Result<Capture> read() {
    CapturedPython& python = capture_.python;
    python = TRY(request_.venv.empty()
                     ? ask_interpreter(request_.python, request_.library_path, tools_.cancel)
                     : ask_environment(request_.venv, request_.library_path, tools_.cancel));
    if (python.glibc.empty()) {
      return make_error(ErrorKind::Unsupported, "`{}` does not use the GNU C library",
                        python.executable)
          .hint("capture on a system with glibc: Debian, Ubuntu, Fedora, …");
    }
    TRY(add_python());
    for (const std::string& folder : request_.include) {
      const std::string path = TRY(absolute_path(folder));
      TRY(add_folder(path, [](const std::string&) { return false; }));
    }
    TRY(check_path());
    TRY(follow_links());  // before the system's: what links lead to may need libraries
    capture_.needs = TRY_WHILE("finding what the environment needs of the system",
                               add_system(capture_.tree, request_.library_path, tools_.cancel));
    capture_.dangling = TRY(follow_links());
    TRY(capture_.tree.hash_files(tools_.reporter, tools_.cancel));
    TRY(find_owners());
    return std::move(capture_);
  }

 private:
  Result<void> add_folder(const std::string& folder, const CapturedTree::Leave& leave) {
    TRY(capture_.tree.add_tree(folder, leave, tools_.cancel));
    folders_.push_back(without_links(folder));
    return {};
  }

  bool is_inside(const std::string& path) const {
    const std::string real = without_links(path);
    return std::any_of(folders_.begin(), folders_.end(),
                       [&](const std::string& folder) { return is_within(real, folder); });
  }

  Result<void> add_python() {
    const CapturedPython& python = capture_.python;
    std::set<std::string> sites;
    for (const std::string& folder : python.site_folders) sites.insert(without_links(folder));
    // An interpreter's own packages come along only where the environment sees them.
    const auto leave = [sites](const std::string& path) {
      const bool is_site = path.ends_with("/site-packages") || path.ends_with("/dist-packages");
      return (is_site && !sites.contains(path)) || path.ends_with(".a");
    };
    if (python.prefix != python.base_prefix) {
      TRY(add_folder(python.prefix, [](const std::string&) { return false; }));
      environment_.push_back(without_links(python.prefix));
    }
    if (is_shared(python.base_prefix)) {
      for (const std::string& folder : python.standard_library) TRY(add_folder(folder, leave));
    } else {
      TRY(add_folder(python.base_prefix, leave));
    }
    for (const std::string& folder : python.site_folders) {
      TRY(add_folder(folder, [](const std::string&) { return false; }));
    }
    environment_.insert(environment_.end(), sites.begin(), sites.end());
    for (const std::string& program : {python.executable, python.base_executable}) {
      TRY(capture_.tree.add(program));
    }
    for (const std::string& path : python.authorities) {
      if (!path.starts_with('/')) continue;
      if (is_folder(path)) {
        TRY(capture_.tree.add_tree(
            path, [](const std::string&) { return false; }, tools_.cancel));
      } else {
        TRY(capture_.tree.add(path));
      }
    }
    if (python.prefix == python.base_prefix) TRY(add_scripts(sites));
    return {};
  }

  /// The programs that packages put into an interpreter's own bin folder.
  Result<void> add_scripts(const std::set<std::string>& sites) {
    const std::string bin = capture_.python.prefix + "/bin";
    for (const std::string& site : sites) {
      for (const std::string& name : TRY(list_folder(site))) {
        const auto record = read_file(site + "/" + name + "/RECORD");
        if (!name.ends_with(".dist-info") || !record.ok()) continue;
        std::string_view text = *record;
        while (!text.empty()) {
          const std::string_view line = text.substr(0, text.find('\n'));
          text.remove_prefix(std::min(line.size() + 1, text.size()));
          const std::string path = find_record_path(site, line.substr(0, line.find(',')), {bin});
          if (!path.empty()) TRY(capture_.tree.add(path));
        }
      }
    }
    return {};
  }

  Result<void> check_path() {
    for (const std::string& entry : capture_.python.path) {
      if (!entry.starts_with('/') || !path_exists(entry) || is_inside(entry)) continue;
      std::string culprit = "sys.path";
      for (const std::string& site : capture_.python.site_folders) {
        for (const std::string& name : TRY(list_folder(site))) {
          if (!name.ends_with(".pth")) continue;
          const auto text = read_file(site + "/" + name);
          if (text.ok() && text->find(entry) != std::string::npos) culprit = site + "/" + name;
        }
      }
      return make_error(ErrorKind::InvalidInput,
                        "`{}` names `{}`, which is outside the environment", culprit, entry)
          .reason("an editable install, or a .pth file: what is in there may be anything")
          .hint("`--include " + entry + "` brings that folder along");
    }
    return {};
  }

  Result<std::vector<std::string>> follow_links() {
    const CapturedPython& python = capture_.python;
    return capture_.tree.follow_links(
        [&python](const std::string& path) { return may_follow(path, python); });
  }

  Result<void> find_owners() {
    std::vector<std::string> sites;
    for (const std::string& folder : capture_.python.site_folders) {
      const std::string real = without_links(folder);
      if (std::find(sites.begin(), sites.end(), real) == sites.end()) sites.push_back(real);
    }
    const std::vector<std::string> prefixes{without_links(capture_.python.prefix),
                                            without_links(capture_.python.base_prefix)};
    capture_.packages =
        TRY(find_captured_packages(capture_.tree, sites, prefixes,
                                   [this](const std::string& path) { return is_inside(path); }));
    for (const std::string& folder : request_.include) {
      const std::string path = TRY(absolute_path(folder));
      environment_.push_back(without_links(path));
    }
    for (const auto& [path, file] : capture_.tree.files()) {
      if (file.entry.kind == layer::EntryKind::Folder) continue;
      const bool is_environments =
          std::any_of(environment_.begin(), environment_.end(),
                      [&path = path](const auto& folder) { return is_within(path, folder); });
      if (is_environments && !capture_.packages.owners.contains(path)) {
        capture_.rest.push_back(path);
      }
    }
    return {};
  }

  const CaptureRequest& request_;
  const Tools& tools_;
  Capture capture_;
  std::vector<std::string> folders_;  ///< captured whole; without links
  std::vector<std::string>
      environment_;  ///< those of them that are the environment's, not Python's
};

}  // namespace

Result<Capture> read_capture(const CaptureRequest& request, const Tools& tools) {
  return EnvironmentReader(request, tools).read();
}

}  // namespace slipway::plan
