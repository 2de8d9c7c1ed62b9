#include "spec/project.h"

#include <doctest/doctest.h>

#include "base/testing/golden.h"

using namespace slipway;
using namespace slipway::spec;

namespace {

constexpr const char* kWhole = R"([image]
name = "pytorch-cuda"
tag  = "2.6"

[target]
gpu    = ["v100", "a100", "sm_90"]
driver = ">=525"
arch   = ["x86_64"]

[base]
debian = "bookworm"
apt    = ["openssh-server", "g++"]

[python]
version  = "3.11"
packages = ["torch==2.6.0", "jupyterlab[x] >=4,<5 ; python_version >= '3.9'"]

[project]
copy = ["./src/", "train.py"]

[user]
name = "dev"
uid  = 1001

[modes.train]
command = ["python", "train.py"]

[resources]
gpus = "none"
memory = "32g"
cpus = 1.5
shm = "8g"
)";

Result<Project> parse(std::string_view text) { return parse_project(text, "slipway.toml"); }

std::string with_image(std::string_view rest) {
  return fmt::format("image = {{name = \"x\"}}\n{}", rest);
}

}  // namespace

TEST_CASE("everything that can be said is read") {
  const auto project = parse(kWhole);
  REQUIRE_MESSAGE(project.ok(), project.error().message);
  Project expected;
  expected.image = {"pytorch-cuda", "2.6"};
  expected.target.gpus = {"v100", "a100", "sm_90"};
  expected.target.driver = ">=525";
  expected.base.apt = {"openssh-server", "g++"};
  expected.python.packages = {"torch==2.6.0", "jupyterlab[x] >=4,<5 ; python_version >= '3.9'"};
  expected.code.copy = {"src", "train.py"};
  expected.user = {"dev", 1001};
  expected.modes["train"].command = {"python", "train.py"};
  expected.resources = {"none", 32ull << 30, 1.5, 8ull << 30};
  CHECK(*project == expected);
  CHECK(project->image.reference() == "pytorch-cuda:2.6");
}

TEST_CASE("what is not said has a safe default") {
  const Project project = parse(with_image("")).value();
  CHECK(project.image.reference() == "x:latest");
  CHECK(project.user == User{"dev", 1000});
  CHECK(project.base.debian == "bookworm");
  CHECK(project.python.version == "3.11");
  CHECK(project.target.architectures == std::vector<std::string>{"x86_64"});
  CHECK(project.resources == Resources{});
  CHECK(parse(with_image("cpus = 1\n")).error().hints[0] == "it belongs in `[resources]`");
}

TEST_CASE("a base image takes the place of Debian, and brings its Python") {
  for (const char* name :
       {"x", "nvidia/cuda:12.4.1-base-ubuntu22.04", "localhost/x", "host:5000/a/b:c",
        "registry.example/team/x@sha256:"
        "32381523e63197c929b67f793a8098bed0ae3a6fa902634fdbcc6fa4567f3346"}) {
    CAPTURE(name);
    const auto project = parse(with_image(fmt::format("base = {{image = \"{}\"}}", name)));
    REQUIRE(project.ok());
    CHECK(project->base.image == name);
    CHECK(project->base.debian.empty());
    CHECK(project->python.version.empty());
  }
  const auto named = parse(with_image("base = {image = \"x\"}\npython = {version = \"3.12\"}"));
  REQUIRE(named.ok());
  CHECK(named->python.version == "3.12");
}

TEST_CASE("root is had only by asking for it twice") {
  CHECK(parse(with_image("[user]\nname = \"root\"\nuid = 0")).value().user == User{"root", 0});
  CHECK_FALSE(parse(with_image("[user]\nuid = 0")).ok());
  CHECK_FALSE(parse(with_image("[user]\nname = \"root\"")).ok());
}

TEST_CASE("image names and tags follow the reference grammar") {
  for (const char* name : {"a", "a-b", "a--b", "a__b", "a.b/c_d", "team/x/y", "0"}) {
    CAPTURE(name);
    CHECK(parse(fmt::format("image = {{name = \"{}\"}}", name)).ok());
  }
  for (const char* name :
       {"", "A", "-a", "a-", "a..b", "a___b", "a/", "/a", "a//b", "a:b", "a_-b", "../a", "a b"}) {
    CAPTURE(name);
    CHECK_FALSE(parse(fmt::format("image = {{name = \"{}\"}}", name)).ok());
  }
  CHECK_FALSE(parse(fmt::format("image = {{name = \"{}\"}}", std::string(256, 'a'))).ok());
  for (const char* tag : {"2.6", "_x", "A-b.c"}) {
    CAPTURE(tag);
    CHECK(parse(fmt::format("image = {{name = \"x\", tag = \"{}\"}}", tag)).ok());
  }
  for (const char* tag : {"", ".x", "-x", "a/b", "a:b"}) {
    CAPTURE(tag);
    CHECK_FALSE(parse(fmt::format("image = {{name = \"x\", tag = \"{}\"}}", tag)).ok());
  }
  CHECK_FALSE(
      parse(fmt::format("image = {{name = \"x\", tag = \"{}\"}}", std::string(129, 'a'))).ok());
}

