// debian_sample RELEASE CACHE PACKAGE…
//
// Resolves the packages against the archives of this machine's apt, downloads them to CACHE/debs,
// and prints a line for each: package, version, index, sha256, size, path of the file. For
// tests/system.
#include <cstdio>

#include "base/file.h"
#include "http/client.h"
#include "http/download.h"
#include "index/debian_index.h"

using namespace slipway;

namespace {

Result<void> run(std::span<char*> arguments) {
  const std::string release = arguments[0];
  const std::string cache = arguments[1];
  const std::vector<std::string> packages(arguments.begin() + 2, arguments.end());
  auto client = TRY(http::Client::create());
  SilentReporter reporter;
  const CancelToken cancel;
  const auto sources = TRY(index::read_host_debian_sources(release));
  auto debian =
      TRY(index::DebianIndex::fetch(sources, release, "amd64", client, cache, reporter, cancel));
  const auto files = TRY(debian.solve(packages, {}));
  std::vector<http::Download> downloads;
  TRY(make_folders(join_path(cache, "debs")));
  for (const auto& file : files) {
    std::string url;
    for (const auto& source : sources) {
      if (source.name == file.index) url = source.url + "/" + file.path;
    }
    const auto path = fmt::format("{}/debs/{}.deb", cache, file.sha256.hex());
    downloads.push_back({url, path, file.sha256, file.size_bytes, file.package});
    const auto line = fmt::format("{} {} {} {} {} {}\n", file.package, file.version, file.index,
                                  file.sha256.hex(), file.size_bytes, path);
    std::fputs(line.c_str(), stdout);
  }
  return http::download_all(client, downloads, 8, reporter, cancel);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  const auto result = run({arguments + 1, static_cast<std::size_t>(count - 1)});
  if (result) return 0;
  std::fprintf(stderr, "error: %s\n", result.error().message.c_str());
  for (const auto& line : result.error().because) std::fprintf(stderr, "  %s\n", line.c_str());
  for (const auto& line : result.error().hints) std::fprintf(stderr, "hint: %s\n", line.c_str());
  return result.error().kind == ErrorKind::Unavailable ? 4 : 1;
}
