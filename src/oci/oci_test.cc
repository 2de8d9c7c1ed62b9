#include <doctest/doctest.h>

#include "oci/image_config.h"
#include "oci/manifest.h"

using namespace slipway;
using namespace slipway::oci;

namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

std::string descriptor(const std::string& digest = kDigest, const std::string& size = "7") {
  return R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" + digest +
         R"(","size":)" + size + "}";
}

std::string manifest(const std::string& layers, const std::string& more = "") {
  return R"({"schemaVersion":2,"config":)" + descriptor() + R"(,"layers":)" + layers + more + "}";
}

std::string config(const std::string& diff_ids, const std::string& more = "") {
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":)" +
         diff_ids + "}" + more + "}";
}

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_CASE("a manifest goes through its bytes unchanged, in our order of keys") {
  Manifest written;
  written.config = describe(kMediaTypeConfig, "{}");
  written.layers.push_back(describe(kMediaTypeLayerGzip, "layer"));
  written.layers[0].annotations = {{"b", "2"}, {"a", "line\n\"quoted\" \\ é"}};
  written.annotations = {{"org.opencontainers.image.title", "x"}};
  const std::string text = encode_manifest(written);
  CHECK(parse_manifest(text).value() == written);
  CHECK(encode_manifest(parse_manifest(text).value()) == text);
  CHECK(text ==
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
        R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":)"
        R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},)"
        R"("layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":)"
        R"("sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85","size":5,)"
        R"("annotations":{"a":"line\u000a\"quoted\" \\ é","b":"2"}}],)"
        R"("annotations":{"org.opencontainers.image.title":"x"}})");
}

TEST_CASE("an index keeps platforms and references") {
  Index written;
  written.manifests.push_back(describe(kMediaTypeManifest, "m"));
  written.manifests[0].platform = Platform{"arm64", "linux", "", "v8", {"x"}};
  written.subject = describe(kMediaTypeManifest, "s");
  CHECK(parse_index(encode_index(written)).value() == written);
  CHECK(written.manifests[0].platform->text() == "linux/arm64/v8");
  CHECK(go_architecture("x86_64") == "amd64");
  CHECK(go_architecture("riscv64") == "riscv64");
}

TEST_CASE("an image config keeps every field") {
  ImageConfig written;
  written.created = "1980-01-01T00:00:00Z";
  written.platform = {"amd64", "linux", "", "v2", {}};
  written.user = "dev";
  written.exposed_ports = {"8888/tcp", "22/tcp"};
  written.env = {"PATH=/opt/venv/bin", "A="};
  written.entrypoint = {"/usr/bin/catatonit", "--"};
  written.cmd = {"python"};
  written.volumes = {"/workspace"};
  written.working_folder = "/workspace";
  written.labels = {{"k", "v"}, {"a", ""}};
  written.stop_signal = "SIGTERM";
  written.diff_ids = {sha256("1"), sha256("2")};
  written.history = {{"1980-01-01T00:00:00Z", "slipway", "a", "c", false},
                     {"", "ENV", "", "", true},
                     {"", "b", "", "", false}};
  const std::string text = encode_image_config(written);
  CHECK(parse_image_config(text).value() == written);
  CHECK(encode_image_config(written) == text);
  Manifest two;
  two.layers.resize(2);
  CHECK(check_same_layers(two, written).ok());
  two.layers.resize(3);
  CHECK(check_same_layers(two, written).error().kind == ErrorKind::Corrupt);
  two.layers.resize(2);
  // As umoci writes it, when it adds a layer to an image without a history.
  written.history.resize(1);
  CHECK(check_same_layers(two, written).ok());
}

TEST_CASE("the ChainID of layers in order") {
  // As sha256sum has it, of `ChainID diff_id`.
  const std::vector<Digest> layers{sha256("a"), sha256("b"), sha256("c")};
  CHECK(chain_id(std::span(layers).first(1)) == layers[0]);
  CHECK(chain_id(std::span(layers).first(2)).hex() ==
        "51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676");
  CHECK(chain_id(layers).hex() ==
        "2fce7f8ce91bcf0a1428b36e1024639fdbd9469eea762dba98aa749631885106");
}

