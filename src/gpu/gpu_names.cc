#include "gpu/gpu_names.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/nearest.h"

namespace slipway::gpu {
namespace {

constexpr std::array<std::string_view, 13> kNoise = {
    "nvidia", "geforce", "tesla", "gpu",    "laptop",  "mobile",    "graphics",
    "device", "pcie",    "nvl",   "server", "edition", "generation"};

/// `80gb`, `16gib`, `sxm4`, `hbm3`, `hbm2e`.
bool is_size_or_form(std::string_view word) {
  if (word.starts_with("sxm") || word.starts_with("hbm")) return true;
  std::size_t digits = 0;
  while (digits < word.size() && word[digits] >= '0' && word[digits] <= '9') ++digits;
  const std::string_view unit = word.substr(digits);
  return digits > 0 && (unit == "gb" || unit == "gib" || unit == "g");
}

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      words.back() += static_cast<char>(std::tolower(byte));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::string key_of(std::string_view name) {
  return fmt::format("{}", fmt::join(words_of(name), ""));
}

/// Without what does not change the chip.
std::string short_key_of(std::string_view name) {
  std::string key;
  for (std::string word : words_of(name)) {
    // nvidia-smi and Python list it in one word, too: `GeForceRTX4090`.
    if (word.starts_with("geforce")) word.erase(0, 7);
    const bool is_noise = std::find(kNoise.begin(), kNoise.end(), word) != kNoise.end();
    if (!is_noise && !is_size_or_form(word)) key += word;
  }
  return key;
}

const GpuModel* find_key(const CompatibilityTables& tables, const std::string& key) {
  if (key.empty()) return nullptr;
  for (const GpuModel& model : tables.gpus) {
    if (key_of(model.name) == key) return &model;
    for (const std::string& alias : model.aliases) {
      if (key_of(alias) == key) return &model;
    }
  }
  return nullptr;
}

/// Those that begin or end with it: `rtx-4090` for `4090`, `sm_90` for `sm_9`.
std::vector<std::string> names_with(const std::string& key, const std::vector<std::string>& names) {
  constexpr std::size_t kShortest = 2, kMost = 3;
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const std::string other = key_of(name);
    const bool is_part = other.starts_with(key) || other.ends_with(key);
    if (key.size() >= kShortest && is_part && found.size() < kMost) found.push_back(name);
  }
  return found;
}

}  // namespace

const GpuModel* find_gpu(const CompatibilityTables& tables, std::string_view name) {
  if (name.size() > 200) return nullptr;
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (const auto capability = parse_compute_capability(lower); capability.ok())
    return find_key(tables, key_of(capability.value().sm()));
  if (const GpuModel* const model = find_key(tables, key_of(name))) return model;
  return find_key(tables, short_key_of(name));
}

Result<GpuModel> parse_gpu(const CompatibilityTables& tables, std::string_view name) {
  if (const GpuModel* const model = find_gpu(tables, name)) return *model;
  std::vector<std::string> names;
  for (const GpuModel& model : tables.gpus) {
    names.push_back(model.name);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  std::string lower = fmt::format("{}", fmt::join(words_of(name.substr(0, 200)), "-"));
  std::vector<std::string> nearest = find_nearest(lower, names);
  if (nearest.empty()) nearest = names_with(key_of(name.substr(0, 200)), names);
  Error error =
      make_error(ErrorKind::InvalidInput, "`{}` is not a GPU that is known", name.substr(0, 200));
  if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
  error.hints.push_back(
      "or say its compute capability: `nvidia-smi --query-gpu=compute_cap --format=csv`, then "
      "`sm_90` for 9.0");
  return error;
}

}  // namespace slipway::gpu
