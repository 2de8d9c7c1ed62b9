#include <algorithm>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "layer/layer_groups.h"
#include "layer/tar_layer.h"
#include "oci/image_config.h"
#include "plan/capture.h"
#include "plan/captured_bytecode.h"
#include "plan/image_frame.h"
#include "plan/image_layers.h"
#include "plan/image_lock.h"
#include "plan/known_layers.h"
#include "plan/layer_facts.h"

namespace slipway::plan {
namespace {

/// Where the image says what it is made of.

/// One line a file. Paths carry their length: any byte may be in them.
Digest digest_of(const CapturedTree& tree, const std::vector<std::string>& paths) {
  Sha256 hash;
  hash.update(fmt::format("captured {}\n", layer::kLayoutVersion));
  for (const std::string& path : paths) {
    const CapturedFile& file = tree.files().at(path);
    hash.update(fmt::format(
        "{} {} {} {:o} {} {} {}\n", path.size(), path, static_cast<int>(file.entry.kind),
        file.entry.mode, file.entry.link_target.size(), file.entry.link_target, file.sha256.hex()));
  }
  return hash.finish();
}

std::vector<std::string> shown(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    std::string text;
    for (std::string_view rest = path; !rest.empty();) {
      const std::size_t length = utf8_length(rest);
      if (length == 0) {
        text += fmt::format("\\x{:02x}", static_cast<unsigned char>(rest[0]));
      } else {
        text += rest.substr(0, length);
      }
      rest.remove_prefix(std::max<std::size_t>(length, 1));
    }
    all.push_back(std::move(text));
  }
  return all;
}

/// Everything that is neither a package's nor of the rest.
std::vector<std::string> system_paths(const Capture& capture) {
  const std::set<std::string> rest(capture.rest.begin(), capture.rest.end());
  std::vector<std::string> paths;
  for (const auto& [path, file] : capture.tree.files()) {
    if (!rest.contains(path) && !capture.packages.owners.contains(path)) paths.push_back(path);
  }
  return paths;
}

/// Packages and bytecode are in layers of their own here: 96 of both, which a class of sizes shares
/// as layer_groups.h says. A capture is seldom pushed again with one package changed.
const layer::GroupRules& package_rules() {
  static const layer::GroupRules rules{60, 32 * 1024, {4, 7, 8, 6, 6, 4, 2, 1}, 6};
  return rules;
}
const layer::GroupRules& bytecode_rules() {
  static const layer::GroupRules rules{36, 32 * 1024, {2, 3, 9, 6, 4, 2, 1}, 6};
  return rules;
}

std::string codename() {
  const auto text = read_file("/etc/os-release");
  if (!text.ok() || text->find("ID=debian\n") == std::string::npos) return "";
  const std::size_t at = text->find("VERSION_CODENAME=");
  if (at == std::string::npos) return "";
  return text->substr(at + 17, text->find('\n', at) - at - 17);
}

class CaptureBuilder {
 public:
  CaptureBuilder(const Capture& capture, const store::Store& store, const Tools& tools)
      : capture_(capture), store_(store), tools_(tools) {}

  Result<std::vector<ImageLayer>> build(const std::string& lock, Bytecode bytecode) {
    const auto& packages = capture_.packages.packages;
    std::vector<Part> parts{{system_paths(capture_), {}, {"the system"}}};
    std::vector<layer::GroupInput> inputs;
    for (const CapturedPackage& package : packages) {
      inputs.push_back({package.name, size_of_all(package.files)});
    }
    for (const std::vector<std::size_t>& group : layer::plan_layers(inputs, package_rules())) {
      Part part;
      for (const std::size_t i : group) {
        part.paths.insert(part.paths.end(), packages[i].files.begin(), packages[i].files.end());
        part.labels.push_back(packages[i].name + " " + packages[i].version);
        part.packages.push_back(&packages[i]);
      }
      if (!part.paths.empty()) parts.push_back(std::move(part));
    }
    parts.push_back({capture_.rest, {}, {"the rest"}, lock});

    std::vector<ImageLayer> layers = TRY(layers_of(parts));
    if (bytecode == Bytecode::Yes && has_hash_bytecode(capture_.python)) {
      const auto compiled = TRY(bytecode_layers(parts, layers));
      layers.insert(layers.end() - 1, compiled.begin(), compiled.end());
    }
    return layers;
  }

