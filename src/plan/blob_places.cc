#include "plan/blob_places.h"

#include <algorithm>

namespace slipway::plan {
namespace {

constexpr std::string_view kKind = "blob-places";
constexpr std::size_t kMostPlaces = 8;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Result<std::vector<std::string>> find_blob_places(const store::Store& store, const Digest& blob,
                                                  const std::string& host) {
  std::vector<std::string> repositories;
  const auto text = TRY(store.find_known(kKind, blob));
  for (const std::string& line : lines_of(text.value_or(""))) {
    if (line.starts_with(host + " ")) repositories.push_back(line.substr(host.size() + 1));
  }
  return repositories;
}

Result<void> note_blob_place(const store::Store& store, const Digest& blob, const std::string& host,
                             const std::string& repository) {
  const std::string line = host + " " + repository;
  const auto text = TRY(store.find_known(kKind, blob));
  std::vector<std::string> lines = lines_of(text.value_or(""));
  if (!lines.empty() && lines.front() == line) return {};
  std::erase(lines, line);
  lines.insert(lines.begin(), line);
  if (lines.size() > kMostPlaces) lines.resize(kMostPlaces);
  return store.put_known(kKind, blob, fmt::format("{}\n", fmt::join(lines, "\n")));
}

}  // namespace slipway::plan
