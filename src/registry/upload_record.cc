#include "registry/upload_record.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace slipway::registry {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kRecord = ".json", kLock = ".lock";

std::string with(const std::string& path, std::string_view ending) {
  return fmt::format("{}{}", path, ending);
}

bool is_older(const std::string& path, UtcTime oldest) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return false;
  return std::chrono::sys_seconds(std::chrono::seconds(status.st_mtime)) < oldest;
}

}  // namespace

std::unique_ptr<UploadRecord> UploadRecord::take(const std::string& folder, UploadTarget target) {
  if (!make_folders(folder, 0700).ok()) return nullptr;
  const Digest key =
      sha256(fmt::format("{}\n{}\n{}", target.registry, target.repository, target.digest.text()));
  std::string path = join_path(folder, key.hex());
  auto lock = FileLock::try_lock(with(path, kLock));
  if (!lock.ok() || !*lock) return nullptr;
  return std::unique_ptr<UploadRecord>(
      new UploadRecord(std::move(path), std::move(target), std::move(**lock)));
}

UploadRecord::~UploadRecord() {
  // Who holds a lock may remove its file; it stays beside a record, and goes with that.
  if (!path_exists(with(path_, kRecord))) (void)remove_file(with(path_, kLock));
}

std::optional<OpenUpload> UploadRecord::find() const {
  const auto text = read_file(with(path_, kRecord));
  if (!text.ok()) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto word = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    const bool is_number = found != json.end() && found->is_number_unsigned();
    return is_number ? found->get<std::uint64_t>() : 0;
  };
  const OpenUpload upload{word("location"), number("offset"), number("least")};
  const bool is_ours = number("version") == kVersion && word("registry") == target_.registry &&
                       word("repository") == target_.repository &&
                       word("digest") == target_.digest.text() && !upload.location.empty();
  return is_ours ? std::optional(upload) : std::nullopt;
}

void UploadRecord::note(const OpenUpload& upload) {
  using Json = nlohmann::json;
  const Json json = {{"version", kVersion},
                     {"registry", target_.registry},
                     {"repository", target_.repository},
                     {"digest", target_.digest.text()},
                     {"location", upload.location},
                     {"offset", upload.offset_bytes},
                     {"least", upload.least_chunk_bytes}};
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  (void)write_file(with(path_, kRecord), text, 0600);
}

void UploadRecord::forget() { (void)remove_file(with(path_, kRecord)); }

void sweep_upload_records(const std::string& folder, UtcTime oldest) {
  const auto names = list_folder(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = join_path(folder, name);
    const std::string key = join_path(folder, name.substr(0, name.find('.')));
    const std::string record = with(key, kRecord);
    // What counts is the record, whose lock is as old as the upload's beginning.
    if (!is_older(path_exists(record) ? record : path, oldest)) continue;
    const auto lock = FileLock::try_lock(with(key, kLock));
    if (!lock.ok() || !*lock) continue;
    for (const std::string& one : {record, path, with(key, kLock)}) (void)remove_file(one);
  }
}

}  // namespace slipway::registry