TEST_CASE("what is valid and not there yet is told apart from a mistake") {
  for (const char* text :
       {"[conda]\nchannels = []", "[gateway]", "[refresh]", "base = {scratch = true}",
        "base = {debian = \"trixie\"}", "base = {image = \"x\"}\npython = {version = \"3.7\"}",
        "python = {version = \"3.12\"}", "target = {arch = [\"aarch64\"]}",
        "python = {packages = [\"x @ https://a.example/x.whl\"]}", "project = {copy = [\".\"]}",
        "project = {copy = [\"*.py\"]}"}) {
    CAPTURE(text);
    const auto project = parse(with_image(text));
    REQUIRE_FALSE(project.ok());
    CHECK(project.error().kind == ErrorKind::Unsupported);
  }
  // One real mistake beside it, and the whole is a mistake.
  CHECK(parse(with_image("[conda]\n[bsae]\n")).error().kind == ErrorKind::InvalidInput);
}

TEST_CASE("each mistake has its place, its key and its remedy") {
  const char* const texts[] = {
      "",
      "image = 5",
      "[image]\nnmae = \"x\"",
      "[image]\nname = \"X\"",
      "[image]\nname = \"x:2\"",
      "[image]\nname = \"x\"\ntag = 2.6",
      "[imgae]\nname = \"x\"",
      "[image]\nname = \"x\"\npackages = []",
      "[image]\nname = \"x\"\n[target]\ngpu = 5",
      "[image]\nname = \"x\"\n[target]\ngpu = [\"a100\", \"a100\", \"A 100\"]",
      "[image]\nname = \"x\"\n[[python.index]]\nurl = \"https://a\"",
      "[image]\nname = \"x\"\n[[python.index]]\nname = \"pypi\"",
      "[image]\nname = \"x\"\n[[python.index]]\nname = \"a\"\n[[python.index]]\nname = \"a\"",
      "[image]\nname = \"x\"\n[[python.index]]\nname = \"a\"\nurl = \"https://me:pass@a/b\"",
      "[image]\nname = \"x\"\n[[python.index]]\nname = \"a\"\nkind = \"simpel\"",
      "[image]\nname = \"x\"\n[[python.index]]\nname = \"a\"\npackages = [\"Corp.X\", \"*\"]",
      "[image]\nname = \"x\"\n[target]\ndriver = \"new\"",
      "[image]\nname = \"x\"\n[target]\ndriver = 525",
      "[image]\nname = \"x\"\n[target]\ncpu = \"avx2\"",
      "[image]\nname = \"x\"\n[target]\ngpu = \"a100\"\ndriver = \">=525\"\ncuda-compat = \"12\"",
      "[image]\nname = \"x\"\n[target]\ngpu = \"a100\"\ncuda-compat = \"12.8\"",
      "[image]\nname = \"x\"\n[target]\narch = [\"amd64\"]",
      "[image]\nname = \"x\"\n[base]\napt = [\"git=1:2.39\", \"Git\", \"x\"]",
      "[image]\nname = \"x\"\n[base]\napt = [\"git\", \"git\"]",
      "[image]\nname = \"x\"\n[base]\ndebain = \"bookworm\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a/b:1\"\ndebian = \"bookworm\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a/b:1\"\napt = [\"Git\"]",
      "[image]\nname = \"x\"\n[base]\nimage = \"\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"A/b\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a:b/c:d:e\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"https://a.example/b\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a@sha256:12\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a@md5:12\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a\"\n[python]\nversion = \"3.12.1\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a\"\n[python]\nversion = \"2.7\"",
      "[image]\nname = \"x\"\n[base]\nimage = \"a\"\n[python]\nversion = \"new\"",
      "[image]\nname = \"x\"\n[python]\nversion = 3.11",
      "[image]\nname = \"x\"\n[python]\nversion = \"3.11.2\"",
      "[image]\nname = \"x\"\n[python]\nversion = \"3.12\"",
      "[image]\nname = \"x\"\n[python]\npackages = [\"torch=2.6\", 5]",
      "[image]\nname = \"x\"\n[python]\npackages = \"torch\"",
      "[image]\nname = \"x\"\n[project]\ncopy = [\"/etc\", \"../x\", \"a\", \"a/b\", \"a//b\"]",
      "[image]\nname = \"x\"\n[user]\nname = \"www-data\"\nuid = 65534",
      "[image]\nname = \"x\"\n[user]\nuid = \"1000\"",
      "[image]\nname = \"x\"\n[user]\nuid = 0",
      "[image]\nname = \"x\"\n[modes.train]\ncommand = \"python train.py\"",
      "[image]\nname = \"x\"\n[modes.Train]\nargs = []",
      "[image]\nname = \"x\"\n[modes]\ntrain = [\"python\"]",
      "[image]\nname = \"x\"\n[modes.train]\ncommand = []",
      "[image]\nname = \"x\"\n[resources]\ngpus = \"al\"",
      "[image]\nname = \"x\"\n[resources]\nmemory = \"lots\"\ncpus = 0\nshm = \"0\"",
      "[image]\nname = \"x\"\n[resources]\ncpus = nan",
      "[image]\nname = \"x\"\n[resources]\nmemory = 2024-01-01",
      "[image]\nname = \"x\"\n[conda]\nchannels = [\"c\"]",
  };
  std::string told;
  for (const char* text : texts) {
    const auto project = parse(text);
    CAPTURE(text);
    REQUIRE_FALSE(project.ok());
    const Error& error = project.error();
    told += fmt::format("---\n{}\n=> {}\n", text, error.message);
    for (const std::string& line : error.because) told += fmt::format("   {}\n", line);
    for (const std::string& line : error.hints) told += fmt::format("   hint: {}\n", line);
  }
  slipway::testing::check_golden("spec/project_mistakes.txt", told);
}
