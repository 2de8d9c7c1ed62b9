#include "index/debian_index.h"

#include <unistd.h>

#include "base/file.h"
#include "base/threads.h"
#include "index/debian_fetch.h"
#include "index/debian_pool.h"

namespace slipway::index {
namespace {

// Rises when what we take from a Packages file changes.
constexpr int kSolvVersion = 3;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, FileCloser>;

std::string solv_path(const PackagesFile& file, std::string_view architecture,
                      const std::string& cache_folder) {
  const auto key = sha256(fmt::format("{} {} {}", kSolvVersion, architecture, file.sha256.hex()));
  return join_path(join_path(cache_folder, "debian/solv"), key.hex() + ".solv");
}

Result<void> save_solv(DebianPool& pool, const std::string& path) {
  TRY(make_folders(parent_path(path)));
  const auto temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  OpenFile file(std::fopen(temporary.c_str(), "we"));
  if (!file) return errno_error(temporary);
  auto saved = pool.save_last(file.get());
  file.reset();
  if (!saved) {
    static_cast<void>(remove_file(temporary));
    return saved;
  }
  return rename_path(temporary, path);
}

Result<void> load_packages(DebianPool& pool, const PackagesFile& file,
                           std::string_view architecture, const std::string& cache_folder) {
  const auto path = solv_path(file, architecture, cache_folder);
  if (const OpenFile solv(std::fopen(path.c_str(), "re")); solv) {
    if (pool.load(solv.get(), file.index, file.priority)) return {};
  }
  const auto text = TRY(read_packages_text(file));
  TRY_WHILE(fmt::format("reading the index `{}`", file.index),
            pool.add_packages(text, file.index, file.priority));
  return save_solv(pool, path);
}

}  // namespace

struct DebianIndex::State {
  DebianPool pool;
};

DebianIndex::DebianIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
DebianIndex::DebianIndex(DebianIndex&&) noexcept = default;
DebianIndex& DebianIndex::operator=(DebianIndex&&) noexcept = default;
DebianIndex::~DebianIndex() = default;

Result<std::string> debian_architecture(std::string_view machine) {
  if (machine == "x86_64") return std::string("amd64");
  if (machine == "aarch64") return std::string("arm64");
  return make_error(ErrorKind::Unsupported, "no Debian architecture is known for `{}`", machine);
}

Result<DebianIndex> DebianIndex::fetch(std::span<const DebianSource> sources,
                                       std::string_view release, std::string_view architecture,
                                       http::Client& client, const std::string& cache_folder,
                                       Reporter& reporter, const CancelToken& cancel) {
  for (const auto& source : sources) {
    if (!source.suite.starts_with(release)) {
      return make_error(ErrorKind::InvalidInput, "`{}` is no suite of Debian `{}`", source.suite,
                        release);
    }
  }
  std::vector<std::vector<PackagesFile>> of_source(sources.size());
  const auto fetch_one = [&](std::size_t i) -> Result<void> {
    const auto checked = TRY(fetch_release(sources[i], client, cache_folder, cancel));
    of_source[i] = TRY(choose_packages_files(sources[i], checked, architecture, cache_folder));
    return {};
  };
  TRY(for_each_parallel(sources.size(), sources.size(), cancel, fetch_one));
  std::vector<PackagesFile> files;
  for (auto& some : of_source) {
    files.insert(files.end(), std::make_move_iterator(some.begin()),
                 std::make_move_iterator(some.end()));
  }
  TRY(fetch_packages_files(files, client, reporter, cancel));
  auto state = std::make_unique<State>(State{DebianPool(architecture)});
  for (const auto& file : files) {
    TRY(cancel.check());
    TRY(load_packages(state->pool, file, architecture, cache_folder));
  }
  return DebianIndex(std::move(state));
}

Result<void> DebianIndex::add_installed(std::string_view text) {
  TRY_WHILE("reading dpkg's list of packages", state_->pool.add_installed(text));
  return {};
}

Result<std::vector<DebFile>> DebianIndex::solve(std::span<const std::string> packages,
                                                std::span<const DebPreference> preferences) {
  return state_->pool.solve(packages, preferences);
}

}  // namespace slipway::index