 private:
  /// What shares a layer.
  struct Part {
    std::vector<std::string> paths;
    std::vector<const CapturedPackage*> packages{};
    std::vector<std::string> labels{};
    std::string lock{};  ///< where the layer is the one that has it
  };

  static std::uint64_t size_of_all(const std::vector<std::string>& paths) {
    std::uint64_t bytes = 0;
    for (const std::string& path : paths) {
      const auto size = file_size(path);
      if (size.ok()) bytes += *size;
    }
    return bytes;
  }

  Result<std::vector<ImageLayer>> layers_of(const std::vector<Part>& parts) {
    std::vector<std::uint64_t> sizes;
    for (const Part& part : parts) sizes.push_back(size_of_all(part.paths));
    const std::vector<std::size_t> order = largest_first(sizes);
    std::vector<ImageLayer> layers(parts.size());
    const auto make = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
      layers[order[i]] = TRY(layer_of(parts[order[i]], cancel));
      return {};
    };
    TRY(for_each_parallel(parts.size(), usable_cores(), tools_.cancel, make));
    return layers;
  }

  /// The Python files, package by package, and where their bytes lie.
  std::vector<CapturedSources> sources_of(const std::vector<Part>& parts,
                                          const std::vector<ImageLayer>& layers) const {
    std::vector<CapturedSources> sources;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string folder = store_.layer_path(layers[i].diff_id);
      const auto add = [&](std::string name, std::string label, const auto& paths) {
        sources.push_back(
            {std::move(name), std::move(label), folder, find_sources(capture_.tree, paths)});
      };
      for (std::size_t k = 0; k < parts[i].packages.size(); ++k) {
        add(parts[i].packages[k]->name, parts[i].labels[k], parts[i].packages[k]->files);
      }
      if (i == 0) add("system", "the system", parts[i].paths);
      if (i + 1 == parts.size()) add("rest", "the rest", parts[i].paths);
    }
    // Of Python's own library: a third of it, and nobody imports them.
    std::erase_if(sources.front().paths, [](const std::string& path) {
      return path.find("/test/") != std::string::npos || path.find("/tests/") != std::string::npos;
    });
    std::erase_if(sources, [](const CapturedSources& one) { return one.paths.empty(); });
    return sources;
  }

  /// What bytecode depends on: the interpreter with its libraries, and each file's place and bytes.
  Digest bytecode_key(const Digest& interpreter, std::span<const CapturedSources> group) const {
    std::string text = "captured bytecode " + interpreter.hex();
    for (const CapturedSources& one : group) {
      text += " " + digest_of(capture_.tree, one.paths).hex();
    }
    return sha256(text);
  }

  struct BytecodeGroup {
    Digest key;
    std::vector<CapturedSources> sources;
    std::vector<std::string> labels;
    std::optional<layer::LayerFacts> facts;  ///< where the layer is known
    std::vector<layer::Entry> entries;       ///< where it is not
  };

  Result<std::vector<BytecodeGroup>> group_bytecode(const Digest& interpreter,
                                                    const std::vector<CapturedSources>& sources) {
    std::vector<layer::GroupInput> inputs;
    for (const CapturedSources& one : sources) inputs.push_back({one.name, size_of_all(one.paths)});
    std::vector<BytecodeGroup> groups;
    for (const auto& indices : layer::plan_layers(inputs, bytecode_rules())) {
      BytecodeGroup group;
      for (const std::size_t i : indices) {
        group.sources.push_back(sources[i]);
        group.labels.push_back("bytecode of " + sources[i].label);
      }
      group.key = bytecode_key(interpreter, group.sources);
      group.facts = TRY(find_layer(store_, group.key));
      groups.push_back(std::move(group));
    }
    return groups;
  }

  /// In layers of their own, so that a package that changes moves little of the others' bytecode.
  Result<std::vector<ImageLayer>> bytecode_layers(const std::vector<Part>& parts,
                                                  const std::vector<ImageLayer>& layers) {
    const Digest interpreter = digest_of(capture_.tree, parts.front().paths);
    std::vector<BytecodeGroup> groups = TRY(group_bytecode(interpreter, sources_of(parts, layers)));
    std::vector<CapturedSources> to_compile;
    for (const BytecodeGroup& group : groups) {
      if (group.facts) continue;
      to_compile.insert(to_compile.end(), group.sources.begin(), group.sources.end());
    }
    const TemporaryFolder folder = TRY(store_.make_layer_folder());
    auto compiled = TRY(compile_captured(capture_.python, to_compile, folder.path(),
                                         tools_.reporter, tools_.cancel));
    auto next = compiled.begin();
    for (BytecodeGroup& group : groups) {
      if (group.facts) continue;
      for (std::size_t i = 0; i < group.sources.size(); ++i, ++next) {
        group.entries.insert(group.entries.end(), next->begin(), next->end());
      }
    }
    // Nothing of it compiles: no layer.
    std::erase_if(groups, [](const auto& group) { return !group.facts && group.entries.empty(); });

    std::vector<ImageLayer> made(groups.size());
    const auto make = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
      BytecodeGroup& group = groups[i];
      if (group.facts) {
        made[i] = describe_layer(*group.facts, group.labels);
      } else {
        made[i] = TRY(pack(group.key, std::move(group.entries), {}, group.labels, cancel));
      }
      return {};
    };
    TRY(for_each_parallel(groups.size(), usable_cores(), tools_.cancel, make));
    return made;
  }

  Result<ImageLayer> layer_of(const Part& part, const CancelToken& cancel) {
    std::vector<std::string> paths = part.paths;
    std::sort(paths.begin(), paths.end());
    const Digest key =
        sha256(fmt::format("{} {}", digest_of(capture_.tree, paths).hex(), part.lock));
    if (const auto facts = TRY(find_layer(store_, key))) return describe_layer(*facts, part.labels);
    std::vector<layer::Entry> entries;
    for (const std::string& path : paths) entries.push_back(capture_.tree.files().at(path).entry);
    if (!part.lock.empty()) {
      layer::Entry entry;
      entry.path = kCapturedLockPath + 1;
      entry.content = part.lock;
      entries.push_back(std::move(entry));
    }
    return pack(key, std::move(entries), paths, part.labels, cancel);
  }

  /// `captured` are those of the paths that must be as they were hashed.
  Result<ImageLayer> pack(const Digest& key, std::vector<layer::Entry> entries,
                          const std::vector<std::string>& captured,
                          const std::vector<std::string>& labels, const CancelToken& cancel) {
    const std::string name =
        labels.size() == 1 ? labels[0] : fmt::format("{} packages", labels.size());
    const Reporter::TaskId task = tools_.reporter.start("packing", name, 0);
    TemporaryFolder tree = TRY(store_.make_layer_folder());
    store::BlobWriter blob = TRY(store_.start_blob());
    const auto written = layer::write_layer(std::move(entries), blob, &tree.path(), cancel);
    tools_.reporter.finish(task);
    const layer::LayerFacts facts = TRY_WHILE("packing " + name, written);
    TRY(check_unchanged(captured, tree.path(), cancel));
    TRY(blob.commit(facts.digest));
    TRY(store_.adopt_layer(std::move(tree), facts.diff_id));
    TRY(remember_layer(store_, key, facts));
    return describe_layer(facts, labels);
  }

  /// The key names the bytes that were hashed: a file that changed since must not hide behind it.
  Result<void> check_unchanged(const std::vector<std::string>& paths, const std::string& folder,
                               const CancelToken& cancel) {
    for (const std::string& path : paths) {
      const CapturedFile& file = capture_.tree.files().at(path);
      if (file.entry.kind != layer::EntryKind::File) continue;
      TRY(cancel.check());
      if (TRY(sha256_of_file(folder + path)) == file.sha256) continue;
      return make_error(ErrorKind::Corrupt, "`{}` changed while it was captured", path)
          .hint("let nothing install into the environment meanwhile, and capture again");
    }
    return {};
  }

  const Capture& capture_;
  const store::Store& store_;
  const Tools& tools_;
};

