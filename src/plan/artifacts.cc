#include "plan/artifacts.h"

#include <fcntl.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/size_text.h"
#include "http/download.h"
#include "plan/indexes.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kParallelDownloads = 8;

/// An artifact and the addresses it may have, best first.
struct Wanted {
  const Artifact* artifact;
  std::vector<std::string> urls;
};

std::string strip_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<bool> take_from_bundle(const Artifact& artifact, const Tools& tools) {
  for (const std::string& folder : tools.host.bundles) {
    for (const std::string& name : {artifact.file_name, artifact.sha256.hex()}) {
      const std::string source = join_path(folder, name);
      if (!path_exists(source) || TRY(sha256_of_file(source)) != artifact.sha256) continue;
      const std::string target = cached_path(artifact, tools);
      const std::string part = target + ".bundle";
      const UniqueFd from = TRY(open_file(source, O_RDONLY));
      const UniqueFd to = TRY(open_file(part, O_WRONLY | O_CREAT | O_TRUNC));
      FdSource in(from.get());
      FdSink out(to.get());
      TRY_WHILE("copying `" + source + "`", copy(in, out));
      TRY(rename_path(part, target));
      return true;
    }
  }
  return false;
}

/// The addresses of all artifacts, found from the machine's configuration.
class Addresses {
 public:
  Addresses(Indexes& indexes, const Archives& archives, const Tools& tools)
      : indexes_(indexes), archives_(archives), tools_(tools) {}

  Result<std::vector<std::string>> find(const Artifact& artifact) {
    std::vector<std::string> urls = artifact.kind == Artifact::Kind::Wheel
                                        ? TRY(find_wheel(artifact))
                                        : TRY(find_deb(artifact));
    const auto host = tools_.host.indexes.find(artifact.index);
    if (host != tools_.host.indexes.end()) {
      const std::string below =
          artifact.kind == Artifact::Kind::Wheel ? artifact.file_name : artifact.path;
      for (const std::string& snapshot : host->second.snapshots) {
        urls.push_back(strip_slash(snapshot) + "/" + below);
      }
    }
    return urls;
  }

 private:
  Result<std::vector<std::string>> find_wheel(const Artifact& artifact) {
    index::SimpleIndex* python = TRY(indexes_.python(artifact.index));
    const version::PackageName name = TRY(version::PackageName::parse(artifact.package));
    const Result<index::PagePointer> page = python->fetch_project(name);
    if (!page.ok()) {
      if (page.error().kind == ErrorKind::NotFound) return std::vector<std::string>();
      return page.error();
    }
    std::vector<std::string> urls;
    for (const index::WheelFile& wheel : page.value()->wheels) {
      if (wheel.file_name != artifact.file_name) continue;
      if (wheel.sha256 && *wheel.sha256 != artifact.sha256) continue;
      urls.push_back(wheel.url);
    }
    return urls;
  }

  Result<std::vector<std::string>> find_deb(const Artifact& artifact) {
    if (sources_.empty()) {
      sources_ = archives_.of_base ? TRY(archives_.of_base(indexes_))
                                   : TRY(indexes_.debian(archives_.debian));
    }
    std::vector<std::string> urls;
    for (const index::DebianSource& source : sources_) {
      const std::string url = strip_slash(source.url) + "/" + artifact.path;
      if (source.name == artifact.index && std::ranges::find(urls, url) == urls.end()) {
        urls.push_back(url);
      }
    }
    return urls;
  }

  Indexes& indexes_;
  const Archives& archives_;
  const Tools& tools_;
  std::vector<index::DebianSource> sources_;
};

http::Download download_of(const Artifact& artifact, const std::string& url, const Tools& tools) {
  return {url, cached_path(artifact, tools), artifact.sha256, artifact.size_bytes, artifact.label};
}

/// After one file of a batch was not found: each file alone, at each of its addresses.
Result<bool> fetch_alone(const Wanted& wanted, http::Client& client, const Tools& tools) {
  for (const std::string& url : wanted.urls) {
    const http::Download download = download_of(*wanted.artifact, url, tools);
    const Result<void> fetched =
        http::download_all(client, {&download, 1}, 1, tools.reporter, tools.cancel);
    if (fetched.ok()) return true;
    if (fetched.error().kind != ErrorKind::NotFound) return fetched.error();
  }
  return false;
}

