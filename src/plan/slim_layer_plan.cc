#include "plan/slim_layer_plan.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "gpu/slim_code.h"
#include "layer/record_file.h"
#include "plan/package_licence.h"

namespace slipway::plan {
namespace {

/// Holes of a file take room in whole blocks of this size.
constexpr std::uint64_t kBlock = 4096;
/// A file that would give up less is left as it is: packing it anew costs more.
constexpr std::uint64_t kLeastSaving = 64 << 10;

std::string inside(const std::string& path) { return path.substr(1); }

/// Whole blocks of zeros in the new file.
std::uint64_t room_of(const gpu::CodePiece& piece) {
  if (piece.what != gpu::CodePiece::What::Zeros) return 0;
  const std::uint64_t begin = (piece.offset + kBlock - 1) / kBlock;
  const std::uint64_t end = (piece.offset + piece.size) / kBlock;
  return end > begin ? (end - begin) * kBlock : 0;
}

layer::Patch patch_of(const std::vector<gpu::CodePiece>& pieces) {
  layer::Patch patch;
  for (const gpu::CodePiece& piece : pieces) {
    layer::Piece one{piece.offset, piece.size, {}};
    if (piece.what == gpu::CodePiece::What::Moved) one.bytes = layer::Piece::Moved{piece.from};
    if (piece.what == gpu::CodePiece::What::Number) {
      std::string bytes;
      for (int i = 0; i < 8; ++i) bytes += static_cast<char>(piece.number >> 8 * i);
      one.bytes = std::move(bytes);
    }
    patch.pieces.push_back(std::move(one));
  }
  return patch;
}

/// A part of NVIDIA's that another package carries along, under NVIDIA's own licence.
bool is_nvidia_library(const std::string& path) {
  const std::string name = base_name(path);
  constexpr std::string_view kBeginnings[] = {
      "libcublas",    "libcudnn",  "libcusparse", "libcusolver",  "libcufft", "libcurand",
      "libcupti",     "libcufile", "libcudart",   "libcutensor",  "libnccl",  "libnpp",
      "libnvJitLink", "libnvjpeg", "libnvrtc",    "libnvToolsExt"};
  return std::ranges::any_of(kBeginnings,
                             [&](std::string_view one) { return name.starts_with(one); });
}

class LayerPlanner {
 public:
  LayerPlanner(const SlimRequest& request, std::string root, std::size_t layer,
               gpu::LayerLibraries& facts)
      : request_(request), root_(std::move(root)), layer_(layer), facts_(facts) {
    for (const gpu::GpuModel& gpu : request.host.gpus) gpus_.push_back(gpu.capability);
  }

  Result<void> run() {
    for (const gpu::PythonPackage& package : facts_.packages) TRY(add_package(package));
    for (gpu::LibraryFile& file : facts_.elves) {
      if (!file.code.groups.empty()) TRY(add_library(file));
      if (!file.code.problem.empty())
        notes_.push_back(fmt::format("{}: {}", file.path, file.code.problem));
    }
    for (const gpu::PythonPackage& package : facts_.packages) TRY(add_drops(package));
    for (auto& [name, package] : packages_) finish(package);
    return {};
  }

  PlannedLayer take() {
    PlannedLayer planned{std::move(plan_), std::move(notes_), {}};
    for (auto& [name, package] : packages_) planned.packages.push_back(std::move(package));
    return planned;
  }

 private:
  bool may_change(const std::string& owner) const {
    return request_.proprietary == Proprietary::Slim || allowed_.contains(owner);
  }

  Result<void> add_package(const gpu::PythonPackage& package) {
    const std::string name = package.name + " " + package.version;
    SlimPackage& entry = packages_[name];
    entry.name = name;
    entry.layer = layer_;
    const auto metadata = read_file(root_ + package.folder + "/METADATA");
    const PackageLicence licence = read_licence(metadata.ok() ? *metadata : "");
    entry.licence = licence.text;
    if (licence.allows_changes) {
      allowed_.insert(name);
    } else {
      entry.kept_because =
          licence.text.empty()
              ? "its METADATA names no licence"
              : fmt::format("its licence, `{}`, is not known to allow changes", licence.text);
    }
    return {};
  }

