#include "plan/push_image.h"

#include <algorithm>
#include <set>

#include "base/threads.h"
#include "oci/image_config.h"
#include "plan/blob_places.h"
#include "plan/blob_sender.h"
#include "plan/layer_blobs.h"
#include "plan/read_order.h"
#include "plan/signatures.h"
#include "registry/registry.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kParallelQuestions = 8;

class Push {
 public:
  /// Of a `packed` image, `image` has the manifest.
  Push(const StoredImage& image, const RecompressedImage* packed, const ImagePlace& place,
       const Tools& tools, const store::Store& store, registry::Registry& registry)
      : image_(image),
        packed_(packed),
        place_(place),
        tools_(tools),
        store_(store),
        registry_(registry),
        layers_(store, tools),
        sender_(registry, place, store, tools.reporter) {}

  Result<PushedImage> run() {
    PushedImage pushed{place_.name, image_.digest, image_.manifest.layers.size()};
    const std::string manifest =
        packed_ != nullptr ? packed_->manifest : TRY(store_.read_blob(image_.digest));
    const auto there =
        TRY(registry_.find_manifest(place_.repository, place_.name.tag, tools_.cancel));
    pushed.was_there = there == image_.digest;
    if (pushed.was_there) return pushed;
    const std::vector<oci::Descriptor> missing = TRY(find_missing());
    std::vector<oci::Descriptor> layers = missing;
    std::erase_if(layers,
                  [&](const auto& one) { return one.digest == image_.manifest.config.digest; });
    const std::size_t to_send = layers.size();
    std::erase_if(layers, [&](const auto& one) { return is_packed(one); });
    TRY(layers_.prepare(image_.reference, layers));
    const auto send = [&](std::size_t i, const CancelToken& cancel) {
      return send_blob(missing[i], cancel);
    };
    TRY(for_each_parallel(missing.size(), kParallelUploads, tools_.cancel, send));
    TRY(registry_.push_manifest(place_.repository, place_.name.tag, image_.manifest.media_type,
                                manifest, tools_.cancel));
    for (const oci::Descriptor& layer : image_.manifest.layers) {
      TRY(note_blob_place(store_, layer.digest, place_.host.name, place_.repository));
    }
    pushed.mounted = sender_.mounted();
    pushed.sent = to_send - pushed.mounted;
    pushed.sent_bytes = sender_.sent_bytes();
    return pushed;
  }

 private:
  /// Largest first, each once.
  Result<std::vector<oci::Descriptor>> find_missing() {
    std::vector<oci::Descriptor> blobs = image_.manifest.layers;
    blobs.push_back(image_.manifest.config);
    std::set<Digest> seen;
    std::erase_if(blobs, [&](const auto& one) { return !seen.insert(one.digest).second; });
    std::vector<char> is_there(blobs.size(), 0);
    const auto ask = [&](std::size_t i) -> Result<void> {
      is_there[i] =
          TRY(registry_.has_blob(place_.repository, blobs[i].digest, tools_.cancel)) ? 1 : 0;
      return {};
    };
    TRY(for_each_parallel(blobs.size(), kParallelQuestions, tools_.cancel, ask));
    std::vector<oci::Descriptor> missing;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      if (is_there[i] == 0) missing.push_back(blobs[i]);
    }
    std::ranges::stable_sort(missing, std::greater(), &oci::Descriptor::size_bytes);
    return missing;
  }

  bool is_packed(const oci::Descriptor& layer) const {
    return packed_ != nullptr && packed_->files.contains(layer.digest);
  }

  Result<void> send_blob(const oci::Descriptor& descriptor, const CancelToken& cancel) {
    if (descriptor.digest == image_.manifest.config.digest) {
      const std::string text = TRY(store_.read_blob(descriptor.digest, oci::kMostConfigBytes));
      return sender_.send(
          descriptor, [text](Sink& out) { return out.write(as_bytes(text)); }, cancel);
    }
    // It ends with its reader: a chunk that is on its way may end after `cancel`.
    const auto write = [&](Sink& out) {
      const CancelToken never;
      return packed_ != nullptr ? write_layer(*packed_, descriptor, layers_, out, never)
                                : layers_.write(descriptor, out, never);
    };
    return sender_.send(descriptor, write, cancel);
  }

  const StoredImage& image_;
  const RecompressedImage* packed_;
  const ImagePlace& place_;
  const Tools& tools_;
  const store::Store& store_;
  registry::Registry& registry_;
  LayerBlobs layers_;
  BlobSender sender_;
};

/// The image with its layers as asked; `sent` gets their manifest.
Result<RecompressedImage> pack(const StoredImage& image, Packing packing, StoredImage& sent,
                               const store::Store& store, const Tools& tools) {
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(image.reference, image.manifest.layers));
  RecompressedImage packed = TRY(recompress_image(image, packing, store, blobs, tools));
  sent.manifest = TRY(oci::parse_manifest(packed.manifest));
  sent.digest = sha256(packed.manifest);
  return packed;
}

/// Returns how many.
Result<std::size_t> send_signatures(const StoredImage& image, const ImagePlace& place,
                                    const Tools& tools, const store::Store& store,
                                    registry::Registry& registry) {
  const FoundSignatures signatures = TRY(read_signatures(store, image.digest));
  for (const std::string& trouble : signatures.troubles) {
    tools.reporter.warn("a signature cannot be sent: " + trouble);
  }
  for (const sign::SignatureImage& one : signatures.images) {
    TRY_WHILE(fmt::format("sending the signatures of `{}`", place.name.text()),
              send_signature(registry, place.repository, image.digest, one, tools.cancel));
  }
  return signatures.images.size();
}

}  // namespace

Result<PushedImage> push_image(const StoredImage& image, const ImagePlace& place,
                               std::optional<Packing> packing, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  registry::Registry registry = TRY(open_for_push(place, tools));
  StoredImage sent = image;
  std::optional<RecompressedImage> packed;
  if (packing) packed.emplace(TRY(pack(image, *packing, sent, store, tools)));
  PushedImage pushed =
      TRY_WHILE(fmt::format("pushing `{}`", place.name.text()),
                Push(sent, packed ? &*packed : nullptr, place, tools, store, registry).run());
  if (sent.digest == image.digest) {
    pushed.signatures = TRY(send_signatures(image, place, tools, store, registry));
    pushed.read_orders =
        TRY(send_read_orders(registry, place.repository, store, image.digest, tools.cancel));
  } else if (!TRY(read_signatures(store, image.digest)).images.empty()) {
    tools.reporter.warn(
        fmt::format("signatures of `{}` are of the image as it is here, {}, and stay here",
                    image.reference, image.digest.text()));
  }
  return pushed;
}

}  // namespace slipway::plan
