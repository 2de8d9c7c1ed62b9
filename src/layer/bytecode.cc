#include "layer/bytecode.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <set>

#include "base/file.h"
#include "layer/bytecode_script.h"

namespace slipway::layer {
namespace {

constexpr std::string_view kMaking = "making";
constexpr std::time_t kDay = 24 * 60 * 60;

/// Paths of the plain files below `folder`, relative to it, sorted by folder.
Result<void> list_files(const std::string& folder, const std::string& prefix,
                        std::vector<std::string>& paths) {
  for (const auto& name : TRY(list_folder(folder))) {
    const auto path = join_path(folder, name);
    const auto relative = prefix.empty() ? name : prefix + "/" + name;
    if (is_folder(path)) {
      TRY(list_files(path, relative, paths));
    } else {
      paths.push_back(relative);
    }
  }
  return {};
}

Result<BytecodeTree> read_tree(const std::string& folder) {
  BytecodeTree tree{folder, {}};
  TRY(list_files(folder, "", tree.paths));
  std::sort(tree.paths.begin(), tree.paths.end());
  return tree;
}

/// The base below an overlay in `folder`: the room's folders are made there.
Result<void> cover_base(const BytecodeOptions& options, const std::string& folder,
                        SandboxRequest& room) {
  SandboxOverlay overlay;
  overlay.lowers = options.base_folders;
  overlay.upper = join_path(folder, "upper");
  overlay.work = join_path(folder, "work");
  room.root = join_path(folder, "root");
  for (const std::string& path : {overlay.upper, overlay.work, room.root}) TRY(make_folders(path));
  room.overlay = {std::move(overlay)};
  return {};
}

Result<void> compile_wheel(const BytecodeInput& wheel, const BytecodeOptions& options,
                           const std::string& folder, const CancelToken& cancel) {
  auto sources = wheel.sources;
  std::sort(sources.begin(), sources.end());
  auto temporary = TRY(TemporaryFolder::create(options.output_folder, kMaking));
  if (!sources.empty()) {
    SandboxRequest room;
    std::optional<TemporaryFolder> cover;
    if (options.tree == BytecodeOptions::Tree::Foreign) {
      cover.emplace(TRY(TemporaryFolder::create(options.scratch_folder, "python")));
      TRY(cover_base(options, cover->path(), room));
    } else {
      room.root = options.base_folders.front();
    }
    // base-files brings /mnt and /srv, and nothing is in them: the base's tree does not change.
    room.binds = {{wheel.tree_folder, "/mnt", SandboxBind::Access::ReadOnly},
                  {temporary.path(), "/srv", SandboxBind::Access::ReadWrite}};
    const auto interpreter =
        options.interpreter_path.empty()
            ? fmt::format("/usr/bin/python{}.{}", options.python_major, options.python_minor)
            : options.interpreter_path;
    TRY_WHILE(fmt::format("compiling {}", wheel.name),
              compile_in_sandbox(std::move(room), interpreter, "/mnt", "/srv", sources, cancel));
  }
  const auto renamed = rename_path(temporary.path(), folder);
  if (renamed) temporary.keep();
  // Another build was quicker: its bytes are the same.
  return path_exists(folder) ? Result<void>() : renamed;
}

}  // namespace

void sweep_bytecode(const std::string& output_folder) {
  const auto names = list_folder(output_folder);
  if (!names) return;
  for (const auto& name : *names) {
    const auto path = join_path(output_folder, name);
    struct stat status;
    if (!name.starts_with(kMaking) || ::lstat(path.c_str(), &status) != 0) continue;
    // Others may be at work here, from other stores and other machines too.
    if (status.st_mtime + kDay < std::time(nullptr)) (void)remove_tree(path);
  }
}

Digest bytecode_key(const Digest& wheel, const BytecodeOptions& options) {
  return sha256(fmt::format("bytecode {}\nwheel {}\ninterpreter {}\nprefix {}\npython {}.{}\n",
                            kLayoutVersion, wheel.hex(), options.interpreter.hex(), options.prefix,
                            options.python_major, options.python_minor));
}

Result<std::vector<BytecodeTree>> build_bytecode(std::span<const BytecodeInput> wheels,
                                                 const BytecodeOptions& options, Reporter& reporter,
                                                 const CancelToken& cancel) {
  TRY(make_folders(options.output_folder));
  std::vector<BytecodeTree> trees;
  for (const auto& wheel : wheels) {
    TRY(cancel.check());
    const auto folder = join_path(options.output_folder, bytecode_key(wheel.sha256, options).hex());
    if (!path_exists(folder)) {
      const auto task = reporter.start("compiling", wheel.name, 0);
      auto compiled = compile_wheel(wheel, options, folder, cancel);
      reporter.finish(task);
      TRY(std::move(compiled));
    }
    trees.push_back(TRY(read_tree(folder)));
  }
  return trees;
}

Result<std::vector<Entry>> bytecode_entries(std::span<const BytecodeTree> trees) {
  std::vector<Entry> entries;
  std::set<std::string> seen;  // equal files of two wheels have equal bytecode
  for (const auto& tree : trees) {
    for (const auto& path : tree.paths) {
      if (!seen.insert(path).second) continue;
      Entry entry;
      entry.path = path;
      entry.content = HostFile{join_path(tree.folder, path)};
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

}  // namespace slipway::layer
