#include "layer/layer_edits.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "base/file.h"
#include "layer/edited_toc.h"
#include "layer/stargz_toc.h"
#include "layer/tar_header.h"
#include "layer/tar_layer.h"
#include "layer/testing/tar_maker.h"
#include "layer/unpack_layer.h"

namespace slipway::layer {
namespace {

using testing::gzip;
using testing::raw_entry;
using testing::unpack;

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// A tar in several gzip members, as wheels make one: headers, a large file, what is behind it.
struct Sample {
  std::string library = noise(300'000, 1), other = noise(200'000, 2);
  std::vector<std::string> pieces = {
      raw_entry({"opt/", '5', "", "", 0755}) + raw_entry({"opt/a.h", '0', "header"}) +
          head({"opt/kernels.so", '0', library, "", 0755}),
      library, padding(library) + head({"opt/other.so", '0', other}), other,
      padding(other) + raw_entry({"opt/RECORD", '0', "old record"}) +
          raw_entry({"opt/link", '2', "", "a.h"}) + raw_entry({"opt/twin", '0', "twin"}) +
          raw_entry({"opt/twin2", '1', "", "opt/twin"}) + testing::tar_end()};

  static std::string head(const testing::RawEntry& entry) {
    return raw_entry(entry).substr(0, 512);
  }
  static std::string padding(const std::string& contents) {
    return std::string((512 - contents.size() % 512) % 512, '\0');
  }
  std::string tar() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }
  std::string blob() const {
    std::string all;
    for (const std::string& piece : pieces) all += gzip(piece);
    return all;
  }
};

bool any_path(const std::string&) { return true; }

TemporaryFolder unpacked(const std::string& blob) {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-edit").value();
  BytesSource source(as_bytes(blob));
  REQUIRE(unpack_layer(source, folder.path(), OverlayMarks::Trusted, Owners::Caller, {}).ok());
  return folder;
}

/// Zeros in these ranges.
Patch holes(std::initializer_list<ByteRange> ranges) {
  Patch patch;
  for (const ByteRange& range : ranges)
    patch.pieces.push_back({range.offset, range.size, Piece::Zeros{}});
  return patch;
}

std::string edited(const std::string& blob, const LayerEdits& edits,
                   OldToc toc = OldToc::Distrusted) {
  const LayerSurvey survey = survey_layer(as_bytes(blob), any_path, {}).value();
  const TemporaryFolder tree = unpacked(blob);
  StringSink out;
  const LayerFacts facts = write_edited_layer(as_bytes(blob), survey, edits,
                                              digest_patched_files(tree.path(), edits).value(), toc,
                                              tree.path(), out, {})
                               .value();
  CHECK(facts.digest == sha256(out.text));
  CHECK(facts.size_bytes == out.text.size());
  CHECK(facts.diff_id == sha256(unpack(out.text)));
  CHECK(facts.tar_bytes == unpack(out.text).size());
  const auto table = survey_layer(as_bytes(out.text), any_path, {})->toc;
  CHECK(facts.toc == (table ? std::optional(sha256(*table)) : std::nullopt));
  return out.text;
}

TEST_CASE("a survey finds what can be edited") {
  const Sample sample;
  const LayerSurvey survey = survey_layer(as_bytes(sample.blob()), any_path, {}).value();
  CHECK(survey.diff_id == sha256(sample.tar()));
  CHECK(survey.parts.size() == sample.pieces.size());
  std::vector<std::string> files;
  for (const auto& [path, place] : survey.files) files.push_back(path);
  CHECK(files ==
        std::vector<std::string>{"opt/RECORD", "opt/a.h", "opt/kernels.so", "opt/other.so"});
  CHECK(survey.tangled == std::set<std::string>{"opt", "opt/link", "opt/twin", "opt/twin2"});
  const TarPlace& place = survey.files.at("opt/kernels.so");
  CHECK(sample.tar().substr(place.contents, place.size) == sample.library);
}

TEST_CASE("nothing to change gives the same bytes") {
  const std::string blob = Sample().blob();
  CHECK(edited(blob, {}) == blob);
}

TEST_CASE("holes leave the rest of the tar, and the members without any, as they were") {
  const Sample sample;
  Patch patch = holes({{0, 10}, {4096, 65'536}});
  patch.pieces.push_back({100'000, 3, std::string("new")});
  patch.pieces.push_back({100'003, 50'000, Piece::Moved{200'001}});
  patch.pieces.push_back({299'999, 1, Piece::Zeros{}});
  const LayerEdits edits = {{"opt/kernels.so", patch}};
  const std::string blob = edited(sample.blob(), edits);
  std::string expected = sample.tar();
  const std::size_t at = expected.find(sample.library);
  expected.replace(at, 10, 10, '\0');
  expected.replace(at + 4096, 65'536, 65'536, '\0');
  expected.replace(at + 100'000, 3, "new");
  expected.replace(at + 100'003, 50'000, sample.library, 200'001, 50'000);
  expected[at + 299'999] = '\0';
  CHECK(unpack(blob) == expected);
  CHECK(blob.starts_with(gzip(sample.pieces[0])));
  CHECK(blob.ends_with(gzip(sample.pieces[2]) + gzip(sample.pieces[3]) + gzip(sample.pieces[4])));
  CHECK(blob.size() < sample.blob().size() - 64'000);
}

TEST_CASE("the edited tree is what the edited blob unpacks to") {
  const Sample sample;
  const std::string blob = sample.blob();
  const LayerEdits edits = {{"opt/kernels.so", holes({{8192, 262'144}})},
                            {"opt/other.so", Remove{}},
                            {"opt/a.h", Remove{}},
                            {"opt/RECORD", Rewrite{"a new record, and a longer one"}}};
  const std::string slim = edited(blob, edits);
  const TemporaryFolder full_folder = unpacked(blob), expected_folder = unpacked(slim);
  const TemporaryFolder cut_folder = TemporaryFolder::create("/tmp", "slipway-edit").value();
  const std::string &full = full_folder.path(), &expected = expected_folder.path(),
                    &cut = cut_folder.path();
  REQUIRE(write_edited_tree(full, cut, edits, {}).ok());
  const std::vector<std::string> names = list_folder(cut + "/opt").value();
  CHECK(names == list_folder(expected + "/opt").value());
  for (const std::string& name : names) {
    CAPTURE(name);
    struct stat ours {
    }, theirs{};
    REQUIRE(::lstat((cut + "/opt/" + name).c_str(), &ours) == 0);
    REQUIRE(::lstat((expected + "/opt/" + name).c_str(), &theirs) == 0);
    CHECK(ours.st_mode == theirs.st_mode);
    CHECK(ours.st_size == theirs.st_size);
    CHECK(ours.st_mtim.tv_sec == theirs.st_mtim.tv_sec);
    if (!S_ISREG(ours.st_mode)) continue;
    CHECK(read_file(cut + "/opt/" + name).value() == read_file(expected + "/opt/" + name).value());
  }
  struct stat hollow {
  }, twin{}, old{};
  REQUIRE(::stat((cut + "/opt/kernels.so").c_str(), &hollow) == 0);
  CHECK(hollow.st_blocks * 512 < 100'000);
  CHECK(digest_of_patched(as_bytes(sample.library), holes({{8192, 262'144}})) ==
        sha256(read_file(cut + "/opt/kernels.so").value()));
  // What did not change is the same file, and the full layer is as it was.
  REQUIRE(::stat((cut + "/opt/twin").c_str(), &twin) == 0);
  REQUIRE(::stat((full + "/opt/twin").c_str(), &old) == 0);
  CHECK(twin.st_ino == old.st_ino);
  CHECK(read_file(full + "/opt/kernels.so").value() == sample.library);
}

TEST_CASE("a layer in one member, or not compressed at all, is edited too") {
  const Sample sample;
  const LayerEdits edits = {{"opt/other.so", holes({{100, 150'000}})}};
  const std::string expected = unpack(edited(sample.blob(), edits));
  CHECK(unpack(edited(gzip(sample.tar()), edits)) == expected);
  CHECK(unpack(edited(sample.tar(), edits)) == expected);
}

/// A layer with a table of contents.
std::string layer_with_table() {
  std::vector<Entry> entries(5);
  const std::pair<const char*, std::string> files[] = {{"opt/RECORD", "old record"},
                                                       {"opt/a.h", noise(5000, 3)},
                                                       {"opt/empty", ""},
                                                       {"opt/kernels.so", noise(300'000, 4)},
                                                       {"opt/other.so", noise(90'000, 5)}};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].path = files[i].first;
    entries[i].content = files[i].second;
  }
  StringSink out;
  REQUIRE(write_layer(std::move(entries), out, nullptr, {}).ok());
  return out.text;
}

/// What the table at the end of the blob leads to, by path: each has the digest that it says.
std::map<std::string, std::string> read_by_table(const std::string& blob) {
  const std::string_view footer = std::string_view(blob).substr(blob.size() - kStargzFooterBytes);
  CHECK(footer == make_stargz_footer(std::stoull(std::string(footer.substr(16, 16)), nullptr, 16)));
  const std::uint64_t toc_offset = std::stoull(std::string(footer.substr(16, 16)), nullptr, 16);
  const std::string table = unpack(std::string_view(blob).substr(toc_offset));
  const std::size_t size = std::stoull(table.substr(124, 11), nullptr, 8);
  const auto json = nlohmann::json::parse(table.substr(kTarBlock, size));
  std::map<std::string, std::string> files;
  for (const auto& entry : json["entries"]) {
    const std::string name = entry["name"];
    if (entry["type"] != "reg") continue;
    std::string& contents = files[name];
    if (!entry.contains("offset")) continue;
    contents = unpack(std::string_view(blob).substr(entry["offset"])).substr(0, entry["size"]);
    CHECK(contents.size() == entry["size"]);
    CHECK(sha256(contents).text() == entry["digest"]);
    CHECK(entry["digest"] == entry["chunkDigest"]);
  }
  return files;
}

TEST_CASE("a table of contents that nobody vouches for goes") {
  const std::string full = layer_with_table();
  CHECK(unpack(full).find("stargz.index.json") != std::string::npos);
  const LayerSurvey survey = survey_layer(as_bytes(full), any_path, {}).value();
  CHECK(survey.stargz.size() == 2);
  CHECK(survey.unpacked_bytes == 395'010);
  const std::string blob = edited(full, {});
  CHECK(unpack(blob).find("stargz") == std::string::npos);
  CHECK(unpack(blob).find("landmark") == std::string::npos);
  CHECK(read_file(unpacked(blob).path() + "/opt/a.h").value() == noise(5000, 3));
}

TEST_CASE("a trusted table of contents is told anew") {
  const std::string full = layer_with_table();
  CHECK(read_by_table(full).size() == 6);  // and a landmark
  CHECK(edited(full, {}, OldToc::Trusted) == full);
  const LayerEdits edits = {{"opt/kernels.so", holes({{8192, 262'144}})},
                            {"opt/a.h", Remove{}},
                            {"opt/RECORD", Rewrite{noise(3000, 6)}}};
  const std::string blob = edited(full, edits, OldToc::Trusted);
  auto files = read_by_table(blob);
  CHECK(files.size() == 5);
  const TemporaryFolder tree = unpacked(blob);
  for (const char* name : {"RECORD", "empty", "kernels.so", "other.so"}) {
    CAPTURE(name);
    CHECK(files.at(std::string("opt/") + name) == read_file(tree.path() + "/opt/" + name).value());
  }
  CHECK(files.at("opt/RECORD") == noise(3000, 6));
  CHECK(files.at("opt/other.so") == noise(90'000, 5));
  CHECK(blob.size() < full.size() - 200'000);
}

TEST_CASE("tables that cannot be told anew") {
  const std::string entry = R"("name":"a","type":"reg","size":5,"offset":10,)";
  const std::string digests = R"("digest":"sha256:0","chunkDigest":"sha256:0")";
  const auto is_told = [](const std::string& entries) {
    const EditedToc::Changes changes = {{"a", EditedToc::File{7, sha256("new")}}};
    return EditedToc::read(R"({"version":1,"entries":[)" + entries + "]}", changes, {0, 10})
        .has_value();
  };
  CHECK(is_told("{" + entry + digests + "}"));
  CHECK(is_told(R"({"name":"./b","type":"dir"},{"size":5,"offset":10,"type":"reg","name":"./a",)" +
                digests + "}"));
  for (const std::string& other : {
           "{" + entry + digests + "},{" + entry + digests + "}",  // there twice
           "{" + entry + R"("digest":"sha256:0"})",                // no digest of its chunk
           "{" + entry + digests + R"(,"chunkSize":3})",           // the first of several
           "{" + entry + digests + R"(},{"name":"a","type":"chunk","offset":10})",
           "{" + entry + digests + R"(},{"name":"b","type":"reg","innerOffset":3})",
           "{" + entry + digests + R"(},{"name":"b","type":"reg","offset":11})",
           "{" + entry + digests + R"(},{"name":"b","type":"reg","offset":"10"})",
           "{" + entry + digests + R"(},{"type":"reg"})",
           "{" + entry + digests + "},7",
           std::string(R"({"name":"b","type":"reg"})"),
           std::string(),
       }) {
    CAPTURE(other);
    CHECK_FALSE(is_told(other));
  }
  for (const char* text : {"", "{", "[]", "{}", R"({"entries":{}})"}) {
    CAPTURE(text);
    CHECK_FALSE(EditedToc::read(text, {}, {}).has_value());
  }
}

TEST_CASE("damaged blobs are Corrupt; sizes in another form are Unsupported") {
  const std::string blob = Sample().blob();
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{30}, blob.size() / 2, blob.size() - 9}) {
    CAPTURE(length);
    CHECK(survey_layer(as_bytes(blob.substr(0, length)), any_path, {}).error().kind ==
          ErrorKind::Corrupt);
  }
  std::string damaged = blob;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] + 1);
  CHECK_FALSE(survey_layer(as_bytes(damaged), any_path, {}).ok());
  CHECK_FALSE(survey_layer(as_bytes(blob + "more"), any_path, {}).ok());

  testing::RawEntry entry{"RECORD", '0', "ten bytes."};
  entry.size_field = std::string("        12 \0", 12);  // old tars: blanks before the digits
  const std::string odd = gzip(raw_entry(entry) + testing::tar_end());
  const auto survey = survey_layer(as_bytes(odd), any_path, {});
  REQUIRE(survey.ok());
  StringSink out;
  const auto written = write_edited_layer(as_bytes(odd), *survey, {{"RECORD", Rewrite{"x"}}}, {},
                                          OldToc::Distrusted, "/", out, {});
  CHECK(written.error().kind == ErrorKind::Unsupported);
}

}  // namespace
}  // namespace slipway::layer