oci::ImageConfig capture_config(const Capture& capture, const store::ImageName& name,
                                const Digest& lock) {
  const CapturedPython& python = capture.python;
  oci::ImageConfig config;
  config.created = "1980-01-01T00:00:00Z";
  config.platform.architecture = oci::go_architecture(python.machine);
  config.platform.os = "linux";
  config.user = "0:0";
  config.env = {"PATH=" + parent_path(python.executable) +
                    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/root", "LANG=C.UTF-8", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"};
  if (python.prefix != python.base_prefix) config.env.push_back("VIRTUAL_ENV=" + python.prefix);
  if (!capture.needs.library_folders.empty()) {
    config.env.push_back(
        fmt::format("LD_LIBRARY_PATH={}", fmt::join(capture.needs.library_folders, ":")));
  }
  config.cmd = {python.executable};
  config.working_folder = kWorkspace;
  config.labels = {{"org.opencontainers.image.title", name.name},
                   {"org.opencontainers.image.version", name.tag},
                   {kLockLabel, lock.text()}};
  return config;
}

}  // namespace

spec::Lock make_capture_lock(const Capture& capture) {
  const CapturedTree& tree = capture.tree;
  spec::Lock lock;
  lock.slipway_version = SLIPWAY_VERSION;
  lock.architecture = capture.python.machine;
  lock.glibc = capture.python.glibc;
  lock.debian = codename();
  const std::string& version = capture.python.version;
  lock.python_version = version.substr(0, version.find('.', version.find('.') + 1));
  const auto add = [&](std::string name, std::string text, const std::vector<std::string>& paths) {
    spec::CapturedFiles files;
    files.name = std::move(name);
    files.version = std::move(text);
    files.files = paths.size();
    files.sha256 = digest_of(tree, paths);
    lock.captured.push_back(std::move(files));
  };
  add(std::string(spec::kCapturedSystem), version, system_paths(capture));
  add(std::string(spec::kCapturedRest), "", capture.rest);
  lock.captured.back().paths = shown(capture.rest);
  std::set<std::string> names;
  for (const CapturedPackage& package : capture.packages.packages) {
    // The same package in two folders: the first in the order of names is what Python lists, the
    // other's files are in the image and told with it.
    if (!names.insert(package.name).second) continue;
    add(package.name, package.version, package.files);
    lock.captured.back().changed = shown(package.changed);
    lock.captured.back().missing = shown(package.missing);
    if (!package.origin) continue;
    lock.captured.back().wheel = package.origin->file;
    lock.captured.back().index = package.origin->index;
    lock.captured.back().wheel_sha256 = package.origin->sha256;
  }
  Sha256 all;
  for (const spec::CapturedFiles& files : lock.captured) all.update(files.sha256.hex());
  lock.inputs = all.finish();
  return lock;
}

Result<BuiltImage> build_capture(const Capture& capture, const store::ImageName& name,
                                 Bytecode bytecode, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const std::string lock = spec::write_lock(make_capture_lock(capture));
  BuiltImage image;
  image.reference = name.text();
  image.layers = TRY(CaptureBuilder(capture, store, tools).build(lock, bytecode));
  const ImageTexts texts = encode_image(capture_config(capture, name, sha256(lock)), image.layers);
  TRY(keep_lock(store, lock));
  TRY(put_image(store, name, texts));
  image.digest = texts.manifest_digest;
  return image;
}

}  // namespace slipway::plan
