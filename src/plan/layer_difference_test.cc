#include "plan/layer_difference.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/layer_stream.h"
#include "layer/tar_layer.h"

namespace slipway::plan {
namespace {

using layer::Entry;
using layer::EntryKind;

std::vector<Entry> entries() {
  return {{"etc/config", EntryKind::File, 0644, 0, 0, "", std::string("one\n")},
          {"etc/large", EntryKind::File, 0644, 0, 0, "", std::string(300'000, 'x')},
          {"etc/link", EntryKind::Link, 0777, 0, 0, "config", ""},
          {"home/dev", EntryKind::Folder, 0700, 1000, 1000, "", ""}};
}

struct Fixture {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-difference").value();

  std::string write(const std::string& name, std::vector<Entry> list) {
    StringSink blob;
    REQUIRE(layer::write_layer(std::move(list), blob, nullptr).ok());
    const std::string path = join_path(folder.path(), name);
    REQUIRE(write_file(path, blob.text).ok());
    return path;
  }
  std::string difference(std::vector<Entry> other) {
    return find_difference(write("one", entries()), write("other", std::move(other)), {}).value();
  }
};

TEST_CASE("where two layers differ") {
  Fixture fixture;
  const auto changed = [&](auto&& change) {
    std::vector<Entry> list = entries();
    change(list);
    return fixture.difference(std::move(list));
  };
  CHECK(changed([](auto&) {}) == "nothing: they are packed in two ways");
  CHECK(changed([](auto& list) { list[0].mode = 0600; }) == "`etc/config` has mode 0644 and 0600");
  CHECK(changed([](auto& list) { list[3].uid = 7; }) ==
        "`home/dev` belongs to 1000:1000 and 7:1000");
  CHECK(changed([](auto& list) { list[0].content = std::string("two\n"); }) ==
        "`etc/config` has other bytes from 0 on");
  CHECK(changed([](auto& list) { std::get<std::string>(list[1].content)[299'000] = 'y'; }) ==
        "`etc/large` has other bytes from 299000 on");
  CHECK(changed([](auto& list) { list[0].content = std::string("longer\n"); }) ==
        "`etc/config` has 4 bytes and 7");
  CHECK(changed([](auto& list) { list[2].link_target = "large"; }) ==
        "`etc/link` leads to `config` and `large`");
  CHECK(changed([](auto& list) { list.pop_back(); }) == "`home` is in the first only");
  CHECK(changed([](auto& list) {
          list.push_back({"a", EntryKind::File, 0644, 0, 0, "", std::string()});
        }) == "`a` is in the second only");
  CHECK(changed([](auto& list) { list[2].kind = EntryKind::Folder; }) ==
        "`etc/link` is another kind of file");
}

TEST_CASE("what is no layer is refused") {
  Fixture fixture;
  const std::string sound = fixture.write("one", entries());
  const std::string cut = join_path(fixture.folder.path(), "cut");
  REQUIRE(write_file(cut, read_file(sound).value().substr(0, 100)).ok());
  CHECK_FALSE(find_difference(sound, cut, {}).ok());
  CHECK_FALSE(find_difference(sound, fixture.folder.path() + "/missing", {}).ok());
}

}  // namespace
}  // namespace slipway::plan
