#include "store/store.h"

#include <fcntl.h>

#include <algorithm>

#include "store/files.h"

namespace slipway::store {
namespace {

constexpr std::string_view kFormat = "slipway store 1\n";

/// Different after every boot; empty where /proc is not mounted.
std::string read_boot_id() {
  const Result<std::string> text = read_file("/proc/sys/kernel/random/boot_id");
  return text.ok() ? text->substr(0, text->find('\n')) : std::string();
}

Result<void> check_format(const std::string& path, const std::string& text) {
  if (text == kFormat) return {};
  return make_error(ErrorKind::Unsupported, "`{}` is not a store that this version can use", path)
      .reason(fmt::format("its `format` file says `{}`, and this version writes `{}`",
                          text.substr(0, text.find('\n')), kFormat.substr(0, kFormat.size() - 1)))
      .hint("let SLIPWAY_HOME name another folder, or use the version that made this one");
}

}  // namespace

Result<Store> Store::open(std::string home, Owner owner) {
  if (home.empty()) return make_error(ErrorKind::InvalidInput, "the store has no folder");
  Store store(TRY(absolute_path(home)), owner, read_boot_id());
  const std::string format = store.inside("format");
  const Result<std::string> text = read_file(format);
  if (text.ok()) {
    TRY(check_format(store.home_, *text));
    return store;
  }
  if (text.error().kind != ErrorKind::NotFound) return text.error();
  for (const char* folder : {"blobs/sha256", "layers", "layer-states", "recipes", "known",
                             "refs/images", "tmp", "locks"}) {
    TRY_WHILE("making the store", make_owned_folders(store.inside(folder), owner));
  }
  // By open(2), never by rename: processes must not lock two files of one name.
  for (const char* lock : {"locks/store", "locks/layers", "locks/images"}) {
    const UniqueFd fd = TRY(open_file(store.inside(lock), O_RDWR | O_CREAT));
    TRY(give_to(fd.get(), lock, owner));
  }
  // Last: a store with this file has all of its folders.
  TRY(place_text(store.inside("tmp"), format, kFormat, owner, Durable::Yes));
  return store;
}

bool Store::is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace slipway::store
