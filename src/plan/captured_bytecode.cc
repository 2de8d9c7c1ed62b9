#include "plan/captured_bytecode.h"

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "base/threads.h"
#include "layer/bytecode_script.h"

namespace slipway::plan {
namespace {

Result<void> compile(const CapturedPython& python, const CapturedSources& sources,
                     const std::string& output, const CancelToken& cancel) {
  ProcessOptions options;
  options.environment = interpreter_environment(python.library_path);
  options.environment->emplace_back("PYTHONHASHSEED=0");
  options.working_folder = output;
  options.cancel = cancel;
  for (const std::string& path : sources.paths) options.input += path.substr(1) + "\n";
  options.input += "\n";
  // Not -I, which overlooks the hash seed: up to 3.10 it decides the order of constant sets.
  const std::vector<std::string> arguments{python.base_executable,
                                           "-s",
                                           "-S",
                                           "-B",
                                           "-W",
                                           "ignore",
                                           "-X",
                                           "utf8",
                                           "-c",
                                           std::string(layer::kBytecodeScript),
                                           sources.folder,
                                           output};
  const ProcessResult result = TRY(run_process(arguments, options));
  TRY(cancel.check());
  if (result.status == 0) return {};
  const std::string& said = result.error_output;
  return make_error(ErrorKind::Io, "`{}` ended with status {} while it made bytecode",
                    python.base_executable, result.status)
      .reason(said.substr(said.size() > 2000 ? said.size() - 2000 : 0))
      .hint("`--no-bytecode` does without: first imports take longer");
}

Result<void> add_entries(const std::string& output, const std::string& folder,
                         std::vector<layer::Entry>& entries) {
  for (const std::string& name : TRY(list_folder(join_path(output, folder)))) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    if (is_folder(join_path(output, path))) {
      TRY(add_entries(output, path, entries));
      continue;
    }
    layer::Entry entry;
    entry.path = path;
    entry.content = layer::HostFile{join_path(output, path)};
    entries.push_back(std::move(entry));
  }
  return {};
}

}  // namespace

bool has_hash_bytecode(const CapturedPython& python) {
  return !python.version.starts_with("3.6.") && !python.version.starts_with("2.");
}

std::vector<std::string> find_sources(const CapturedTree& tree,
                                      const std::vector<std::string>& paths) {
  std::vector<std::string> sources;
  for (const std::string& path : paths) {
    const auto file = tree.files().find(path);
    const bool is_file =
        file != tree.files().end() && file->second.entry.kind == layer::EntryKind::File;
    if (!is_file || !path.ends_with(".py") || base_name(parent_path(path)) == "bin") continue;
    if (path.find('\n') == std::string::npos) sources.push_back(path);
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

Result<std::vector<std::vector<layer::Entry>>> compile_captured(
    const CapturedPython& python, std::span<const CapturedSources> sources,
    const std::string& output, Reporter& reporter, const CancelToken& cancel) {
  std::vector<std::vector<layer::Entry>> entries(sources.size());
  const auto work = [&](std::size_t i, const CancelToken& stop) -> Result<void> {
    if (sources[i].paths.empty()) return {};
    // Folders of their own: two interpreters would get in each other's way making them.
    const std::string folder = fmt::format("{}/{}", output, i);
    TRY(make_folders(folder));
    const Reporter::TaskId task = reporter.start("compiling", sources[i].label, 0);
    const auto done = compile(python, sources[i], folder, stop);
    reporter.finish(task);
    TRY(done);
    return add_entries(folder, "", entries[i]);
  };
  TRY(for_each_parallel(sources.size(), usable_cores(), cancel, work));
  return entries;
}

}  // namespace slipway::plan
