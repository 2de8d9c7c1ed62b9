#include "plan/captured_python.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"
#include "plan/captured_tree.h"

namespace slipway::plan {
namespace {

/// Runs in any Python from 3.6 on. The last line is the answer: .pth files may print.
constexpr const char* kQuestion = R"(
import json, os, platform, sys, sysconfig
paths = sysconfig.get_paths()
base = getattr(sys, "_base_executable", "") or sys.executable
library = [paths["stdlib"], paths["platstdlib"]]
library.append(sysconfig.get_config_var("DESTSHARED") or "")
library.append(os.path.dirname(os.__file__))
try:
    import ssl
    where = ssl.get_default_verify_paths()
    authorities = [where.openssl_cafile, where.openssl_capath]
except ImportError:
    authorities = []
print("\n" + json.dumps({
    "authorities": [a for a in authorities if a],
    "executable": sys.executable, "version": platform.python_version(), "prefix": sys.prefix,
    "base_prefix": sys.base_prefix, "base_executable": base, "library": library,
    "path": sys.path, "machine": platform.machine(), "libc": os.confstr("CS_GNU_LIBC_VERSION")
        if "CS_GNU_LIBC_VERSION" in os.confstr_names else ""}))
)";

Result<CapturedPython> ask(const std::string& program, const std::string& library_path,
                           const CancelToken& cancel) {
  ProcessOptions options;
  options.environment = interpreter_environment(library_path);
  options.working_folder = "/";
  options.cancel = cancel;
  const ProcessResult result = TRY(run_process({program, "-I", "-B", "-c", kQuestion}, options));
  TRY(cancel.check());
  if (result.status != 0) {
    const std::string said = result.error_output.substr(0, result.error_output.find('\n'));
    return make_error(ErrorKind::Unsupported, "the interpreter `{}` does not work: status {}",
                      program, result.status)
        .reason(said.empty() ? "it said nothing" : said)
        .hint(fmt::format("capture takes an environment that works: try `{} -I -c 1`", program));
  }
  std::string_view text = result.output;
  while (text.ends_with('\n')) text.remove_suffix(1);
  CapturedPython python = TRY(parse_python_answer(text.substr(text.rfind('\n') + 1)));
  python.library_path = library_path;
  return python;
}

}  // namespace

// What decides where the interpreter looks stays out; so does what is secret.
std::vector<std::string> interpreter_environment(const std::string& library_path) {
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                       "PYTHONDONTWRITEBYTECODE=1", "HOME=/nonexistent"};
  if (!library_path.empty()) environment.push_back("LD_LIBRARY_PATH=" + library_path);
  return environment;
}

Result<CapturedPython> parse_python_answer(std::string_view json) {
  const auto answer = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  CapturedPython python;
  const auto text = [&](const char* key, std::string& to) {
    if (!answer.is_object() || !answer.contains(key) || !answer[key].is_string()) return false;
    to = answer[key].get<std::string>();
    return true;
  };
  const auto texts = [&](const char* key, std::vector<std::string>& to) {
    if (!answer.contains(key) || !answer[key].is_array()) return false;
    for (const auto& one : answer[key]) {
      if (!one.is_string()) return false;
      to.push_back(one.get<std::string>());
    }
    return true;
  };
  std::string libc;
  std::vector<std::string> library;
  const bool is_whole = text("executable", python.executable) && text("version", python.version) &&
                        text("prefix", python.prefix) && text("base_prefix", python.base_prefix) &&
                        text("base_executable", python.base_executable) &&
                        text("machine", python.machine) && text("libc", libc) &&
                        texts("library", library) && texts("authorities", python.authorities) &&
                        texts("path", python.path);
  if (!is_whole || !python.prefix.starts_with('/') || !python.base_prefix.starts_with('/') ||
      !python.executable.starts_with('/')) {
    return make_error(ErrorKind::Corrupt, "the interpreter does not tell where it is");
  }
  if (libc.starts_with("glibc ")) python.glibc.assign(libc, 6);
  for (const std::string& folder : library) {
    auto& known = python.standard_library;
    if (!folder.starts_with('/') || !is_folder(folder)) continue;
    if (std::none_of(known.begin(), known.end(),
                     [&](const std::string& one) { return is_within(folder, one); })) {
      known.push_back(folder);
    }
  }
  for (const std::string& folder : python.path) {
    const bool is_site = folder.ends_with("/site-packages") || folder.ends_with("/dist-packages");
    if (is_site && folder.starts_with('/') && is_folder(folder)) {
      python.site_folders.push_back(folder);
    }
  }
  return python;
}

Result<CapturedPython> ask_environment(const std::string& venv, const std::string& library_path,
                                       const CancelToken& cancel) {
  const std::string folder = TRY(absolute_path(venv));
  if (!path_exists(folder + "/pyvenv.cfg")) {
    return make_error(ErrorKind::NotFound, "`{}` is no virtual environment: it has no pyvenv.cfg",
                      folder)
        .hint("`--python PROGRAM` captures an interpreter with its own packages");
  }
  const CapturedPython python = TRY(ask(folder + "/bin/python", library_path, cancel));
  if (python.prefix == python.base_prefix) {
    return make_error(ErrorKind::Unsupported,
                      "the interpreter of `{}` does not take it for its own", folder)
        .reason(fmt::format("its prefix is {}", python.prefix))
        .hint("make the environment anew, or repair its pyvenv.cfg");
  }
  return python;
}

Result<CapturedPython> ask_interpreter(const std::string& program, const std::string& library_path,
                                       const CancelToken& cancel) {
  std::string path = program;
  if (program.find('/') == std::string::npos) {
    const auto found = find_program(program);
    if (!found) return make_error(ErrorKind::NotFound, "there is no program `{}`", program);
    path = *found;
  }
  path = TRY(absolute_path(path));
  return ask(path, library_path, cancel);
}

}  // namespace slipway::plan