TEST_CASE("Docker's schema 2 and Go's nulls are read") {
  const auto docker = parse_manifest(
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
      R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":")" +
      kDigest +
      R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":3,)"
      R"("digest":")" +
      kDigest + R"(","urls":["u"]}]})");
  REQUIRE(docker.ok());
  CHECK(layer_compression(docker->layers[0].media_type) == LayerCompression::Gzip);
  CHECK(layer_compression(kMediaTypeLayerZstd) == LayerCompression::Zstd);
  CHECK(layer_compression("text/plain") == LayerCompression::Unknown);
  const auto old = parse_image_config(config(
      "[]",
      R"(,"config":{"Volumes":null,"Entrypoint":null,"Labels":null,"ArgsEscaped":true},"history":null)"));
  REQUIRE(old.ok());
  CHECK(old->entrypoint.empty());
  CHECK(check_layout(layout_text()).ok());
  CHECK(check_layout(R"({"imageLayoutVersion":"2.0.0"})").error().kind == ErrorKind::Unsupported);
}

TEST_CASE("a hostile manifest is refused, and the message names the field") {
  struct Case {
    const char* what;
    std::string text;
    const char* message;
  };
  const std::string good = manifest("[" + descriptor() + "]");
  REQUIRE(parse_manifest(good).ok());
  const std::string one_hex = "sha256:" + std::string(63, 'a');
  const Case cases[] = {
      {"empty", "", "not JSON"},
      {"cut off", good.substr(0, good.size() - 1), "not JSON"},
      {"more after the end", good + "x", "not JSON"},
      {"an array", "[]", "not a JSON object"},
      {"not UTF-8", "{\"a\":\"\xff\xfe\"}", "not JSON"},
      {"a byte order mark only", "\xef\xbb\xbf", "not JSON"},
      {"too deep", R"({"x":)" + nested(100000) + "}", "levels deep"},
      {"too large", good + std::string(kMostManifestBytes, ' '), "larger than"},
      {"a key twice", R"({"schemaVersion":2,"schemaVersion":2})", "twice"},
      {"no version", "{}", "`schemaVersion` is missing"},
      {"schema 1", R"({"schemaVersion":1})", "`schemaVersion` is not 2"},
      {"version as text", R"({"schemaVersion":"2"})", "`schemaVersion` is not a whole number"},
      {"no config", R"({"schemaVersion":2,"layers":[]})", "`config` is missing"},
      {"config as text", R"({"schemaVersion":2,"config":"x"})", "`config` is not an object"},
      {"no layers", R"({"schemaVersion":2,"config":)" + descriptor() + "}", "`layers` is missing"},
      {"layers as object", manifest("{}"), "`layers` is not an array"},
      {"a layer as number", manifest("[1]"), "`layers[0]` is not an object"},
      {"negative size", manifest("[" + descriptor(kDigest, "-1") + "]"), "`layers[0].size`"},
      {"fractional size", manifest("[" + descriptor(kDigest, "1.0") + "]"), "`layers[0].size`"},
      {"size past int64", manifest("[" + descriptor(kDigest, "9223372036854775808") + "]"),
       "`layers[0].size`"},
      {"size past everything", manifest("[" + descriptor(kDigest, "1e400") + "]"), "manifest: "},
      {"digest as path", manifest("[" + descriptor("sha256:../../../etc/passwd") + "]"),
       "`layers[0].digest` is not a sha256 digest"},
      {"digest too short", manifest("[" + descriptor(one_hex) + "]"), "`layers[0].digest`"},
      {"digest bare", manifest("[" + descriptor(kHex) + "]"), "`layers[0].digest`"},
      {"digest of sha512", manifest("[" + descriptor("sha512:" + kHex + kHex) + "]"),
       "other than sha256"},
      {"second layer bad", manifest("[" + descriptor() + "," + descriptor("x") + "]"),
       "`layers[1].digest`"},
      {"media type with space",
       manifest(R"([{"mediaType":"a b/c","size":1,"digest":")" + kDigest + "\"}]"),
       "`layers[0].mediaType`"},
      {"annotation as number", manifest("[]", R"(,"annotations":{"a":1})"), "`annotations.a`"},
      {"annotations as array", manifest("[]", R"(,"annotations":[])"), "`annotations`"},
      {"a NUL in text", manifest("[]", R"(,"annotations":{"a":"x\u0000y"})"), "`annotations.a`"},
      {"an index", R"({"schemaVersion":2,"manifests":[]})", "`manifests` does not belong here"},
      {"a manifest and an index", manifest("[]", R"(,"manifests":[])"), "`manifests`"},
      {"of another media type", manifest("[]", R"(,"mediaType":"text/plain")"), "`mediaType`"},
      {"of an index's type",
       manifest("[]", R"(,"mediaType":"application/vnd.oci.image.index.v1+json")"), "`mediaType`"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const auto result = parse_manifest(c.text);
    REQUIRE_FALSE(result.ok());
    CAPTURE(result.error().message);
    CHECK(result.error().message.find(c.message) != std::string::npos);
    CHECK((result.error().kind == ErrorKind::Corrupt ||
           result.error().kind == ErrorKind::Unsupported));
  }
  CHECK_FALSE(parse_index(good).ok());
  CHECK(parse_manifest(manifest("[]", R"(,"future":{"x":[1,2.5,null]})")).ok());
}

