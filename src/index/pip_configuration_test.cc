#include "index/pip_configuration.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "base/file.h"

namespace slipway::index {
namespace {

/// Sets variables for one test, on an otherwise empty configuration.
class Environment {
 public:
  explicit Environment(const std::string& home) {
    for (const char* name : {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_CONFIG_FILE",
                             "UV_CONFIG_FILE", "VIRTUAL_ENV", "XDG_CONFIG_HOME"}) {
      set(name, "");
    }
    set("HOME", home);
    set("XDG_CONFIG_DIRS", home + "/system");
  }
  ~Environment() {
    for (const auto& [name, old] : old_) {
      if (old) {
        ::setenv(name.c_str(), old->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  void set(const std::string& name, const std::string& value) {
    const char* old = ::getenv(name.c_str());
    old_.insert(old_.begin(),
                {name, old == nullptr ? std::nullopt : std::optional<std::string>(old)});
    ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> old_;
};

void put(const std::string& path, const std::string& text) {
  REQUIRE(make_folders(parent_path(path)).ok());
  REQUIRE(write_file(path, text).ok());
}

}  // namespace

TEST_CASE("pip.conf") {
  const PipFile file = PipFile::parse(
      "# a comment\n"
      "orphan = 1\n"
      "[global]\n"
      "index_url = https://one.example/simple\n"
      "Timeout: 10\n"
      "find-links =\n"
      "    /a\n"
      "    /b\n"
      "; another\n"
      "[install]\n"
      "index-url=https://two.example/simple?a=b\n"
      "index-url=https://three.example/simple\n"
      "[broken\n"
      "no separator\n");
  CHECK(file.find("global", "index-url") == "https://one.example/simple");
  CHECK(file.find("global", "timeout") == "10");
  CHECK(file.find("global", "find-links") == "/a\n/b");
  CHECK(file.find("install", "index-url") == "https://three.example/simple");
  CHECK_FALSE(file.find("install", "timeout"));
  CHECK_FALSE(PipFile::parse("[global]\nindex-url =\n").find("global", "index-url"));
  CHECK_FALSE(PipFile::parse("\n = x\n[]\n[\n]\n  deep\n").find("global", "x"));
}

TEST_CASE("uv.toml") {
  const std::pair<const char*, std::optional<std::string>> cases[] = {
      {"", {}},
      {"index-url = 'https://a.example'", "https://a.example"},
      {"[pip]\nindex-url = 'https://b.example'", "https://b.example"},
      {"[[index]]\nurl = 'https://c.example'", {}},
      {"index-url = 'https://a.example'\n[[index]]\nurl = 'https://c.example'\n"
       "[[index]]\nname = 'd'\nurl = 'https://d.example'\ndefault = true",
       "https://d.example"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto url = parse_uv_default_index(text);
    REQUIRE(url.ok());
    CHECK(url.value() == expected);
  }
  CHECK(parse_uv_default_index("index-url = ").error().kind == ErrorKind::InvalidInput);
}

TEST_CASE("who says it first wins") {
  auto home = TemporaryFolder::create("/tmp", "pip-config").value();
  Environment environment(home.path());
  const auto url = [] { return read_host_pypi_index().value().url; };
  const std::string folder = home.path();

  put(folder + "/.config/uv/uv.toml", "index-url = 'https://uv.example'\n");
  CHECK(url() == "https://uv.example");
  put(folder + "/system/pip/pip.conf", "[global]\nindex-url = https://system.example\n");
  CHECK(url() == "https://system.example");
  put(folder + "/.config/pip/pip.conf", "[global]\nindex-url = https://user.example\n");
  CHECK(url() == "https://user.example");
  put(folder + "/venv/pip.conf", "[global]\nindex-url = https://site.example\n");
  environment.set("VIRTUAL_ENV", folder + "/venv");
  CHECK(url() == "https://site.example");
  put(folder + "/.pip/pip.conf",
      "[install]\nindex-url = https://install.example\ncert = /ca.pem\n");
  CHECK(url() == "https://install.example");
  CHECK(read_host_network().value().ca_file == "/ca.pem");
  environment.set("PIP_CONFIG_FILE", "/dev/null");
  CHECK(url() == "https://uv.example");
  environment.set("UV_INDEX_URL", "https://uv-variable.example");
  CHECK(url() == "https://uv-variable.example");
  environment.set("UV_DEFAULT_INDEX", "mine=https://uv-default.example/?a=b");
  CHECK(url() == "https://uv-default.example/?a=b");
  environment.set("PIP_INDEX_URL", "https://me:pw@pip.example/simple");
  CHECK(url() == "https://me:pw@pip.example/simple");
  CHECK(read_host_pypi_index().value().name == "pypi");
}

}  // namespace slipway::index
