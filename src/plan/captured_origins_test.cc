#include "plan/captured_origins.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

constexpr const char* kInfo = "x-1.0.dist-info";

layer::Record record(std::string_view text) { return layer::parse_record(text).value(); }

TEST_CASE("an installed RECORD is a wheel's with what installers add, and nothing else") {
  const layer::Record wheel = record(
      "x/__init__.py,sha256=AA==,1\nx-1.0.data/scripts/run,sha256=old,1\n"
      "x-1.0.data/purelib/y.py,sha256=YY,1\nx-1.0.data/data/share/z,sha256=ZZ,1\n"
      "x-1.0.dist-info/METADATA,sha256=MM,1\nx-1.0.dist-info/RECORD,,\n");
  const std::string installed =
      "x/__init__.py,sha256=AA,1\n../../../bin/run,sha256=new,1\ny.py,sha256=YY,1\n"
      "../../../share/z,sha256=ZZ,1\nx-1.0.dist-info/METADATA,sha256=MM,1\n";
  const std::string added =
      "x/__pycache__/__init__.cpython-311.pyc,,\nx-1.0.dist-info/INSTALLER,sha256=II,1\n"
      "x-1.0.dist-info/REQUESTED,sha256=RR,0\nx-1.0.dist-info/RECORD,,\n"
      "../../../bin/made,sha256=EE,1\n";
  CHECK(is_record_of(wheel, record(installed), kInfo));
  CHECK(is_record_of(wheel, record(installed + added), kInfo));

  const struct {
    const char *name, *from, *to;
  } cases[] = {
      {"another file", "x/__init__.py,sha256=AA", "x/__init__.py,sha256=BB"},
      {"no hash", "x/__init__.py,sha256=AA", "x/__init__.py,"},
      {"a file is gone", "y.py,sha256=YY,1\n", ""},
      {"data", "share/z,sha256=ZZ", "share/z,sha256=YY"},
      {"METADATA", "sha256=MM", "sha256=NN"},
      {"one more", "y.py,sha256=YY,1\n", "y.py,sha256=YY,1\nz.py,sha256=ZZ,1\n"},
      {"one more in dist-info", "y.py,sha256=YY,1\n",
       "y.py,sha256=YY,1\nx-1.0.dist-info/other,sha256=ZZ,1\n"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    std::string other = installed;
    other.replace(other.find(one.from), std::string_view(one.from).size(), one.to);
    CHECK(!is_record_of(wheel, record(other), kInfo));
  }
  CHECK(!is_record_of({}, {}, kInfo));
  CHECK(!is_record_of(record("x-1.0.dist-info/RECORD,,\n"), record(added), kInfo));
}

TEST_CASE("an installer's note is believed where it can be this package's wheel") {
  CapturedPackage package;
  package.name = "some-thing";
  package.version = "1.0+cu124";
  const std::string hash(64, 'a');
  const auto note = [&](const std::string& url, const std::string& info) {
    return parse_direct_url("{\"url\":\"" + url + "\",\"" + info + "}", package);
  };
  const std::string good = "archive_info\":{\"hashes\":{\"sha256\":\"" + hash + "\"}}";
  const std::string url =
      "https://me:secret@index.invalid/a/some_thing-1.0%2Bcu124-py3-none-any.whl?token=x#y";
  const auto found = note(url, good);
  REQUIRE(found);
  CHECK(found->file == "some_thing-1.0+cu124-py3-none-any.whl");
  CHECK(found->sha256.hex() == hash);
  CHECK(found->index.empty());
  CHECK(note(url, "archive_info\":{\"hash\":\"sha256=" + hash + "\"}"));

  CHECK(!note(url, "archive_info\":{\"hash\":\"md5=" + hash + "\"}"));
  CHECK(!note(url, "archive_info\":{}"));
  CHECK(!note(url, "archive_info\":[]"));
  CHECK(!note(url, "vcs_info\":{\"vcs\":\"git\"}"));
  CHECK(!note(url, "dir_info\":{\"editable\":true}"));
  CHECK(!note("https://index.invalid/other-1.0-py3-none-any.whl", good));
  CHECK(!note("https://index.invalid/some_thing-2.0-py3-none-any.whl", good));
  CHECK(!note("https://index.invalid/some_thing-1.0.tar.gz", good));
  CHECK(!note("https://index.invalid/some_thing-1.0%2Bcu124-py3-none-a%20b.whl", good));
  CHECK(!note("https://index.invalid/some_thing-1.0%2Bcu124-py3-none-a%0Ab.whl", good));
  CHECK(!note("https://index.invalid/..%2F..%2Fetc%2Fpasswd", good));
  for (const char* text : {"", "[]", "null", "{\"url\":3}", "{\"url\":\"x\"}"}) {
    CAPTURE(text);
    CHECK(!parse_direct_url(text, package));
  }
}

}  // namespace
}  // namespace slipway::plan
