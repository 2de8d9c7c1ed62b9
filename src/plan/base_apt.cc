#include "plan/base_apt.h"

#include <algorithm>

#include "base/file.h"
#include "index/debian_index.h"
#include "index/image_sources.h"
#include "plan/base_facts.h"
#include "plan/layer_blobs.h"
#include "plan/os_release.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kSourcesFolder = "etc/apt/sources.list.d";
constexpr std::string_view kTrusted = "etc/apt/trusted.gpg";

/// sources.list before the files of its folder, as apt reads them.
std::vector<index::ImageFile> apt_files(const TarTree& tree) {
  std::vector<std::string> paths{"etc/apt/sources.list"};
  for (const std::string& name : tree.names(kSourcesFolder)) {
    if (name.ends_with(".list") || name.ends_with(".sources"))
      paths.push_back(fmt::format("{}/{}", kSourcesFolder, name));
  }
  std::vector<index::ImageFile> files;
  for (const std::string& path : paths) {
    if (const std::string* text = tree.find(path)) files.push_back({path, *text});
  }
  return files;
}

/// This machine's own, where it runs the same distribution.
std::vector<index::AptEntry> host_entries(const std::string& distribution) {
  const auto release = read_file("/etc/os-release");
  if (!release.ok() || os_release_word(*release, "ID") != distribution) return {};
  return index::read_host_apt_entries();
}

/// All that apt trusts where a source does not say whom.
std::vector<std::string> trusted_paths(const TarTree& tree) {
  std::vector<std::string> paths{std::string(kTrusted)};
  for (const std::string& name : tree.names(fmt::format("{}.d", kTrusted))) {
    if (name.ends_with(".gpg") || name.ends_with(".asc"))
      paths.push_back(fmt::format("{}.d/{}", kTrusted, name));
  }
  return paths;
}

Error no_key(const index::DebianSource& source, const std::string& name, std::string why) {
  return make_error(ErrorKind::Unsupported, "the base `{}` has no key for its archive `{}`", name,
                    source.name)
      .reason(std::move(why))
      .hint("take an image that has the keys of its archives, or put them into one of your own");
}

Result<std::string> find_keys(const index::DebianSource& source, const TarTree& tree,
                              const std::string& name) {
  const index::KeyChoice choice = TRY(index::choose_keys(source.keyring));
  if (!choice.key.empty()) return index::make_keyring(choice.key);
  std::string keys;
  for (const std::string& path : choice.is_any ? trusted_paths(tree) : choice.paths) {
    const std::string* bytes = tree.find(path);
    if (bytes == nullptr && choice.is_any) continue;
    if (bytes == nullptr)
      return no_key(source, name, fmt::format("`/{}`, which signs it, is not there", path));
    auto keyring = index::make_keyring(*bytes);
    // One that cannot be read is one that does not sign.
    if (!keyring.ok() && choice.is_any) continue;
    keys += TRY_WHILE(fmt::format("reading `/{}` of the base", path), std::move(keyring));
  }
  if (!keys.empty()) return keys;
  return no_key(source, name, "/etc/apt/trusted.gpg.d is empty, and the source names no key");
}

}  // namespace

BaseSystem find_base_system(const TarTree& tree) {
  BaseSystem system;
  const std::string* release = tree.find("etc/os-release");
  if (release == nullptr) release = tree.find("usr/lib/os-release");
  if (release != nullptr) {
    system.distribution = os_release_word(*release, "ID");
    system.codename = os_release_word(*release, "VERSION_CODENAME");
  }
  const auto add = [&](const std::string& path) {
    if (const std::string* text = tree.find(path)) system.status.push_back(*text);
  };
  add("var/lib/dpkg/status");
  for (const std::string& name : tree.names("var/lib/dpkg/status.d")) {
    if (!name.ends_with(".md5sums")) add("var/lib/dpkg/status.d/" + name);
  }
  // Images "without a distribution" have a list for scanners, and nothing that installs.
  system.has_dpkg =
      tree.find("var/lib/dpkg/status") != nullptr && tree.resolve("usr/bin/dpkg").has_value();
  return system;
}

Result<TarTree> read_base_image(const BaseImage& base, const store::Store& store,
                                const Tools& tools) {
  const auto task = tools.reporter.start("reading", base.reference, 0);
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(base.reference, base.image.manifest.layers));
  TRY(blobs.bring_back());
  std::vector<std::string> paths;
  for (const oci::Descriptor& layer : base.image.manifest.layers) {
    paths.push_back(store.blob_path(layer.digest));
  }
  Result<TarTree> tree = read_base_tree(paths, tools.cancel);
  tools.reporter.finish(task);
  return tree;
}

Result<std::vector<index::DebianSource>> find_base_archives(const TarTree& tree,
                                                            const std::string& name,
                                                            const Indexes& indexes) {
  const BaseSystem system = find_base_system(tree);
  if (system.is_debian() && !system.codename.empty()) return indexes.debian(system.codename);
  if (system.distribution.empty() || system.is_debian()) {
    return make_error(ErrorKind::Unsupported,
                      "the base `{}` does not say which release it is, so no archive is known",
                      name)
        .reason(system.is_debian() ? "its os-release has no VERSION_CODENAME"
                                   : "it has no os-release with an ID")
        .hint("take a released image of the distribution");
  }
  auto sources = index::choose_image_sources(system.distribution, "amd64", apt_files(tree),
                                             host_entries(system.distribution));
  if (sources.empty()) {
    return make_error(ErrorKind::Unsupported, "the base `{}` names no archive for its apt", name)
        .reason(fmt::format("it is {}, and its /etc/apt has no source on the web that is enabled",
                            system.distribution))
        .hint("take an image that still has its /etc/apt/sources.list, or its sources.list.d");
  }
  return indexes.configured(std::move(sources));
}

Result<std::vector<index::DebianSource>> with_base_keys(std::vector<index::DebianSource> sources,
                                                        const TarTree& tree,
                                                        const std::string& name,
                                                        const Tools& tools) {
  if (find_base_system(tree).is_debian()) return sources;  // its keys are this machine's
  const std::string folder = join_path(tools.cache_folder, "debian/keyrings");
  TRY(make_folders(folder));
  for (index::DebianSource& source : sources) {
    const std::string keys = TRY(find_keys(source, tree, name));
    source.keyring = fmt::format("{}/{}.gpg", folder, sha256(keys).hex());
    // Anew each time: the cache is anybody's of this user, and these are keys.
    TRY(write_file(source.keyring, keys));
  }
  return sources;
}

}  // namespace slipway::plan
