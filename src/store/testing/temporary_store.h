/// A store in a folder of its own, gone with the object. For tests of any module.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace slipway::store::testing {

struct TemporaryStore {
  explicit TemporaryStore(Owner owner = Owner::current())
      : folder(TemporaryFolder::create("/tmp", "slipway-store").value()),
        store(Store::open(folder.path() + "/home", owner).value()) {}

  /// A layer with one file, under the digest of `name`.
  Result<void> try_add_layer(const std::string& name, const std::string& text) const {
    TemporaryFolder layer = TRY(store.make_layer_folder());
    TRY(write_file(layer.path() + "/file", text));
    return store.adopt_layer(std::move(layer), sha256(name));
  }
  void add_layer(const std::string& name, const std::string& text) const {
    try_add_layer(name, text).value();
  }

  std::vector<std::string> temporary_names() const {
    return list_folder(store.home() + "/tmp").value();
  }

  TemporaryFolder folder;
  Store store;
};

}  // namespace slipway::store::testing
