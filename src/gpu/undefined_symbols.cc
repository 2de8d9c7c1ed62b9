#include "gpu/undefined_symbols.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace slipway::gpu {
namespace {

constexpr std::size_t kLongestLine = 120;

/// Itanium C++ ABI, mangling: `_Z`, a special name (`TV` of a vtable, …) or none, `N` and
/// qualifiers of a nested name, then the length of the first namespace.
bool is_in_a_packages_namespace(std::string_view name) {
  if (!name.starts_with("_Z")) return false;
  name.remove_prefix(2);
  for (const std::string_view special : {"TV", "TI", "TS", "TT", "GV"}) {
    if (!name.starts_with(special)) continue;
    name.remove_prefix(2);
    break;
  }
  if (!name.starts_with('N')) return false;
  name.remove_prefix(1);
  while (!name.empty() && std::string_view("rVKRO").find(name.front()) != std::string_view::npos)
    name.remove_prefix(1);
  if (name.empty() || name.front() < '1' || name.front() > '9') return false;
  return !name.starts_with("9__gnu_cxx") && !name.starts_with("10__cxxabiv1") &&
         !name.starts_with("3std");
}

}  // namespace

UndefinedSymbols::UndefinedSymbols(const ImageTree& tree) {
  for (const auto& [path, file] : tree.files()) {
    for (const std::string& name : file->symbols.undefined) hashes_.insert(symbol_hash(name));
  }
  for (const auto& [path, file] : tree.files()) {
    if (hashes_.empty()) return;
    for (const std::uint32_t hash : file->symbols.defined) hashes_.erase(hash);
  }
}

std::vector<std::string> UndefinedSymbols::find(const LibraryFile& file,
                                                Elsewhere elsewhere) const {
  std::vector<std::string> found;
  if (elsewhere == Elsewhere::Anywhere) return found;
  for (const std::string& name : file.symbols.undefined) {
    if (elsewhere == Elsewhere::System && !is_in_a_packages_namespace(name)) continue;
    if (hashes_.contains(symbol_hash(name))) found.push_back(name);
  }
  return found;
}

std::string readable_symbol(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  std::string readable = status == 0 && text ? std::string(text.get()) : name;
  if (readable.size() > kLongestLine) readable = readable.substr(0, kLongestLine - 3) + "...";
  return readable;
}

}  // namespace slipway::gpu