  Result<void> add_library(gpu::LibraryFile& file) {
    const MappedFile map = TRY(layer::map_tree_file(root_, inside(file.path)));
    Result<gpu::SlimCode> slim = gpu::slim_code(map.bytes(), gpus_);
    const std::string trouble = slim.ok() ? slim->problem : slim.error().message;
    if (!trouble.empty()) {
      notes_.push_back(fmt::format("{}: {}", file.path, trouble));
      return {};
    }
    SlimPackage& package = package_of(file.owner);
    package.code_bytes += slim->code_bytes;
    std::uint64_t room = 0;
    for (const gpu::CodePiece& piece : slim->pieces) room += room_of(piece);
    if (room < kLeastSaving) return {};
    package.holes.add(room);
    const bool is_nvidia = is_nvidia_library(file.path) && !file.owner.starts_with("nvidia-");
    if (!may_change(file.owner) || (is_nvidia && request_.proprietary == Proprietary::Leave)) {
      if (is_nvidia && may_change(file.owner))
        notes_.push_back(
            fmt::format("{}: a library of NVIDIA's, under a licence of its own", file.path));
      return {};
    }
    package.saved_bytes += room;
    file.code = std::move(slim->left);
    plan_.edits[inside(file.path)] = patch_of(slim->pieces);
    return {};
  }

  SlimPackage& package_of(const std::string& owner) {
    SlimPackage& package = packages_[owner];
    package.layer = layer_;
    if (owner.empty()) package.kept_because = "no package owns it, so no licence is known";
    return package;
  }

  Result<void> add_drops(const gpu::PythonPackage& package) {
    const std::string name = package.name + " " + package.version;
    const auto text = read_file(root_ + package.folder + "/RECORD");
    if (!text.ok()) return {};
    const auto record = layer::parse_record(*text);
    if (!record.ok()) return {};
    bool is_changed = false;
    SlimPackage& entry = packages_[name];
    for (const auto& [row, facts] : *record) {
      entry.unpacked_bytes += parse_size(facts.size);
      const auto path = record_path(package.folder, row);
      if (!path) continue;
      is_changed |= add_drop(row, *path, entry);
    }
    if (is_changed) plan_.records.push_back(package.folder);
    return {};
  }

  static std::uint64_t parse_size(const std::string& text) {
    std::uint64_t size = 0;
    for (const char c : text) {
      if (c < '0' || c > '9' || size > (std::uint64_t{1} << 50)) return 0;
      size = size * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return size;
  }

  /// Whether the file changes.
  bool add_drop(const std::string& row, const std::string& path, SlimPackage& entry) {
    for (const DropRule& rule : drop_rules()) {
      if (!rule.matches(row)) continue;
      const auto size = tree_file_size(root_, path);
      if (!size) return false;
      entry.drops[std::string(rule.name)].add(*size);
      const bool is_asked = std::ranges::find(request_.rules, &rule) != request_.rules.end();
      if (!is_asked || !may_change(entry.name)) return false;
      entry.saved_bytes += *size;
      plan_.edits[inside(path)] = layer::Remove{};
      return true;
    }
    return plan_.edits.contains(inside(path));
  }

  void finish(SlimPackage& package) const {
    if (may_change(package.name)) package.kept_because.clear();
  }

  const SlimRequest& request_;
  std::string root_;
  std::size_t layer_;
  gpu::LayerLibraries& facts_;
  std::vector<gpu::ComputeCapability> gpus_;
  std::set<std::string> allowed_;
  std::map<std::string, SlimPackage> packages_;
  LayerPlan plan_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<PlannedLayer> plan_layer(const SlimRequest& request, const std::string& tree,
                                std::size_t index, gpu::LayerLibraries& facts) {
  LayerPlanner planner(request, tree, index, facts);
  TRY(planner.run());
  return planner.take();
}

}  // namespace slipway::plan
