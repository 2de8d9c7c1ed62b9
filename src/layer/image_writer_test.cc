#include "layer/image_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>

#include "base/file.h"
#include "base/process.h"
#include "oci/image_config.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

/// An image whose layers are texts: the writer does not look inside.
struct Sample {
  explicit Sample(std::vector<std::string> texts) {
    oci::ImageConfig config;
    config.platform = {"amd64", "linux", "", "", {}};
    for (const std::string& text : texts) {
      manifest.layers.push_back(oci::describe(oci::kMediaTypeLayerGzip, text));
      config.diff_ids.push_back(sha256("unpacked " + text));
      layers[sha256(text)] = text;
    }
    image.name = store::parse_image_name("team/sample:1.0").value();
    image.config = oci::encode_image_config(config);
    manifest.config = oci::describe(oci::kMediaTypeConfig, image.config);
    image.manifest = oci::encode_manifest(manifest);
  }

  WriteLayerBlob writer() {
    return [this](const oci::Descriptor& layer, Sink& out) -> Result<void> {
      ++written;
      const std::string& text = layers.at(layer.digest);
      // In two parts, as a stream comes.
      const std::size_t half = text.size() / 2;
      TRY(out.write(as_bytes(std::string_view(text).substr(0, half))));
      return out.write(as_bytes(std::string_view(text).substr(half)));
    };
  }
  Result<void> save(ImageFormat format, const std::string& path) {
    return save_image(image, format, path, writer(), CancelToken());
  }
  Result<std::string> stream(ImageFormat format) {
    StringSink out;
    TRY(write_image(image, format, out, writer(), CancelToken()));
    return std::move(out.text);
  }

  ImageBytes image;
  oci::Manifest manifest;
  std::map<Digest, std::string> layers;
  std::atomic<int> written = 0;
};

TemporaryFolder make_folder() { return TemporaryFolder::create("/tmp", "slipway-test").value(); }

constexpr ImageFormat kAllFormats[] = {ImageFormat::OciFolder, ImageFormat::OciArchive,
                                       ImageFormat::DockerArchive};

}  // namespace

TEST_CASE("a folder holds the layout, the index and every blob under its digest") {
  Sample sample({"one", "two", "one"});
  const TemporaryFolder folder = make_folder();
  const std::string path = folder.path() + "/image";
  REQUIRE(sample.save(ImageFormat::OciFolder, path).ok());
  CHECK(sample.written == 2);
  CHECK(list_folder(path).value() == std::vector<std::string>{"blobs", "index.json", "oci-layout"});
  CHECK(oci::check_layout(read_file(path + "/oci-layout").value()).ok());
  const auto index = oci::parse_index(read_file(path + "/index.json").value());
  REQUIRE(index.ok());
  REQUIRE(index->manifests.size() == 1);
  CHECK(index->manifests[0].digest == sha256(sample.image.manifest));
  CHECK(index->manifests[0].annotations.at("org.opencontainers.image.ref.name") == "1.0");
  const auto blobs = list_folder(path + "/blobs/sha256").value();
  CHECK(blobs.size() == 4);
  for (const std::string& name : blobs) {
    CHECK(sha256_of_file(path + "/blobs/sha256/" + name).value().hex() == name);
  }
  CHECK(list_folder(folder.path()).value() == std::vector<std::string>{"image"});
}

TEST_CASE("blobs of a layout that is there are kept where they are right") {
  Sample sample({"one", "two", "three"});
  const TemporaryFolder folder = make_folder();
  const std::string path = folder.path() + "/image";
  REQUIRE(sample.save(ImageFormat::OciFolder, path).ok());
  const auto blob = [&](std::string_view text) {
    return path + "/blobs/sha256/" + sha256(text).hex();
  };
  // Of the same size and wrong; a link; and one that is no part of the image.
  write_file(blob("two"), "owt").value();
  remove_file(blob("three")).value();
  write_file(folder.path() + "/elsewhere", "three").value();
  REQUIRE(::symlink((folder.path() + "/elsewhere").c_str(), blob("three").c_str()) == 0);
  write_file(blob("four"), "four").value();
  // Right, and of another time, as other tools would write it.
  const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  REQUIRE(::utimensat(AT_FDCWD, blob("one").c_str(), now, 0) == 0);
  sample.written = 0;
  REQUIRE(sample.save(ImageFormat::OciFolder, path).ok());
  CHECK(sample.written == 2);
  for (const std::string_view text : {"one", "two", "three"}) {
    CHECK(read_file(blob(text)).value() == text);
  }
  CHECK_FALSE(path_exists(blob("four")));
  struct stat status {};
  REQUIRE(::lstat(blob("three").c_str(), &status) == 0);
  CHECK(S_ISREG(status.st_mode));
}

