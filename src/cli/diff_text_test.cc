#include "cli/diff_text.h"

#include <doctest/doctest.h>

namespace slipway::cli {
namespace {

layer::FileLook file_of(std::uint64_t bytes, unsigned mode = 0644) {
  layer::FileLook look;
  look.size_bytes = bytes;
  look.mode = mode;
  return look;
}

plan::ImageDiff make_diff() {
  plan::ImageDiff diff;
  diff.before = {"a:1", sha256("1"), 3, 1000, 2000};
  diff.after = {"a:2", sha256("2"), 3, 3000, 2000};
  diff.shared_layers = 2;
  diff.shared_bytes = 500;
  diff.pulled_layers = 1;
  diff.pulled_bytes = 2500;
  return diff;
}

TEST_CASE("the page of two images that differ in everything") {
  plan::ImageDiff diff = make_diff();
  diff.packages = {{plan::PackageKind::Python, "torch", "2.6.0", "2.7.0", {1, 2, 3, 1'500'000'000}},
                   {plan::PackageKind::Python, "new\x1b[2J", "", "1", {1, 0, 0, 12}},
                   {plan::PackageKind::Python, "six", "1.17.0", "1.17.0", {0, 0, 1, 0}},
                   {plan::PackageKind::Debian, "gone", "1:2-3", "", {0, 9, 0, -4000}}};
  diff.code = {{"", {"sm_120", "compute_120"}, {"sm_50"}}};
  diff.config = {{"user", "", "0:0", false, true}, {"label x", "1", "", true, false}};
  diff.files = {{{"/etc/mode", file_of(5, 0644), file_of(5, 0755), false}, ""},
                {{"/etc/new", std::nullopt, file_of(1234), false}, ""},
                {{"/opt/torch.py", file_of(1), file_of(2), true}, "torch"}};
  CHECK(diff_page(diff, ShowFiles::Some, Colour::No) ==
        "a:1 (6b86b273ff34) -> a:2 (d4735e3a265e)\n"
        "\n"
        "Python packages\n"
        "  ~ torch    2.6.0 -> 2.7.0  +1.5 GB\n"
        "  + new?[2J  1               +12 B\n"
        "  ~ six      1.17.0                   1 file of the same version\n"
        "\n"
        "Debian packages\n"
        "  - gone  1:2-3  -4.0 kB\n"
        "\n"
        "machine code for GPUs\n"
        "  + the image  sm_120 compute_120\n"
        "  - the image  sm_50\n"
        "\n"
        "configuration\n"
        "  + user     0:0\n"
        "  - label x  1\n"
        "\n"
        "files of no package\n"
        "  ~ /etc/mode  5 B, mode 644 -> 755\n"
        "  + /etc/new   1.2 kB\n"
        "\n"
        "size\n"
        "  compressed  1.0 kB -> 3.0 kB (+2.0 kB)\n"
        "  unpacked    2.0 kB, as before\n"
        "  to pull     2.5 kB in 1 layer; 2 layers (500 B) shared\n");
  const std::string all = diff_page(diff, ShowFiles::All, Colour::Yes);
  CHECK(all.find("\x1b[32m+\x1b[0m") != std::string::npos);
  CHECK(all.find("/opt/torch.py  1 B -> 2 B") != std::string::npos);
  const std::string json = diff_json(diff, ShowFiles::Some);
  CHECK(json.find("\"files\": null") != std::string::npos);
  CHECK(json.find("\"differ\": true") != std::string::npos);
}

TEST_CASE("the page of images that are the same") {
  plan::ImageDiff diff = make_diff();
  CHECK(diff_page(diff, ShowFiles::Some, Colour::No).find("no file and no setting differs") !=
        std::string::npos);
  diff.after.digest = diff.before.digest;
  CHECK(diff_page(diff, ShowFiles::Some, Colour::No) ==
        "a:1 and a:2 (6b86b273ff34): the same image\n");
}

TEST_CASE("many files are not all shown") {
  plan::ImageDiff diff = make_diff();
  for (int i = 0; i < 30000; ++i)
    diff.files.push_back({{fmt::format("/x/{}", i), std::nullopt, file_of(1), false}, ""});
  const std::string page = diff_page(diff, ShowFiles::Some, Colour::No);
  CHECK(page.size() < 1500);
  CHECK(page.find("and 29988 more (--files shows all)") != std::string::npos);
}

}  // namespace
}  // namespace slipway::cli