Error lost_error(std::span<const Artifact* const> lost) {
  Error error = make_error(ErrorKind::NotFound, "{} of the lock {} no longer to be had",
                           lost.size() == 1 ? "one file" : fmt::format("{} files", lost.size()),
                           lost.size() == 1 ? "is" : "are");
  std::string archive;
  for (const Artifact* artifact : lost) {
    error.because.push_back(fmt::format("`{}` ({}, {}) is not at `{}`", artifact->file_name,
                                        artifact->label, artifact->sha256.text(), artifact->index));
    if (artifact->kind == Artifact::Kind::Deb) archive = artifact->index;
  }
  error.hints.push_back(fmt::format(
      "take the version that replaced it: `slipway lock --upgrade {}`", lost.front()->package));
  error.hints.push_back(
      "or put the file into a folder that `[bundle] folders` of config.toml names");
  if (!archive.empty()) {
    error.hints.push_back(fmt::format(
        "or name an archive that keeps old versions as `snapshot` of `[index.{}]` there", archive));
  }
  return error;
}

}  // namespace

Artifact make_artifact(const spec::LockedWheel& wheel) {
  return {Artifact::Kind::Wheel,
          wheel.name + " " + wheel.version,
          wheel.name,
          wheel.index,
          "",
          wheel.file_name,
          wheel.size_bytes,
          wheel.sha256};
}

Artifact make_artifact(const spec::LockedDeb& deb) {
  return {Artifact::Kind::Deb,
          deb.name + " " + deb.version,
          deb.name,
          deb.index,
          deb.path,
          base_name(deb.path),
          deb.size_bytes,
          deb.sha256};
}

std::string cached_path(const Artifact& artifact, const Tools& tools) {
  return fmt::format("{}/files/{}/{}", tools.cache_folder, artifact.sha256.hex(),
                     artifact.file_name);
}

bool is_cached(const Artifact& artifact, const Tools& tools) {
  const Result<std::uint64_t> size = file_size(cached_path(artifact, tools));
  return size.ok() && size.value() == artifact.size_bytes;
}

Result<void> fetch_artifacts(std::span<const Artifact> artifacts, const Archives& archives,
                             const Tools& tools) {
  std::vector<const Artifact*> missing;
  for (const Artifact& artifact : artifacts) {
    if (is_cached(artifact, tools)) continue;
    TRY(make_folders(parent_path(cached_path(artifact, tools))));
    if (!TRY(take_from_bundle(artifact, tools))) missing.push_back(&artifact);
  }
  if (missing.empty()) return {};

  Indexes indexes = TRY(Indexes::open(tools, index::Freshness::UseCached, archives.indexes));
  Addresses addresses(indexes, archives, tools);
  std::vector<Wanted> wanted;
  std::vector<http::Download> batch;
  std::uint64_t bytes = 0;
  for (const Artifact* artifact : missing) {
    wanted.push_back({artifact, TRY(addresses.find(*artifact))});
    bytes += artifact->size_bytes;
    if (!wanted.back().urls.empty()) {
      batch.push_back(download_of(*artifact, wanted.back().urls.front(), tools));
    }
  }
  Result<void> fetched =
      http::download_all(indexes.client(), batch, kParallelDownloads, tools.reporter, tools.cancel);
  if (!fetched.ok() && fetched.error().kind != ErrorKind::NotFound) return fetched;

  std::vector<const Artifact*> lost;
  for (const Wanted& one : wanted) {
    if (is_cached(*one.artifact, tools)) continue;
    if (!TRY(fetch_alone(one, indexes.client(), tools))) lost.push_back(one.artifact);
  }
  if (!lost.empty()) return lost_error(lost);
  tools.reporter.done(fmt::format("downloaded {} files, {}", missing.size(), size_text(bytes)));
  return {};
}

}  // namespace slipway::plan
