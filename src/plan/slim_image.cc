#include "plan/slim_image.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "plan/image_frame.h"
#include "plan/known_layers.h"
#include "plan/layer_blobs.h"

namespace slipway::plan {
namespace {

SlimLabel label_of(const StoredImage& image, const SlimRequest& request) {
  std::set<gpu::ComputeCapability> gpus;
  for (const gpu::GpuModel& gpu : request.host.gpus) gpus.insert(gpu.capability);
  std::set<std::string> rules;
  for (const DropRule* rule : request.rules) rules.emplace(rule->name);
  return {image.digest.text(),
          {gpus.begin(), gpus.end()},
          {rules.begin(), rules.end()},
          request.proprietary == Proprietary::Slim};
}

/// All that decides about the new layer's bytes, besides the old one's.
Digest key_of(const Digest& blob, const std::optional<Digest>& toc, const LayerPlan& plan) {
  Sha256 hash;
  hash.update(fmt::format("slim {} {} {}\n", layer::kLayoutVersion, blob.hex(),
                          toc ? toc->hex() : "no table"));
  for (const auto& [path, edit] : plan.edits) {
    hash.update(fmt::format("{} {} {} ", path.size(), path, edit.index()));
    const auto* patch = std::get_if<layer::Patch>(&edit);
    if (patch == nullptr) continue;
    for (const layer::Piece& piece : patch->pieces) {
      hash.update(fmt::format("{}+{} {} ", piece.offset, piece.size, piece.bytes.index()));
      if (const auto* moved = std::get_if<layer::Piece::Moved>(&piece.bytes))
        hash.update(fmt::format("{} ", moved->from));
      if (const auto* bytes = std::get_if<std::string>(&piece.bytes)) hash.update(*bytes);
    }
  }
  for (const std::string& record : plan.records) hash.update(record + "\n");
  return hash.finish();
}

class LayerMaker {
 public:
  LayerMaker(const StoredImage& image, std::size_t index, const LayerPlan& plan,
             const store::Store& store, const LayerBlobs& blobs, const CancelToken& cancel)
      : descriptor_(image.manifest.layers[index]),
        diff_id_(image.config.diff_ids[index]),
        plan_(plan),
        store_(store),
        blobs_(blobs),
        cancel_(cancel),
        root_(store.layer_path(diff_id_)) {}

  Result<layer::LayerFacts> make() {
    const std::optional<Digest> toc = find_toc(descriptor_.annotations);
    const Digest key = key_of(descriptor_.digest, toc, plan_);
    if (const auto known = TRY(find_layer(store_, key))) return *known;
    const TemporaryFolder scratch = TRY(store_.make_layer_folder());
    const std::string file = join_path(scratch.path(), "blob");
    TRY(write_blob(file));
    const MappedFile map = TRY(MappedFile::open(file));
    const layer::LayerSurvey survey = TRY(survey_it(map.bytes()));
    layer::LayerEdits edits = edits_for(survey);
    // Once for the RECORDs and the table of contents.
    const layer::PatchedDigests digests = TRY(layer::digest_patched_files(root_, edits));
    TRY(add_records(survey, digests, edits));
    TemporaryFolder tree = TRY(store_.make_layer_folder());
    TRY(layer::write_edited_tree(root_, tree.path(), edits, cancel_));
    store::BlobWriter blob = TRY(store_.start_blob());
    const bool is_told = toc && survey.toc && *toc == sha256(*survey.toc);
    const layer::LayerFacts facts = TRY(layer::write_edited_layer(
        map.bytes(), survey, edits, digests,
        is_told ? layer::OldToc::Trusted : layer::OldToc::Distrusted, root_, blob, cancel_));
    TRY(blob.commit(facts.digest));
    TRY(store_.adopt_layer(std::move(tree), facts.diff_id));
    TRY(remember_layer(store_, key, facts));
    return facts;
  }

  std::vector<std::string> notes;

 private:
  /// Spliced from wheels, or a copy: either has to be the blob that the image names.
  Result<void> write_blob(const std::string& file) {
    const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_EXCL));
    FdSink out(fd.get());
    HashingSink hash(&out);
    TRY(blobs_.write(descriptor_, hash, cancel_));
    if (hash.finish() == descriptor_.digest) return {};
    return make_error(ErrorKind::Corrupt, "layer `{}` is not the one that its image names",
                      descriptor_.digest.text());
  }

  Result<layer::LayerSurvey> survey_it(Bytes blob) const {
    std::set<std::string> records;
    for (const std::string& folder : plan_.records) records.insert(folder.substr(1) + "/RECORD");
    const auto wants = [&](const std::string& path) {
      return plan_.edits.contains(path) || records.contains(path);
    };
    auto survey = layer::survey_layer(blob, wants, cancel_);
    if (!survey.ok()) {
      Error error = std::move(survey).error();
      if (error.kind == ErrorKind::Corrupt || error.kind == ErrorKind::Unsupported)
        error.message = fmt::format("layer `{}` {}", descriptor_.digest.text(), error.message);
      return error;
    }
    if (survey->diff_id != diff_id_)
      return make_error(ErrorKind::Corrupt, "layer `{}` unpacks to `{}`, and the image names `{}`",
                        descriptor_.digest.text(), survey->diff_id.text(), diff_id_.text());
    return survey;
  }

