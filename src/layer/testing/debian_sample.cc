// debian_sample LIST FOLDER [PYTHON-TREE]
//
// Builds the Debian base of a list (lines of package, version, index, sha256, size, path) into
// FOLDER/tree and FOLDER/blob, as root or as a user with subordinate ids; prints digest, diff_id,
// size, unpacked size. With PYTHON-TREE, a folder with Python sources, also makes their bytecode in
// FOLDER/bytecode and prints the folder. For tests/system.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/user_namespace.h"
#include "layer/bytecode.h"
#include "layer/debian_layer.h"

using namespace slipway;

namespace {

Result<std::vector<layer::DebInput>> read_list(const std::string& path) {
  std::vector<layer::DebInput> debs;
  const auto text = TRY(read_file(path));
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c != ' ' && c != '\n') {
      words.back() += c;
    } else {
      words.emplace_back();
    }
    if (c != '\n') continue;
    debs.push_back({words.at(0), words.at(5), TRY(parse_digest(words.at(3)))});
    words.assign(1, "");
  }
  return debs;
}

Result<void> compile(const std::string& folder, const std::string& sources) {
  layer::BytecodeInput wheel{"sample", sha256("sample"), sources, {}};
  for (const auto& item : std::filesystem::recursive_directory_iterator(sources)) {
    if (!item.is_regular_file() || item.path().extension() != ".py") continue;
    wheel.sources.push_back(item.path().lexically_relative(sources).string());
  }
  layer::BytecodeOptions options;
  options.base_folders = {folder + "/tree"};
  options.output_folder = folder + "/bytecode";
  SilentReporter reporter;
  const auto trees = TRY(layer::build_bytecode(std::vector{wheel}, options, reporter, {}));
  std::printf("bytecode %s %zu\n", trees[0].folder.c_str(), trees[0].paths.size());
  return {};
}

Result<void> run(std::span<char*> arguments) {
  if (::geteuid() != 0) TRY(enter_user_namespace({}));
  const auto debs = TRY(read_list(arguments[0]));
  const std::string folder = arguments[1];
  TRY(make_folders(folder + "/tree"));
  const auto blob = TRY(open_file(folder + "/blob", O_WRONLY | O_CREAT | O_TRUNC));
  FdSink sink(blob.get());
  SilentReporter reporter;
  const auto facts = TRY(layer::build_debian_layer(debs, {}, folder + "/tree", sink, reporter, {}));
  std::printf("%s %s %lu %lu\n", facts.digest.text().c_str(), facts.diff_id.text().c_str(),
              facts.size_bytes, facts.unpacked_bytes);
  if (arguments.size() > 2) TRY(compile(folder, arguments[2]));
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const auto result = run({arguments + 1, static_cast<std::size_t>(count - 1)});
  if (result) return 0;
  std::fprintf(stderr, "error: %s\n", result.error().message.c_str());
  for (const auto& line : result.error().because) std::fprintf(stderr, "  %s\n", line.c_str());
  return 1;
}
