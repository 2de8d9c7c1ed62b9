#include "index/debian_fetch.h"

#include <libdeflate.h>
#include <lzma.h>

#include <ctime>

#include "base/file.h"
#include "http/client.h"
#include "http/download.h"
#include "index/debian_signature.h"

namespace slipway::index {
namespace {

// bookworm's own is 50 MB; nothing near this is a list of packages.
constexpr std::uint64_t kMostTextBytes = 1ULL << 30U;

/// The InRelease as last seen: a line with its ETag, then the text.
struct StoredRelease {
  std::string etag;
  std::string text;
};

StoredRelease find_stored_release(const std::string& path) {
  const auto text = read_file(path);
  const auto end = text ? text->find('\n') : std::string::npos;
  if (end == std::string::npos || end == 0) return {};
  return {text->substr(0, end), text->substr(end + 1)};
}

Result<std::string> fetch_in_release(const std::string& url, http::Client& client,
                                     const std::string& folder, const CancelToken& cancel) {
  const auto path = join_path(folder, sha256(url).hex());
  auto stored = find_stored_release(path);
  http::Request request;
  request.url = url;
  request.max_body_bytes = 64ULL << 20U;
  request.cancel.push_back(cancel);
  if (!stored.etag.empty()) request.headers.push_back("If-None-Match: " + stored.etag);
  auto response = TRY(client.get(request));
  if (response.status == 304) return std::move(stored.text);
  const auto etag = std::string(response.find_header("etag").value_or(""));
  if (!etag.empty()) TRY(write_file(path, etag + "\n" + response.body));
  return std::move(response.body);
}

Result<void> inflate_xz(Bytes packed, std::string& text) {
  std::uint64_t memory_limit = 512ULL << 20U;
  std::size_t read = 0;
  std::size_t written = 0;
  auto code = LZMA_OK;
  // Ubuntu's lists are several streams, one behind the other.
  while (code == LZMA_OK && read < packed.size()) {
    code = lzma_stream_buffer_decode(
        &memory_limit, 0, nullptr, reinterpret_cast<const std::uint8_t*>(packed.data()), &read,
        packed.size(), reinterpret_cast<std::uint8_t*>(text.data()), &written, text.size());
  }
  if (code != LZMA_OK || written != text.size()) {
    return make_error(ErrorKind::Corrupt, "bad xz data");
  }
  return {};
}

Result<void> inflate_gzip(Bytes packed, std::string& text) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  // Null for the actual size: it must fill the buffer exactly.
  const auto code = libdeflate_gzip_decompress(inflater.get(), packed.data(), packed.size(),
                                               text.data(), text.size(), nullptr);
  if (code != LIBDEFLATE_SUCCESS) return make_error(ErrorKind::Corrupt, "bad gzip data");
  return {};
}

bool is_flat(const DebianSource& source) { return source.components.empty(); }

/// Where the suite's Release is, with a slash at the end.
std::string suite_url(const DebianSource& source) {
  if (!is_flat(source)) return fmt::format("{}/dists/{}/", source.url, source.suite);
  return fmt::format("{}/{}", source.url, source.suite == "/" ? "" : source.suite);
}

Result<PackagesFile> choose_packages_file(const DebianSource& source, const DebianRelease& release,
                                          const std::string& plain) {
  const auto text = release.files.find(plain);
  for (const std::string_view suffix : {".xz", ".gz"}) {
    const auto found = release.files.find(plain + std::string(suffix));
    if (found == release.files.end() || text == release.files.end()) continue;
    if (text->second.size_bytes > kMostTextBytes) break;
    PackagesFile file;
    file.index = source.name;
    file.path = found->first;
    file.sha256 = found->second.sha256;
    file.size_bytes = found->second.size_bytes;
    file.text_bytes = text->second.size_bytes;
    const auto base = suite_url(source);
    if (release.by_hash && !is_flat(source)) {
      file.urls.push_back(
          fmt::format("{}{}/by-hash/SHA256/{}", base, parent_path(file.path), file.sha256.hex()));
    }
    file.urls.push_back(base + file.path);
    return file;
  }
  return make_error(ErrorKind::Unsupported, "`{}` offers no usable `{}`", source.suite, plain);
}

}  // namespace

Result<DebianRelease> fetch_release(const DebianSource& source, http::Client& client,
                                    const std::string& cache_folder, const CancelToken& cancel) {
  const auto folder = join_path(cache_folder, "debian/release");
  TRY(make_folders(folder));
  const auto url = suite_url(source) + "InRelease";
  const auto step =
      fmt::format("reading the release `{}` of the index `{}`", source.suite, source.name);
  const auto signed_text = TRY_WHILE(step, fetch_in_release(url, client, folder, cancel));
  const auto text = TRY_WHILE(step, read_signed_text(signed_text, source.keyring, folder));
  auto release = TRY_WHILE(step, parse_release(text));
  TRY_WHILE(step, check_release(release, is_flat(source) ? std::string_view() : source.suite,
                                std::time(nullptr)));
  return release;
}

Result<std::vector<PackagesFile>> choose_packages_files(const DebianSource& source,
                                                        const DebianRelease& release,
                                                        std::string_view architecture,
                                                        const std::string& cache_folder) {
  std::vector<std::string> lists;
  for (const auto& component : source.components) {
    lists.push_back(fmt::format("{}/binary-{}/Packages", component, architecture));
  }
  if (is_flat(source)) lists.emplace_back("Packages");
  std::vector<PackagesFile> files;
  for (const auto& plain : lists) {
    auto file = TRY(choose_packages_file(source, release, plain));
    file.priority = release.is_not_automatic ? -1 : 0;
    file.cached_path = join_path(join_path(cache_folder, "debian/packages"), file.sha256.hex());
    files.push_back(std::move(file));
  }
  return files;
}

Result<void> fetch_packages_files(std::span<const PackagesFile> files, http::Client& client,
                                  Reporter& reporter, const CancelToken& cancel) {
  for (const std::size_t attempt : {0U, 1U}) {
    std::vector<http::Download> downloads;
    for (const auto& file : files) {
      TRY(make_folders(parent_path(file.cached_path)));
      const auto& url = file.urls[std::min(attempt, file.urls.size() - 1)];
      downloads.push_back({url, file.cached_path, file.sha256, file.size_bytes,
                           fmt::format("{} {}", file.index, base_name(file.path))});
    }
    auto result = http::download_all(client, downloads, 3, reporter, cancel);
    // Mirrors that lack by-hash folders exist, whatever their Release says.
    const bool again = !result && attempt == 0 && result.error().kind == ErrorKind::NotFound;
    if (!again) return result;
  }
  return {};
}

Result<std::string> read_packages_text(const PackagesFile& file) {
  const auto map = TRY(MappedFile::open(file.cached_path));
  std::string text(file.text_bytes, '\0');
  // A component without packages, as Ubuntu's updates have them: the decoder wants room to write.
  if (text.empty()) return text;
  const auto step = fmt::format("reading `{}` of the index `{}`", file.path, file.index);
  if (file.path.ends_with(".xz")) {
    TRY_WHILE(step, inflate_xz(map.bytes(), text));
  } else {
    TRY_WHILE(step, inflate_gzip(map.bytes(), text));
  }
  return text;
}

}  // namespace slipway::index
