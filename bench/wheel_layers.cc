/// Builds the layers of wheels as `slipway build` does and nothing else: the other side of
/// floor.cc.
///
///   bench_wheel_layers WORKERS FOLDER WHEEL...     FOLDER gets a tree for each layer; "-": no tree
///
/// Prints one line for each layer, then seconds, and the peak of anonymous memory.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/file.h"
#include "base/threads.h"
#include "layer/layer_groups.h"
#include "layer/wheel_layer.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

Result<WheelInput> make_input(const std::string& path) {
  WheelInput input;
  const std::string name = base_name(path);
  const std::size_t dash = name.find('-');
  input.name = name.substr(0, dash);
  for (char& c : input.name) c = c == '_' || c == '.' ? '-' : static_cast<char>(std::tolower(c));
  input.version = name.substr(dash + 1, name.find('-', dash + 1) - dash - 1);
  input.path = path;
  input.size_bytes = TRY(file_size(path));
  // `<path>.sha256` holds what a lock would say.
  input.sha256 = TRY(parse_digest(TRY(read_file(path + ".sha256")).substr(0, 64)));
  return input;
}

std::string anonymous_memory() {
  const Result<std::string> status = read_file("/proc/self/status");
  if (!status.ok()) return "?";
  const std::size_t at = status->find("RssAnon:");
  return at == std::string::npos ? "?" : status->substr(at + 8, status->find('\n', at) - at - 8);
}

Result<void> build(std::size_t workers, const std::string& folder, std::vector<std::string> paths) {
  std::vector<WheelInput> inputs;
  std::vector<GroupInput> sizes;
  for (const std::string& path : paths) {
    inputs.push_back(TRY(make_input(path)));
    sizes.push_back({inputs.back().name, inputs.back().size_bytes});
  }
  std::vector<std::vector<WheelInput>> groups;
  for (const auto& group : plan_layers(sizes)) {
    groups.emplace_back();
    for (const std::size_t i : group) groups.back().push_back(inputs[i]);
  }
  const auto total = [](const std::vector<WheelInput>& group) {
    std::uint64_t bytes = 0;
    for (const WheelInput& wheel : group) bytes += wheel.size_bytes;
    return bytes;
  };
  std::sort(groups.begin(), groups.end(),
            [&](const auto& a, const auto& b) { return total(a) > total(b); });

  const auto start = std::chrono::steady_clock::now();
  SilentReporter reporter;
  std::vector<LayerFacts> facts(groups.size());
  TRY(for_each_parallel(groups.size(), workers, {}, [&](std::size_t i) -> Result<void> {
    std::string tree = fmt::format("{}/{}", folder, groups[i][0].name);
    if (folder != "-") TRY(make_folders(tree));
    facts[i] = TRY(
        build_wheel_layer(groups[i], {}, folder == "-" ? nullptr : &tree, nullptr, reporter, {}));
    return {};
  }));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::uint64_t blobs = 0, unpacked = 0, wheels = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    fmt::print("{} {} {} {} {}\n", groups[i][0].name, groups[i].size(), facts[i].digest.hex(),
               facts[i].diff_id.hex(), facts[i].size_bytes);
    blobs += facts[i].size_bytes;
    unpacked += facts[i].unpacked_bytes;
    wheels += total(groups[i]);
  }
  fmt::print("{} wheels, {} layers, wheels {} B, blobs {} B, files {} B\n", paths.size(),
             groups.size(), wheels, blobs, unpacked);
  fmt::print("{:.2f} s, anonymous memory now {}\n", seconds, anonymous_memory());
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  const Result<void> result = build(static_cast<std::size_t>(std::atoi(arguments[1])), arguments[2],
                                    {arguments + 3, arguments + count});
  if (result.ok()) return 0;
  fmt::print(stderr, "error: {}\n", result.error().message);
  for (const std::string& reason : result.error().because) fmt::print(stderr, "  {}\n", reason);
  return 1;
}