TEST_CASE("a hostile image config is refused, and the message names the field") {
  struct Case {
    const char* what;
    std::string text;
    const char* message;
  };
  REQUIRE(parse_image_config(config("[\"" + kDigest + "\"]")).ok());
  const Case cases[] = {
      {"no os", R"({"architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}})", "`os`"},
      {"no rootfs", R"({"architecture":"amd64","os":"linux"})", "`rootfs` is missing"},
      {"another rootfs", R"({"architecture":"a","os":"linux","rootfs":{"type":"x","diff_ids":[]}})",
       "`rootfs.type`"},
      {"no diff_ids", R"({"architecture":"a","os":"linux","rootfs":{"type":"layers"}})",
       "`rootfs.diff_ids` is missing"},
      {"diff_id as number", config("[1]"), "`rootfs.diff_ids[0]` is not a string"},
      {"diff_id null", config("[null]"), "`rootfs.diff_ids[0]` is not a string"},
      {"env as object", config("[]", R"(,"config":{"Env":{}})"), "`config.Env` is not an array"},
      {"env of numbers", config("[]", R"(,"config":{"Env":["A=1",2]})"), "`config.Env[1]`"},
      {"user as number", config("[]", R"(,"config":{"User":0})"), "`config.User`"},
      {"NUL in the folder", config("[]", R"(,"config":{"WorkingDir":"/a\u0000b"})"),
       "`config.WorkingDir`"},
      {"volumes as array", config("[]", R"(,"config":{"Volumes":["/a"]})"), "`config.Volumes`"},
      {"labels of numbers", config("[]", R"(,"config":{"Labels":{"a":1}})"), "`config.Labels.a`"},
      {"empty_layer as text", config("[]", R"(,"history":[{"empty_layer":"yes"}])"),
       "`history[0].empty_layer`"},
      {"config as array", config("[]", R"(,"config":[])"), "`config` is not an object"},
      {"too deep", R"({"config":{"x":)" + nested(64) + "}}", "levels deep"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const auto result = parse_image_config(c.text);
    REQUIRE_FALSE(result.ok());
    CAPTURE(result.error().message);
    CHECK(result.error().message.find(c.message) != std::string::npos);
    CHECK(result.error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("no prefix and no single broken byte of a document brings the parser down") {
  const std::string good = manifest("[" + descriptor() + "]", R"(,"annotations":{"a":"b"})");
  for (std::size_t i = 0; i < good.size(); ++i) {
    CHECK_FALSE(parse_manifest(good.substr(0, i)).ok());
    for (const char c : {'\0', '"', '{', '}', '\x80', '9', '\\'}) {
      std::string broken = good;
      broken[i] = c;
      const auto result = parse_manifest(broken);
      if (!result.ok()) CHECK_FALSE(result.error().message.empty());
    }
  }
}
