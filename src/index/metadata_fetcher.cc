#include "index/metadata_fetcher.h"

#include <future>
#include <optional>

#include "base/file.h"
#include "base/reporter.h"
#include "http/download.h"
#include "index/remote_zip.h"

namespace slipway::index {
namespace {

constexpr std::uint64_t kMostMetadataBytes = 64U << 20U;

class HttpReader final : public RangeReader {
 public:
  HttpReader(http::Client& client, http::Request request, http::RangeBody tail)
      : client_(client), request_(std::move(request)), tail_(std::move(tail)) {}

  Result<http::RangeBody> read_tail(std::uint64_t) override { return std::move(tail_); }
  Result<std::string> read_range(std::uint64_t first, std::uint64_t count) override {
    http::RangeBody body = TRY(client_.get_range(request_, first, first + count - 1));
    if (body.first != first || body.bytes.size() != count) {
      return make_error(ErrorKind::Corrupt, "`{}` is shorter than it said", request_.url);
    }
    return std::move(body.bytes);
  }

 private:
  http::Client& client_;
  http::Request request_;
  http::RangeBody tail_;
};

Result<std::string> check_hash(const WheelFile& wheel, std::string text) {
  if (!wheel.metadata_sha256 || sha256(text) == *wheel.metadata_sha256) return text;
  return make_error(ErrorKind::Corrupt, "the metadata of `{}` has sha256 {}, but its index says {}",
                    wheel.file_name, sha256(text).hex(), wheel.metadata_sha256->hex());
}

}  // namespace

http::Request MetadataFetcher::request(std::string url) const {
  return {std::move(url), {}, kMostMetadataBytes, cancel_};
}

Result<std::string> MetadataFetcher::fetch(const WheelFile& wheel) const {
  if (wheel.metadata_file == MetadataFile::Unknown) return fetch_whichever_is_there(wheel);
  if (wheel.metadata_file == MetadataFile::Present) {
    Result<std::string> text = fetch_metadata_file(wheel);
    // Indexes have been seen that promise the file and do not have it.
    if (text.ok() || text.error().kind != ErrorKind::NotFound) return text;
  }
  return fetch_from_wheel(wheel, client_.get_tail(request(wheel.url), kZipTailBytes));
}

Result<std::string> MetadataFetcher::fetch_metadata_file(const WheelFile& wheel) const {
  http::Response response = TRY(client_.get(request(wheel.url + ".metadata")));
  return check_hash(wheel, std::move(response.body));
}

/// An index that does not say: the file and the wheel's end are asked for at the same time, since a
/// 404 first would double the wait.
Result<std::string> MetadataFetcher::fetch_whichever_is_there(const WheelFile& wheel) const {
  auto promise = std::make_shared<std::promise<Result<http::Response>>>();
  auto file = promise->get_future();
  client_.get_async(request(wheel.url + ".metadata"),
                    [promise](Result<http::Response> r) { promise->set_value(std::move(r)); });
  Result<http::RangeBody> tail = client_.get_tail(request(wheel.url), kZipTailBytes);
  Result<http::Response> response = file.get();
  if (response.ok() && response.value().body.starts_with("Metadata-Version:")) {
    return std::move(response.value().body);
  }
  return fetch_from_wheel(wheel, std::move(tail));
}

Result<std::string> MetadataFetcher::fetch_from_wheel(const WheelFile& wheel,
                                                      Result<http::RangeBody> tail) const {
  if (!tail.ok() && tail.error().kind != ErrorKind::Unsupported) return std::move(tail).error();
  if (!tail.ok()) return fetch_whole(wheel);
  HttpReader reader(client_, request(wheel.url), std::move(tail).value());
  return TRY_WHILE("reading `" + wheel.file_name + "` in parts", read_wheel_metadata(reader));
}

Result<std::string> MetadataFetcher::fetch_record(const WheelFile& wheel) const {
  http::RangeBody tail = TRY(client_.get_tail(request(wheel.url), kZipTailBytes));
  HttpReader reader(client_, request(wheel.url), std::move(tail));
  return TRY_WHILE("reading `" + wheel.file_name + "` in parts", read_wheel_record(reader));
}

Result<std::string> MetadataFetcher::fetch_whole(const WheelFile& wheel) const {
  TRY(make_folders(scratch_folder_));
  const TemporaryFolder folder = TRY(TemporaryFolder::create(scratch_folder_, "wheel"));
  const http::Download download{wheel.url, join_path(folder.path(), wheel.file_name), wheel.sha256,
                                wheel.size_bytes, wheel.file_name};
  SilentReporter silent;
  TRY(http::download_all(client_, {&download, 1}, 1, silent,
                         cancel_.empty() ? CancelToken() : cancel_.front()));
  return read_wheel_metadata_of_file(download.path);
}

}  // namespace slipway::index
