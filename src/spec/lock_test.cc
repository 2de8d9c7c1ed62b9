#include "spec/lock.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/testing/golden.h"

using namespace slipway;
using namespace slipway::spec;

namespace {

Lock example() {
  Lock lock;
  lock.slipway_version = "0.1.0";
  lock.inputs = sha256("inputs");
  lock.python_version = "3.11";
  lock.architecture = "x86_64";
  lock.glibc = "2.36";
  lock.debian = "bookworm";
  lock.gpus = {"v100", "a100"};
  lock.driver = ">=525";
  lock.wheels = {
      {"torch",
       "2.6.0",
       "pypi",
       "torch-2.6.0-cp311-cp311-manylinux1_x86_64.whl",
       766715424,
       sha256("torch"),
       ">=3.9.0",
       {"opt-einsum"},
       {"triton", "sympy", "filelock"},
       {"slipway.toml", "torchvision"}},
      {"filelock",
       "3.18.0",
       "pypi",
       "filelock-3.18.0-py3-none-any.whl",
       16215,
       sha256("f"),
       "",
       {},
       {},
       {"torch"}},
      {"sympy",
       "1.13.1",
       "pypi",
       "sympy-1.13.1-py3-none-any.whl",
       6189177,
       sha256("s"),
       ">=3.8",
       {},
       {},
       {"torch"}},
      {"torchvision",
       "0.21.0",
       "pypi",
       "torchvision-0.21.0-cp311-cp311-manylinux1_x86_64.whl",
       1,
       sha256("v"),
       ">=3.9",
       {},
       {"torch"},
       {"slipway.toml"}},
      {"triton",
       "3.2.0",
       "pypi",
       "triton-3.2.0-cp311-cp311-manylinux_2_27_x86_64.whl",
       2,
       sha256("t"),
       "",
       {},
       {},
       {"torch"}},
  };
  lock.debs = {
      {"libc6",
       "2.36-9+deb12u10",
       "amd64",
       "debian",
       "pool/main/g/glibc/libc6_2.36-9_amd64.deb",
       2757000,
       sha256("c"),
       {"the base", "adduser"}},
      {"adduser",
       "3.134",
       "all",
       "debian-security",
       "pool/updates/main/a/adduser_3.134_all.deb",
       3,
       sha256("a"),
       {"slipway.toml"}},
  };
  return lock;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a lock is written for review, and the same whatever the order") {
  const std::string text = write_lock(example());
  slipway::testing::check_golden("spec/slipway.lock", text);
  Lock other = example();
  std::reverse(other.wheels.begin(), other.wheels.end());
  std::reverse(other.debs.begin(), other.debs.end());
  for (LockedWheel& wheel : other.wheels) {
    std::reverse(wheel.because.begin(), wheel.because.end());
    std::reverse(wheel.dependencies.begin(), wheel.dependencies.end());
  }
  CHECK(write_lock(other) == text);
}

TEST_CASE("what was written is read back, and written again the same") {
  const std::string text = write_lock(example());
  const auto lock = parse_lock(text, "slipway.lock");
  REQUIRE_MESSAGE(lock.ok(), lock.error().message);
  CHECK(write_lock(*lock) == text);
  CHECK(parse_lock(write_lock(*lock), "slipway.lock").value() == *lock);
  CHECK(lock->wheels.size() == 5);
  CHECK(lock->wheels[3] == [] {
    LockedWheel vision = example().wheels[3];
    return vision;
  }());
}

TEST_CASE("a lock of an older slipway says of no Debian package who needs it") {
  Lock lock = example();
  for (LockedDeb& deb : lock.debs) deb.because.clear();
  const std::string text = write_lock(lock);
  CHECK(write_lock(parse_lock(text, "slipway.lock").value()) == text);
}

TEST_CASE("a long list has one item a line") {
  Lock lock = example();
  for (int i = 0; i < 30; ++i) {
    LockedWheel wheel = lock.wheels[1];
    wheel.name = fmt::format("nvidia-package-{:02}", i);
    lock.wheels[0].dependencies.push_back(wheel.name);
    lock.wheels.push_back(wheel);
  }
  const std::string text = write_lock(lock);
  CHECK(text.find("\nrequires = [\n    \"filelock\",\n    \"nvidia-package-00\",\n") !=
        std::string::npos);
  CHECK(write_lock(parse_lock(text, "l").value()) == text);
}

TEST_CASE("a cut-off date is written where there is one") {
  Lock lock = example();
  CHECK(write_lock(lock).find("before") == std::string::npos);
  lock.before = parse_utc_time("2025-01-31T01:00:00.5+01:00").value();
  const std::string text = write_lock(lock);
  CHECK(text.find("\nbefore = \"2025-01-31T00:00:00.500Z\"\n\n[target]\n") != std::string::npos);
  CHECK(parse_lock(text, "l")->before == lock.before);
  for (const char* wrong : {"2025-01-31", "2025-01-31T00:00:00.50Z", "soon", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_lock(replaced(text, "2025-01-31T00:00:00.500Z", wrong), "l").ok());
  }
}

TEST_CASE("strange text survives") {
  Lock lock = example();
  lock.wheels[0].requires_python = "a\"b\\c\nd\x01\x7f \xc3\xa9";
  CHECK(parse_lock(write_lock(lock), "l")->wheels[2].requires_python ==
        lock.wheels[0].requires_python);
}

TEST_CASE("another schema is refused with the name of its writer") {
  const auto lock = parse_lock("schema = 2\nslipway = \"0.9.1\"\nsomething = {}\n", "slipway.lock");
  REQUIRE_FALSE(lock.ok());
  CHECK(lock.error().kind == ErrorKind::Unsupported);
  CHECK(lock.error().because == std::vector<std::string>{"it was written by slipway 0.9.1"});
  CHECK(parse_lock("", "l").error().kind == ErrorKind::InvalidInput);
}

TEST_CASE("captured files") {
  Lock lock = example();
  lock.gpus.clear();
  lock.driver.clear();
  lock.debian.clear();
  lock.wheels.clear();
  lock.debs.clear();
  lock.captured = {{"the system", "3.11.2", 3, sha256("s"), {}, {}, {}, "", "", {}},
                   {"numpy",
                    "1.26.4",
                    812,
                    sha256("n"),
                    {"/v/b", "/v/a"},
                    {"/v/c"},
                    {},
                    "numpy-1.26.4-cp311-cp311-linux_x86_64.whl",
                    "pypi",
                    sha256("w")},
                   {"the rest", "", 1, sha256("r"), {}, {}, {"/v/odd\\xff"}, "", "", {}}};
  const std::string text = write_lock(lock);
  const auto again = parse_lock(text, "x");
  REQUIRE(again.ok());
  CHECK(again->captured[0].name == "numpy");
  CHECK(again->captured[0].changed == std::vector<std::string>{"/v/a", "/v/b"});
  CHECK(write_lock(*again) == text);

  const auto broken = [&](std::string_view from, std::string_view to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return !parse_lock(other, "x").ok();
  };
  CHECK(broken("files = 812", "files = -1"));
  CHECK(broken("\"numpy\"", "\"zz\""));
  CHECK(broken("\"numpy\"", "\"the other\""));
  CHECK(broken("changed", "altered"));
  CHECK(broken("wheel = \"numpy-1", "wheel = \"../numpy-1"));
  CHECK(broken("wheel-sha256 = \"", "wheel-sha256 = \"x"));
  CHECK(broken("wheel = \"", "whale = \""));
  CHECK(broken("index = \"pypi\"", "index = \"no index\""));
}

namespace {

/// A change by hand, and what has to be said of it.
struct Case {
  std::string from, to;
  const char* message;
};

void check_refusal(const std::string& text, const Case& c) {
  CAPTURE(c.to);
  const auto lock = parse_lock(replaced(text, c.from, c.to), "slipway.lock");
  REQUIRE_FALSE(lock.ok());
  CHECK(lock.error().kind == ErrorKind::InvalidInput);
  std::string told = lock.error().message;
  for (const std::string& line : lock.error().because) told += "\n" + line;
  CHECK_MESSAGE(told.find(c.message) != std::string::npos, told);
  CHECK(told.find("slipway.lock:") != std::string::npos);
}

}  // namespace

TEST_CASE("a lock that was changed by hand is refused where it is wrong") {
  const std::string text = write_lock(example());
  for (const Case& c : {
           Case{"version = \"2.6.0\"", "verson = \"2.6.0\"",
                "`wheel[2].verson` is not a known key"},
           Case{"size = 766715424", "size = -1", "`wheel[2].size` is negative"},
           Case{"size = 766715424", "size = \"1\"", "`wheel[2].size` has to be an integer"},
           Case{"sha256 = \"", "sha256 = \"zz", "is not a sha256 digest"},
           Case{"name = \"torch\"", "name = \"filelock\"", "`filelock` is there twice"},
           Case{"name = \"sympy\"", "name = \"tympy\"",
                "speaks of `sympy`, which is not in the lock"},
           Case{"file = \"torch-", "file = \"../torch-", "is not a plain path"},
           Case{"file = \"torch-", "file = \"a/torch-", "is not a plain path"},
           Case{"path = \"pool/main/g", "path = \"pool/../../g", "is not a plain path"},
           Case{"path = \"pool/main/g", "path = \"/etc", "is not a plain path"},
           Case{"path = \"pool/main/g", "path = \"http://evil.example", "is not a plain path"},
           Case{"index = \"pypi\"", "index = \"py/pi\"", "`py/pi` is not a name"},
           Case{"[\"filelock\", \"sympy\"", "[\"sympy\", \"filelock\"", "is out of order"},
           Case{"\"adduser\", \"the base\"", "\"addusr\", \"the base\"",
                "`libc6` speaks of `addusr`, which is not in the lock"},
           Case{"[target]", "[taget]", "`target` is missing"},
           Case{"glibc = \"2.36\"\n", "", "`target.glibc` is missing"},
           Case{"debian = \"bookworm\"", "debian = \"\"", "`target.debian` is empty"},
           Case{".whl\"", ".zip\"", "is not a wheel"},
           Case{"[[wheel]]", "[wheel]", "slipway.lock:"},
       }) {
    check_refusal(text, c);
  }
}

namespace {

/// With what a build of it gave.
Lock built_example() {
  Lock lock = example();
  const auto layer = [](LayerKind kind, std::vector<std::string> packages) {
    const std::string text = fmt::format("{} {}", layer_kind_text(kind), fmt::join(packages, " "));
    return LockedLayer{kind, std::move(packages), sha256(text), sha256("tar " + text), 7};
  };
  lock.image = {1, sha256("manifest"), sha256("config")};
  lock.image->layers = {layer(LayerKind::Base, {}),
                        layer(LayerKind::Frame, {}),
                        layer(LayerKind::Wheels, {"torch"}),
                        layer(LayerKind::Wheels, {"triton"}),
                        layer(LayerKind::Packages, {"filelock", "sympy", "torchvision"}),
                        layer(LayerKind::Bytecode, {"torch"})};
  return lock;
}

}  // namespace

TEST_CASE("the digests of a build stand behind the solution, which does not change with them") {
  const Lock lock = built_example();
  const std::string text = write_lock(lock);
  slipway::testing::check_golden("spec/built.lock", text);
  const auto again = parse_lock(text, "l");
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  CHECK(again->image == lock.image);
  CHECK(write_lock(*again) == text);
  CHECK(text.starts_with(write_solution(lock)));
  CHECK(write_solution(lock) == write_lock(example()));
}

/// As built_example, on an image of a registry with three layers.
Lock based_example() {
  Lock lock = built_example();
  lock.debian.clear();
  lock.debs.clear();
  lock.base = LockedBase{"nvidia/cuda:12.4.1",  sha256("b"), "ubuntu 22.04", "3.11.9",
                         "/usr/bin/python3.11", "/bin/bash"};
  LockedImage& image = *lock.image;
  REQUIRE(image.layers.front().kind == LayerKind::Base);
  for (const char* text : {"two", "three"}) {
    LockedLayer layer = image.layers.front();
    layer.digest = sha256(text);
    image.layers.insert(image.layers.begin() + 1, std::move(layer));
  }
  return lock;
}

TEST_CASE("a base image stands in the place of Debian's packages") {
  const Lock lock = based_example();
  const std::string text = write_lock(lock);
  slipway::testing::check_golden("spec/based.lock", text);
  const auto again = parse_lock(text, "l");
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  CHECK(again->base == lock.base);
  CHECK(again->image == lock.image);
  CHECK(write_lock(*again) == text);
  const std::string deb = write_lock(example());
  for (const Case& c : {Case{"[target]\n", "[target]\ndebian = \"bookworm\"\n",
                             "`target.debian` beside a base image"},
                        Case{"digest = \"sha256:", "digest = \"sha255:", "`base.digest`"},
                        Case{"image = \"nvidia/cuda:12.4.1\"\n", "", "`base.image` is missing"},
                        Case{"/usr/bin/python3.11", "usr/bin/python3.11", "is no path in an image"},
                        Case{"/usr/bin/python3.11", "/usr/../bin/x", "is no path in an image"},
                        Case{"[base]", "[bass]", "`target.debian` is missing"},
                        Case{"\n[image]", "\n" + deb.substr(deb.find("[[deb]]")) + "\n[image]",
                             "the image has no layer of the Debian packages"}}) {
    check_refusal(text, c);
  }
}

TEST_CASE("Debian packages on a base image have a layer between the base and the frame") {
  Lock lock = based_example();
  LockedDeb deb{"python3",
                "3.10.6-1",
                "amd64",
                "ubuntu",
                "pool/p/python3.deb",
                7,
                sha256("p"),
                {std::string(kNoPython)}};
  lock.debs = {deb};
  deb.name = "zlib1g";
  deb.because = {std::string(kForWheels), "python3"};
  lock.debs.push_back(deb);
  auto& layers = lock.image->layers;
  const auto frame = std::ranges::find(layers, LayerKind::Frame, &LockedLayer::kind);
  layers.insert(frame, {LayerKind::Apt, {}, sha256("blob"), sha256("tar"), 9});
  const std::string text = write_lock(lock);
  const auto again = parse_lock(text, "l");
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  CHECK(again->image == lock.image);
  CHECK(write_lock(*again) == text);
  check_refusal(text, {"because = [\"the base has no Python\"]", "because = [\"the base had\"]",
                       "speaks of `the base had`"});
  check_refusal(text, {"holds = \"frame\"", "holds = \"apt\"", "is there twice"});
}

TEST_CASE("where the solution changed, some layers are enough") {
  Lock lock = built_example();
  lock.image->manifest.reset();
  lock.image->config = {};
  lock.image->layers.erase(lock.image->layers.begin(), lock.image->layers.begin() + 2);
  const std::string text = write_lock(lock);
  const auto again = parse_lock(text, "l");
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  CHECK(again->image == lock.image);
  lock.image->layers.clear();
  CHECK(parse_lock(write_lock(lock), "l")->image == lock.image);
}

TEST_CASE("digests that were changed by hand are refused where they are wrong") {
  const std::string text = write_lock(built_example());
  const std::string frame = text.substr(
      text.find("[[layer]]\nholds = \"frame\""),
      text.find("[[layer]]\nholds = \"wheels\"") - text.find("[[layer]]\nholds = \"frame\""));
  for (const Case& c : {
           Case{frame, "", "the image has no layer of the frame"},
           Case{frame, frame + frame, "the layer of the frame is there twice"},
           Case{"holds = \"frame\"", "holds = \"flame\"", "no layer holds `flame`"},
           Case{"packages = [\"torch\"]", "", "a layer that holds wheels has packages"},
           Case{"packages = [\"torch\"]", "packages = [\"torsch\"]",
                "a layer holds `torsch`, which is not in the lock"},
           Case{"packages = [\"torch\"]", "packages = [\"filelock\"]",
                "`filelock` is in two layers"},
           Case{"packages = [\"triton\"]", "packages = [\"sympy\"]", "`sympy` is in two layers"},
           Case{"holds = \"wheels\"", "holds = \"bytecode\"", "is out of order"},
           Case{"packages = [\"filelock\", \"sympy\", \"torch", "packages = [\"sympy\", \"torch",
                "the image has no layer of filelock"},
           Case{"[\"filelock\", \"sympy\", \"torchv", "[\"sympy\", \"filelock\", \"torchv",
                "is out of order"},
           Case{"holds = \"base\"", "holds = \"project\"", "no layer holds `project`"},
           Case{"holds = \"base\"", "holds = \"base\"\npackages = [\"torch\"]",
                "a layer that holds base has no packages"},
           Case{"layout = 1", "layout = -1", "is no layout"},
           Case{"layout = 1", "", "`image.layout` is missing"},
           Case{"config = \"", "confic = \"", "`image.config` is missing"},
           Case{"manifest = \"sha256:", "manifest = \"sha512:", "`image.manifest`"},
           Case{"diff-id = \"sha256:", "diff-id = \"sha256:zz", "is not a sha256 digest"},
           Case{"size = 7\n", "size = -7\n", "is negative"},
           Case{"size = 7\n", "size = 7\nnote = \"\"\n", "`layer[0].note` is not a known key"},
           Case{"[image]", "[imago]", "there are layers, and no [image]"},
       }) {
    check_refusal(text, c);
  }
}

TEST_CASE("the inputs are what changes the solution, and nothing else") {
  Project base;
  base.image.name = "x";
  base.python.packages = {"torch", "pandas"};
  base.base.apt = {"git", "tmux"};
  const Digest digest = inputs_digest(base);
  const auto changed = [&](auto&& change) {
    Project project = base;
    change(project);
    return inputs_digest(project) != digest;
  };
  CHECK(changed([](Project& p) { p.python.packages.push_back("numpy"); }));
  CHECK(changed([](Project& p) { p.python.packages[0] = "torch==2.6.0"; }));
  CHECK(changed([](Project& p) { p.python.version = "3.12"; }));
  CHECK(changed([](Project& p) { p.base.apt.pop_back(); }));
  CHECK(changed([](Project& p) { p.base.debian = "trixie"; }));
  CHECK(changed([](Project& p) { p.base.image = "x"; }));
  CHECK(changed([](Project& p) { p.target.gpus = {"a100"}; }));
  CHECK(changed([](Project& p) { p.target.driver = ">=525"; }));
  CHECK(changed([](Project& p) { p.target.architectures = {"aarch64"}; }));
  CHECK(changed([](Project& p) { std::swap(p.python.packages, p.base.apt); }));
  CHECK_FALSE(changed([](Project& p) { p.image = {"y", "z"}; }));
  CHECK_FALSE(changed([](Project& p) { p.user = {"root", 0}; }));
  CHECK_FALSE(changed([](Project& p) { p.modes["a"].command = {"b"}; }));
  CHECK_FALSE(changed([](Project& p) { p.code.copy = {"src"}; }));
  CHECK(changed([](Project& p) { p.target.cuda_compat = "12.8"; }));
  CHECK_FALSE(changed([](Project& p) { p.resources.cpus = 2; }));
  CHECK_FALSE(changed([](Project& p) { std::reverse(p.base.apt.begin(), p.base.apt.end()); }));
}