  /// Those of files that stand in the tar by themselves.
  layer::LayerEdits edits_for(const layer::LayerSurvey& survey) {
    layer::LayerEdits edits = plan_.edits;
    std::erase_if(edits, [&](const auto& edit) {
      const bool is_left = !survey.files.contains(edit.first);
      if (is_left)
        notes.push_back(
            fmt::format("/{}: it has several names, or stands in the layer twice", edit.first));
      return is_left;
    });
    return edits;
  }

  /// The RECORDs that tell of these files.
  Result<void> add_records(const layer::LayerSurvey& survey, const layer::PatchedDigests& digests,
                           layer::LayerEdits& edits) const {
    for (const std::string& folder : plan_.records) {
      std::string text = TRY(slim_record(root_, folder, edits, digests));
      edits[folder.substr(1) + "/RECORD"] = layer::Rewrite{std::move(text)};
    }
    for (const std::string& folder : plan_.records) {
      if (survey.files.contains(folder.substr(1) + "/RECORD")) continue;
      return make_error(ErrorKind::Unsupported,
                        "`{}/RECORD` has several names, or stands in the layer twice", folder);
    }
    return {};
  }

  const oci::Descriptor& descriptor_;
  const Digest& diff_id_;
  const LayerPlan& plan_;
  const store::Store& store_;
  const LayerBlobs& blobs_;
  const CancelToken& cancel_;
  std::string root_;
};

std::vector<std::size_t> changed_layers(const StoredImage& image, const SlimPlan& plan) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (!plan.layers[i].edits.empty()) order.push_back(i);
  }
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t i) { return image.manifest.layers[i].size_bytes; });
  return order;
}

std::vector<oci::Descriptor> descriptors(const StoredImage& image,
                                         const std::vector<std::size_t>& order) {
  std::vector<oci::Descriptor> layers;
  for (const std::size_t i : order) layers.push_back(image.manifest.layers[i]);
  return layers;
}

/// Annotations that speak of the old bytes go.
oci::Descriptor describe_slim(const oci::Descriptor& old, const layer::LayerFacts& facts) {
  oci::Descriptor layer;
  const bool is_gzip = oci::layer_compression(old.media_type) == oci::LayerCompression::Gzip;
  layer.media_type = is_gzip ? old.media_type : std::string(oci::kMediaTypeLayerGzip);
  layer.digest = facts.digest;
  layer.size_bytes = facts.size_bytes;
  const auto packages = old.annotations.find(kPackagesAnnotation);
  if (packages != old.annotations.end()) layer.annotations.insert(*packages);
  annotate_toc(layer.annotations, facts.toc, facts.tar_bytes);
  return layer;
}

}  // namespace

Result<void> fetch_for_slim(const StoredImage& image, const SlimPlan& plan, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(image.reference, descriptors(image, changed_layers(image, plan))));
  return blobs.bring_back();
}

Result<SlimImage> make_slim_image(const StoredImage& image, const SlimRequest& request,
                                  const SlimPlan& plan, const store::ImageName& name,
                                  const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const std::vector<std::size_t> order = changed_layers(image, plan);
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(image.reference, descriptors(image, order)));
  SlimImage slim;
  slim.before_bytes = image.size_bytes();
  std::vector<layer::LayerFacts> facts(order.size());
  std::vector<std::vector<std::string>> notes(order.size());
  const auto make = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    const std::string digest = image.manifest.layers[order[i]].digest.hex();
    const auto task = tools.reporter.start("slimming", digest.substr(0, 12), 0);
    LayerMaker maker(image, order[i], plan.layers[order[i]], store, blobs, cancel);
    facts[i] = TRY(maker.make());
    notes[i] = std::move(maker.notes);
    tools.reporter.finish(task);
    return {};
  };
  TRY_WHILE(fmt::format("slimming `{}`", image.reference),
            for_each_parallel(order.size(), usable_cores(), tools.cancel, make));
  oci::Manifest manifest = image.manifest;
  oci::ImageConfig config = image.config;
  for (std::size_t i = 0; i < order.size(); ++i) {
    oci::Descriptor& layer = manifest.layers[order[i]];
    slim.layers.push_back({order[i], layer.size_bytes, facts[i].size_bytes});
    layer = describe_slim(layer, facts[i]);
    config.diff_ids[order[i]] = facts[i].diff_id;
    slim.notes.insert(slim.notes.end(), notes[i].begin(), notes[i].end());
  }
  config.labels[kSlimLabel] = write_slim_label(label_of(image, request));
  const std::string text = oci::encode_image_config(config);
  manifest.config = oci::describe(image.manifest.config.media_type, text);
  manifest.subject.reset();
  TRY(store.put_blob_bytes(as_bytes(text)));
  slim.digest = TRY(store.put_blob_bytes(as_bytes(oci::encode_manifest(manifest))));
  TRY(store.settle_layers());
  TRY(store.set_image(name, slim.digest));
  for (const oci::Descriptor& layer : manifest.layers) slim.after_bytes += layer.size_bytes;
  return slim;
}

}  // namespace slipway::plan
