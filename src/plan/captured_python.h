/// The interpreter of an environment, asked about itself: where it is, what it imports from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::plan {

struct CapturedPython {
  std::string executable;   ///< as it is called: `/srv/venv/bin/python`
  std::string version;      ///< "3.11.7"
  std::string prefix;       ///< of the environment; base_prefix where it is none
  std::string base_prefix;  ///< of the interpreter
  std::string base_executable;
  std::vector<std::string> standard_library;  ///< folders, without doubles
  std::vector<std::string> site_folders;      ///< existing ones of sys.path that hold packages
  std::vector<std::string> path;              ///< sys.path of a script, without its own folder
  std::vector<std::string> authorities;       ///< where its OpenSSL looks: a file, a folder
  std::string machine;                        ///< "x86_64"
  std::string glibc;                          ///< "2.36"
  std::string library_path;                   ///< LD_LIBRARY_PATH that it was asked with
  bool operator==(const CapturedPython&) const = default;
};

/// What the interpreter is run with: nothing of the caller's but LD_LIBRARY_PATH, where not empty.
std::vector<std::string> interpreter_environment(const std::string& library_path);

/// Runs the environment's own interpreter, isolated from the caller's variables (but
/// LD_LIBRARY_PATH, which is given), user packages and working folder; it writes nothing. `venv` is
/// a folder with a pyvenv.cfg. NotFound where it is none, Unsupported where its interpreter does
/// not start or is older than 3.6.
Result<CapturedPython> ask_environment(const std::string& venv, const std::string& library_path,
                                       const CancelToken& cancel);

/// The same for an interpreter and its own site-packages: a path, or a name in PATH.
Result<CapturedPython> ask_interpreter(const std::string& program, const std::string& library_path,
                                       const CancelToken& cancel);

/// The answer of the question that both ask. Corrupt where it is none. Pure.
Result<CapturedPython> parse_python_answer(std::string_view json);

}  // namespace slipway::plan
