#include "cdi/catalogue.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

using namespace slipway;
using namespace slipway::cdi;

namespace {

/// Two folders, `etc` and `run`, and files in them.
class Folders {
 public:
  Folders() : top_(TemporaryFolder::create("/tmp", "slipway-cdi").value()) {
    for (const std::string& folder : all()) make_folders(folder).value();
  }
  std::vector<std::string> all() const {
    return {join_path(top_.path(), "etc"), join_path(top_.path(), "run")};
  }
  std::string put(const std::string& name, std::string_view text, mode_t mode = 0644) {
    const std::string path = join_path(top_.path(), name);
    write_file(path, text, mode).value();
    ::chmod(path.c_str(), mode);
    return path;
  }

 private:
  TemporaryFolder top_;
};

/// Devices of `kind` that each set a variable to `value`; all of them set ALL to it.
std::string spec(const std::string& kind, const std::vector<std::string>& names,
                 const std::string& value) {
  std::string text = fmt::format(
      "cdiVersion: 1.0.0\nkind: {}\ncontainerEdits: {{env: [ALL={}]}}\ndevices:\n", kind, value);
  for (const std::string& name : names) {
    text +=
        fmt::format("- {{name: {}, containerEdits: {{env: [ONE={}-{}]}}}}\n", name, value, name);
  }
  return text;
}

}  // namespace

TEST_CASE("devices of several files") {
  Folders folders;
  const std::string a = folders.put("etc/a.yaml", spec("v.com/c", {"x", "y"}, "a"));
  const std::string b = folders.put("run/b.json", spec("v.com/c", {"y"}, "b"));
  folders.put("run/c.txt", spec("v.com/c", {"z"}, "c"));
  folders.put("run/broken.yaml", "nonsense");
  folders.put("etc/again.yaml", spec("v.com/d", {"p", "q"}, "d1"));
  folders.put("etc/again2.yaml", spec("v.com/d", {"q"}, "d2"));
  folders.put("run/again3.yaml", spec("v.com/d", {"q"}, "d3"));
  const Catalogue catalogue = read_catalogue(folders.all());
  CHECK(catalogue.files.size() == 5);
  CHECK(catalogue.troubles.size() == 1);

  const auto first = select_devices(catalogue, {"v.com/c=x"});
  REQUIRE(first.ok());
  CHECK(first->edits.environment == std::vector<std::string>{"ALL=a", "ONE=a-x"});
  CHECK(first->files == std::vector<std::string>{a});

  const auto both = select_devices(catalogue, {"v.com/c=y", "v.com/c=x", "v.com/d=p"});
  REQUIRE(both.ok());
  CHECK(both->edits.environment ==
        std::vector<std::string>{"ALL=b", "ONE=b-y", "ALL=a", "ONE=a-x", "ALL=d1", "ONE=d1-p"});
  CHECK(both->files[0] == b);

  const auto contested = select_devices(catalogue, {"v.com/d=q"});
  REQUIRE_FALSE(contested.ok());
  CHECK(contested.error().message == "several files define the CDI device `v.com/d=q`");
  CHECK(has_device(catalogue, {"v.com/d", "p"}));
  CHECK_FALSE(has_device(catalogue, {"v.com/d", "q"}));
  CHECK_FALSE(has_device(catalogue, {"v.com/d", "r"}));
}

TEST_CASE("a missing device is told with what there is") {
  Folders folders;
  const std::string good = folders.put("etc/a.yaml", spec("v.com/card", {"first", "second"}, "a"));
  const std::string bad = folders.put("run/b.yaml", "kind: v.com/card");
  const auto missing = select_devices(read_catalogue(folders.all()), {"v.com/card=frist"});
  REQUIRE_FALSE(missing.ok());
  const Error& error = missing.error();
  CHECK(error.kind == ErrorKind::NotFound);
  CHECK(error.message == "there is no CDI device `v.com/card=frist` here");
  REQUIRE(error.because.size() == 2);
  CHECK(error.because[0] == "`" + good + "` defines of `v.com/card`: `first`, `second`");
  CHECK(error.because[1].starts_with("`" + bad + "` cannot be used: "));
  REQUIRE(error.hints.size() == 1);
  CHECK(error.hints[0] == "did you mean `v.com/card=first`?");

  const auto none = select_devices(read_catalogue({"/nowhere"}), {"v.com/card=frist"});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().because ==
        std::vector<std::string>{"no file in `/nowhere` defines a device of `v.com/card`"});
}

TEST_CASE("files that others could have written do not count") {
  Folders folders;
  const std::string text = spec("v.com/c", {"x"}, "a");
  const std::string path = folders.put("etc/a.yaml", text);
  const auto is_taken = [&] { return read_catalogue(folders.all()).files.size() == 1; };
  CHECK(is_taken());
  ::chmod(path.c_str(), 0646);
  CHECK_FALSE(is_taken());
  ::chmod(path.c_str(), 0644);
  if (::geteuid() == 0) {
    CHECK(::chown(path.c_str(), 12345, 0) == 0);
    const Catalogue catalogue = read_catalogue(folders.all());
    CHECK(catalogue.files.empty());
    CHECK(catalogue.troubles[0].reason == "it belongs to user 12345, not to root or you");
    CHECK(::chown(path.c_str(), 0, 12345) == 0);
    ::chmod(path.c_str(), 0664);
    CHECK_FALSE(is_taken());
    CHECK(::chown(path.c_str(), 0, 0) == 0);
    CHECK(is_taken());
  }
  folders.put("etc/big.yaml", std::string(2000000, '#'));
  CHECK(::mkfifo(join_path(folders.all()[0], "pipe.yaml").c_str(), 0644) == 0);
  make_folders(join_path(folders.all()[0], "folder.yaml")).value();
  const Catalogue catalogue = read_catalogue(folders.all());
  CHECK(catalogue.files.size() == 1);
  REQUIRE(catalogue.troubles.size() == 2);
  CHECK(catalogue.troubles[1].reason == "it is no file");
}
