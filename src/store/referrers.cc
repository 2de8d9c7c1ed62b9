#include "base/file.h"
#include "store/files.h"
#include "store/store.h"

namespace slipway::store {

Result<void> Store::add_referrer(const Digest& subject, const Digest& manifest) const {
  const std::string path = inside(fmt::format("referrers/{}/{}", subject.hex(), manifest.hex()));
  return place_text(inside("tmp"), path, manifest.text() + "\n", owner_, Durable::Yes);
}

Result<std::vector<Digest>> Store::list_referrers(const Digest& subject) const {
  std::vector<Digest> manifests;
  const auto names = list_folder(inside("referrers/" + subject.hex()));
  if (!names.ok() && names.error().kind == ErrorKind::NotFound) return manifests;
  if (!names.ok()) return names.error();
  for (const std::string& name : *names) {
    const auto digest = parse_digest(name);
    if (digest.ok()) manifests.push_back(*digest);
  }
  return manifests;
}

}  // namespace slipway::store
