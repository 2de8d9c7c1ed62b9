#include "plan/image_lock.h"

#include "plan/image_frame.h"

namespace slipway::plan {

std::optional<Digest> find_lock_digest(const oci::ImageConfig& config) {
  const auto label = config.labels.find(kLockLabel);
  if (label == config.labels.end()) return std::nullopt;
  const Result<Digest> digest = parse_digest(label->second);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

Result<void> keep_lock(const store::Store& store, const std::string& text) {
  if (!store.has_blob(sha256(text))) TRY(store.put_blob_bytes(as_bytes(text)));
  return {};
}

std::optional<spec::Lock> find_image_lock(const oci::ImageConfig& config, const ImageFiles& files,
                                          const store::Store& store,
                                          const std::string& project_lock) {
  const std::optional<Digest> digest = find_lock_digest(config);
  if (!digest) return std::nullopt;
  std::string text;
  if (store.has_blob(*digest)) {
    Result<std::string> blob = store.read_blob(*digest);
    if (blob.ok()) text = std::move(*blob);
  }
  if (text.empty()) text = files.text(kCapturedLockPath);
  if (sha256(text) == *digest) {
    Result<spec::Lock> lock = spec::parse_lock(text, "the image's lock");
    return lock.ok() ? std::optional(std::move(*lock)) : std::nullopt;
  }
  Result<spec::Lock> lock = spec::parse_lock(project_lock, "the project's lock");
  if (!lock.ok() || sha256(spec::write_solution(*lock)) != *digest) return std::nullopt;
  return std::move(*lock);
}

}  // namespace slipway::plan
