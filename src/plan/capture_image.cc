#include <algorithm>
#include <set>

#include "base/file.h"
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
    std::vector<ImageLayer> layers;
    const std::vector<std::string> system = system_paths(capture_);
    layers.push_back(TRY(layer_of(system, "", {"the system"})));
    add_sources("system", "the system", system, layers.back());
    // Of Python's own library: a third of it, and nobody imports them.
    std::erase_if(sources_.back().paths, [](const std::string& path) {
      return path.find("/test/") != std::string::npos || path.find("/tests/") != std::string::npos;
    });
    const auto& packages = capture_.packages.packages;
    std::vector<layer::GroupInput> inputs;
    for (const CapturedPackage& package : packages) {
      std::uint64_t bytes = 0;
      for (const std::string& path : package.files) bytes += size_of(path);
      inputs.push_back({package.name, bytes});
    }
    for (const std::vector<std::size_t>& group : layer::plan_layers(inputs)) {
      std::vector<std::string> paths, labels;
      for (const std::size_t i : group) {
        paths.insert(paths.end(), packages[i].files.begin(), packages[i].files.end());
        labels.push_back(packages[i].name + " " + packages[i].version);
      }
      if (paths.empty()) continue;
      layers.push_back(TRY(layer_of(std::move(paths), "", labels)));
      for (std::size_t i = 0; i < group.size(); ++i) {
        const CapturedPackage& package = packages[group[i]];
        add_sources(package.name, labels[i], package.files, layers.back());
      }
    }
    const ImageLayer rest = TRY(layer_of(capture_.rest, lock, {"the rest"}));
    add_sources("rest", "the rest", capture_.rest, rest);
    if (bytecode == Bytecode::Yes && has_hash_bytecode(capture_.python)) {
      TRY(add_bytecode(layers));
    }
    layers.push_back(rest);
    return layers;
  }

 private:
  std::uint64_t size_of(const std::string& path) const {
    const auto size = file_size(path);
    return size.ok() ? *size : 0;
  }

  void add_sources(std::string name, std::string label, const std::vector<std::string>& paths,
                   const ImageLayer& layer) {
    sources_.push_back({std::move(name), std::move(label), store_.layer_path(layer.diff_id),
                        find_sources(capture_.tree, paths)});
  }

  static std::string label_of(const std::vector<std::string>& labels) {
    return labels.size() == 1 ? labels[0] : fmt::format("{} packages", labels.size());
  }

  /// What bytecode depends on: the interpreter with its libraries, and each file's place and bytes.
  Digest bytecode_key(std::span<const CapturedSources> group) const {
    std::string text = "captured bytecode " + interpreter_.hex();
    for (const CapturedSources& one : group) {
      text += " " + digest_of(capture_.tree, one.paths).hex();
    }
    return sha256(text);
  }

  /// In layers of their own, so that a package that changes moves little of the others' bytecode.
  Result<void> add_bytecode(std::vector<ImageLayer>& layers) {
    interpreter_ = digest_of(capture_.tree, system_paths(capture_));
    std::vector<layer::GroupInput> inputs;
    for (const CapturedSources& one : sources_) {
      std::uint64_t bytes = 0;
      for (const std::string& path : one.paths) bytes += size_of(path);
      inputs.push_back({one.name, bytes});
    }
    for (const std::vector<std::size_t>& indices :
         layer::plan_layers(inputs, layer::kBytecodeGroups)) {
      std::vector<CapturedSources> group;
      std::vector<std::string> labels;
      for (const std::size_t i : indices) {
        if (sources_[i].paths.empty()) continue;
        group.push_back(sources_[i]);
        labels.push_back("bytecode of " + sources_[i].label);
      }
      if (!group.empty()) TRY(add_bytecode_layer(group, std::move(labels), layers));
    }
    return {};
  }

  Result<void> add_bytecode_layer(std::span<const CapturedSources> group,
                                  std::vector<std::string> labels,
                                  std::vector<ImageLayer>& layers) {
    const Digest key = bytecode_key(group);
    if (const auto facts = TRY(find_layer(store_, key))) {
      layers.push_back(describe_layer(*facts, std::move(labels)));
      return {};
    }
    const TemporaryFolder compiled = TRY(store_.make_layer_folder());
    auto entries = TRY(
        compile_captured(capture_.python, group, compiled.path(), tools_.reporter, tools_.cancel));
    if (entries.empty()) return {};
    layers.push_back(TRY(pack(key, std::move(entries), {}, std::move(labels))));
    return {};
  }

  Result<ImageLayer> layer_of(std::vector<std::string> paths, const std::string& lock,
                              std::vector<std::string> labels) {
    std::sort(paths.begin(), paths.end());
    const Digest key = sha256(fmt::format("{} {}", digest_of(capture_.tree, paths).hex(), lock));
    if (const auto facts = TRY(find_layer(store_, key))) return describe_layer(*facts, labels);
    std::vector<layer::Entry> entries;
    for (const std::string& path : paths) entries.push_back(capture_.tree.files().at(path).entry);
    if (!lock.empty()) {
      layer::Entry entry;
      entry.path = kCapturedLockPath + 1;
      entry.content = lock;
      entries.push_back(std::move(entry));
    }
    return pack(key, std::move(entries), paths, std::move(labels));
  }

  /// `captured` are those of the paths that must be as they were hashed.
  Result<ImageLayer> pack(const Digest& key, std::vector<layer::Entry> entries,
                          const std::vector<std::string>& captured,
                          std::vector<std::string> labels) {
    const std::string name = label_of(labels);
    const Reporter::TaskId task = tools_.reporter.start("packing", name, 0);
    TemporaryFolder tree = TRY(store_.make_layer_folder());
    store::BlobWriter blob = TRY(store_.start_blob());
    const auto written = layer::write_layer(std::move(entries), blob, &tree.path(), tools_.cancel);
    tools_.reporter.finish(task);
    const layer::LayerFacts facts = TRY_WHILE("packing " + name, written);
    TRY(check_unchanged(captured, tree.path()));
    TRY(blob.commit(facts.digest));
    TRY(store_.adopt_layer(std::move(tree), facts.diff_id));
    TRY(remember_layer(store_, key, facts));
    return describe_layer(facts, std::move(labels));
  }

  /// The key names the bytes that were hashed: a file that changed since must not hide behind it.
  Result<void> check_unchanged(const std::vector<std::string>& paths, const std::string& folder) {
    for (const std::string& path : paths) {
      const CapturedFile& file = capture_.tree.files().at(path);
      if (file.entry.kind != layer::EntryKind::File) continue;
      TRY(tools_.cancel.check());
      if (TRY(sha256_of_file(folder + path)) == file.sha256) continue;
      return make_error(ErrorKind::Corrupt, "`{}` changed while it was captured", path)
          .hint("let nothing install into the environment meanwhile, and capture again");
    }
    return {};
  }

  const Capture& capture_;
  const store::Store& store_;
  const Tools& tools_;
  std::vector<CapturedSources> sources_;  ///< of the layers so far
  Digest interpreter_;                    ///< of its files and what they need
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