TEST_CASE("tar reads the archives, and the same image gives the same bytes") {
  Sample sample({std::string(511, 'a'), std::string(512, 'b'), std::string(100000, 'c'), ""});
  const TemporaryFolder folder = make_folder();
  for (const ImageFormat format : {ImageFormat::OciArchive, ImageFormat::DockerArchive}) {
    const std::string path = folder.path() + "/image.tar";
    REQUIRE(sample.save(format, path).ok());
    CHECK(read_file(path).value() == sample.stream(format).value());
    const TemporaryFolder unpacked = make_folder();
    REQUIRE(run_for_output({"tar", "-xf", path, "-C", unpacked.path()}).ok());
    for (const auto& [digest, text] : sample.layers) {
      CHECK(read_file(unpacked.path() + "/blobs/sha256/" + digest.hex()).value() == text);
    }
    const std::string docker = read_file(unpacked.path() + "/manifest.json").value();
    CHECK(docker.starts_with("[{\"Config\":\"blobs/sha256/" + sha256(sample.image.config).hex() +
                             "\",\"RepoTags\":[\"team/sample:1.0\"],\"Layers\":[\"blobs/"));
    CHECK(path_exists(unpacked.path() + "/index.json") == (format == ImageFormat::OciArchive));
  }
}

TEST_CASE("a layer that is not what the manifest says leaves nothing behind") {
  struct Case {
    const char* what;
    const char* instead;
  };
  for (const Case& c : {Case{"other bytes", "ONE"}, Case{"too short", "on"}, Case{"none", ""},
                        Case{"too long", "one more"}}) {
    for (const ImageFormat format : kAllFormats) {
      CAPTURE(c.what);
      Sample sample({"one"});
      sample.layers[sha256("one")] = c.instead;
      const TemporaryFolder folder = make_folder();
      const auto result = sample.save(format, folder.path() + "/image");
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().kind == ErrorKind::Corrupt);
      CHECK(result.error().message.find(sha256("one").hex()) != std::string::npos);
      CHECK(list_folder(folder.path()).value().empty());
    }
  }
}

TEST_CASE("a manifest and a config that do not belong together are refused") {
  Sample sample({"one"});
  const TemporaryFolder folder = make_folder();
  Sample other({"two"});
  std::swap(sample.image.config, other.image.config);
  CHECK(sample.save(ImageFormat::OciFolder, folder.path() + "/x").error().kind ==
        ErrorKind::Corrupt);
  sample.image.manifest = "{}";
  CHECK(sample.save(ImageFormat::OciArchive, folder.path() + "/x").error().kind ==
        ErrorKind::Corrupt);
  CHECK(list_folder(folder.path()).value().empty());
}

TEST_CASE("an image is replaced, anything else is left alone") {
  const TemporaryFolder folder = make_folder();
  const std::string path = folder.path() + "/image";
  for (const char* text : {"one", "two"}) {
    Sample sample({text});
    REQUIRE(sample.save(ImageFormat::OciFolder, path).ok());
    CHECK(path_exists(path + "/blobs/sha256/" + sha256(text).hex()));
    REQUIRE(sample.save(ImageFormat::DockerArchive, path + ".tar").ok());
  }
  CHECK_FALSE(path_exists(path + "/blobs/sha256/" + sha256("one").hex()));

  Sample sample({"one"});
  REQUIRE(make_folders(folder.path() + "/mine").ok());
  REQUIRE(write_file(folder.path() + "/mine/thesis", "x").ok());
  for (const ImageFormat format : kAllFormats) {
    CHECK_FALSE(sample.save(format, folder.path() + "/mine").ok());
  }
  CHECK(sample.save(ImageFormat::OciFolder, path + ".tar").error().kind == ErrorKind::InvalidInput);
  CHECK(list_folder(folder.path()).value().size() == 3);
  CHECK(path_exists(folder.path() + "/mine/thesis"));
  REQUIRE(make_folders(folder.path() + "/empty").ok());
  CHECK(sample.save(ImageFormat::OciFolder, folder.path() + "/empty").ok());
}

TEST_CASE("a save that is stopped leaves nothing behind") {
  for (const ImageFormat format : kAllFormats) {
    Sample sample({"one", "two"});
    const TemporaryFolder folder = make_folder();
    const CancelToken cancel;
    const auto stop_at_two = [&](const oci::Descriptor& layer, Sink& out) -> Result<void> {
      if (layer.digest == sha256("two")) cancel.cancel();
      return sample.writer()(layer, out);
    };
    const auto result =
        save_image(sample.image, format, folder.path() + "/image", stop_at_two, cancel);
    CHECK(result.error().kind == ErrorKind::Cancelled);
    CHECK(list_folder(folder.path()).value().empty());
  }
}
