#include "layer/deb_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::layer {
namespace {

struct Member {
  std::string path;
  std::string content;
  unsigned type = AE_IFREG;
  unsigned mode = 0644;
  std::string link = {};
};

enum class Format { Ar, Tar };

std::string make_archive(Format format, int filter, const std::vector<Member>& members) {
  std::string bytes(1U << 20U, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  if (format == Format::Ar) archive_write_set_format_ar_svr4(writer);
  if (format == Format::Tar) archive_write_set_format_gnutar(writer);
  archive_write_add_filter(writer, filter);
  archive_write_set_bytes_per_block(writer, 0);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const auto& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, static_cast<mode_t>(member.mode));
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    if (member.type == AE_IFLNK) archive_entry_set_symlink(entry, member.link.c_str());
    if (member.type == AE_IFREG && !member.link.empty()) {
      archive_entry_set_hardlink(entry, member.link.c_str());
    }
    archive_entry_set_uid(entry, ::getuid());
    archive_entry_set_gid(entry, ::getgid());
    REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
    archive_write_data(writer, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

std::string make_deb(const std::vector<Member>& data, int filter, const char* suffix,
                     const std::string& control = "Package: a\n") {
  const auto tar = [&](const std::vector<Member>& members) {
    return make_archive(Format::Tar, filter, members);
  };
  return make_archive(Format::Ar, ARCHIVE_FILTER_NONE,
                      {{"debian-binary", "2.0\n"},
                       {std::string("control.tar") + suffix, tar({{"./control", control}})},
                       {std::string("data.tar") + suffix, tar(data)}});
}

struct Room {
  TemporaryFolder folder = TemporaryFolder::create("/tmp").value();
  std::string deb = join_path(folder.path(), "a.deb");
  std::string root = join_path(folder.path(), "root");

  Room() { REQUIRE(make_folders(root)); }
  std::string path(const char* name) const { return join_path(root, name); }
  Result<void> unpack(const std::string& bytes) const {
    REQUIRE(write_file(deb, bytes));
    return unpack_deb(deb, root);
  }
};

TEST_CASE("packages of every compression unpack through the merged /usr") {
  struct Case {
    int filter;
    const char* suffix;
  };
  for (const auto& item : {Case{ARCHIVE_FILTER_NONE, ""}, Case{ARCHIVE_FILTER_GZIP, ".gz"},
                           Case{ARCHIVE_FILTER_XZ, ".xz"}, Case{ARCHIVE_FILTER_ZSTD, ".zst"}}) {
    INFO(item.suffix);
    const Room room;
    REQUIRE(make_folders(room.path("usr/bin")));
    REQUIRE(::symlink("usr/bin", room.path("bin").c_str()) == 0);
    const auto deb = make_deb({{"./", "", AE_IFDIR, 0755},
                               {"./bin/", "", AE_IFDIR, 0755},
                               {"./bin/su", "new", AE_IFREG, 04755},
                               {"./bin/su2", "", AE_IFREG, 04755, "./bin/su"},
                               {"./bin/sh", "", AE_IFLNK, 0777, "su"}},
                              item.filter, item.suffix, "Package: shadow\nEssential: yes\n");
    REQUIRE(room.unpack(deb));
    CHECK(read_file(room.path("usr/bin/su")).value() == "new");
    CHECK(read_file(room.path("usr/bin/sh")).value() == "new");
    struct stat status {};
    REQUIRE(::stat(room.path("usr/bin/su2").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 04755);
    CHECK(status.st_nlink == 2);
    REQUIRE(::lstat(room.path("bin").c_str(), &status) == 0);
    CHECK(S_ISLNK(status.st_mode));
    const auto control = parse_deb_control(read_deb_control(room.deb).value()).value();
    CHECK(control.package == "shadow");
    CHECK(control.is_essential);
    REQUIRE(room.unpack(deb));  // again, over what is there
  }
}

TEST_CASE("packages that reach outside, hold devices or are broken are refused") {
  const Member link{"./out", "", AE_IFLNK, 0777, "/"};
  const auto deb = [](std::vector<Member> members) {
    return make_deb(members, ARCHIVE_FILTER_GZIP, ".gz");
  };
  const auto good = deb({{"./a", std::string(5000, 'a')}});
  struct Case {
    const char* name;
    std::string bytes;
  };
  const Case cases[] = {
      {"dots", deb({{"./../x", "x"}})},
      {"dots inside", deb({{"usr/../../x", "x"}})},
      {"hard link outside", deb({{"./x", "", AE_IFREG, 0644, "../../etc/passwd"}})},
      {"pipe", deb({{"./x", "", AE_IFIFO, 0644}})},
      {"cut short", good.substr(0, good.size() - 40)},
      {"no data", make_archive(Format::Ar, ARCHIVE_FILTER_NONE, {{"debian-binary", "2.0\n"}})},
      {"no ar", "PK nothing"},
      {"empty", ""},
  };
  for (const auto& item : cases) {
    INFO(item.name);
    const Room room;
    const auto result = room.unpack(item.bytes);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::Corrupt);
    CHECK_FALSE(path_exists(join_path(room.folder.path(), "x")));
  }
  const Room room;
  REQUIRE(
      room.unpack(deb({link, {"./out/tmp/slipway-escaped", "x"}, {"./tmp/", "", AE_IFDIR, 0755}}))
          .ok() == false);
  CHECK_FALSE(path_exists("/tmp/slipway-escaped"));
  REQUIRE(
      room.unpack(deb({{"./tmp/", "", AE_IFDIR, 0755}, link, {"./out/tmp/slipway-inside", "x"}})));
  CHECK_FALSE(path_exists("/tmp/slipway-inside"));
  CHECK(read_file(room.path("tmp/slipway-inside")).value() == "x");
}

TEST_CASE("control files") {
  const auto control = parse_deb_control(
      "Package: git\nDepends: libc6 (>= 2.36), perl:any | perl5,\n libx\nPre-Depends: dpkg\n"
      "Provides: git-core (= 1), vcs\nEssential: no\n\nPackage: other\n");
  REQUIRE(control.ok());
  CHECK(control->package == "git");
  CHECK_FALSE(control->is_essential);
  CHECK(control->depends ==
        std::vector<std::vector<std::string>>{{"dpkg"}, {"libc6"}, {"perl", "perl5"}, {"libx"}});
  CHECK(control->provides == std::vector<std::string>{"git-core", "vcs"});
  CHECK_FALSE(parse_deb_control(""));
  CHECK_FALSE(parse_deb_control("Version: 1\n"));
}

TEST_CASE("essential packages and their needs first, dependencies before dependents") {
  const std::vector<DebControl> controls = {{"app", false, {{"lib"}, {"none"}}, {}},
                                            {"bash", true, {{"libc"}}, {}},
                                            {"lib", false, {{"virtual"}}, {}},
                                            {"libc", false, {{"libgcc"}}, {}},
                                            {"libgcc", false, {{"libc"}}, {}},
                                            {"real", false, {}, {"virtual"}},
                                            {"tool", false, {{"missing", "app"}, {"lib"}}, {}}};
  const auto plan = plan_install_order(controls);
  CHECK(plan.base_count == 3);
  CHECK(plan.order == std::vector<std::size_t>{4, 3, 1, 5, 2, 0, 6});
  CHECK(plan_install_order({}).order.empty());
}

}  // namespace
}  // namespace slipway::layer
