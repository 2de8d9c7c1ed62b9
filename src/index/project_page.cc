#include "index/project_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/url.h"

namespace slipway::index {
namespace {

bool is_usable_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  return std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x20 || c == 0x7f || c == '/' || c == '\\';
  });
}

/// Reads the page without building a tree of it: a large one has ten thousand files.
///
///   {"meta": {"api-version": "1.1"}, "files": [{"filename": …, "hashes": {"sha256": …}, …}]}
class PageReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit PageReader(std::string_view page_url) : page_url_(page_url) {}

  ProjectPage page;
  bool has_files = false;
  std::string api_version;
  std::string problem;

  bool null() override { return true; }
  bool boolean(bool value) override {
    if (in_file()) {
      if (is_metadata_key()) set_metadata_file(value);
      if (key_ == "yanked") file_.is_yanked = value;
    }
    return true;
  }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t value) override {
    if (in_file() && key_ == "size") file_.size_bytes = value;
    return true;
  }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool string(string_t& value) override {
    if (in_file()) {
      take_text(value);
    } else if (in_file_object() && inner_key_ == "sha256") {
      take_hash(value);
    } else if (depth_ == 2 && top_key_ == "meta" && key_ == "api-version") {
      api_version = value;
    }
    return true;
  }
  bool start_object(std::size_t) override {
    ++depth_;
    if (depth_ == 3 && is_in_files_) file_ = {};
    if (in_file_object() && is_metadata_key()) set_metadata_file(true);
    return true;
  }
  bool end_object() override {
    if (depth_ == 3 && is_in_files_) finish_file();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    if (depth_ == 2 && top_key_ == "files") has_files = is_in_files_ = true;
    return true;
  }
  bool end_array() override {
    if (depth_ == 2) is_in_files_ = false;
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) top_key_ = name;
    if (depth_ == 2 || depth_ == 3) key_ = name;
    if (depth_ == 4) inner_key_ = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    problem = error.what();
    return false;
  }

 private:
  bool in_file() const { return depth_ == 3 && is_in_files_; }
  bool in_file_object() const { return depth_ == 4 && is_in_files_; }
  bool is_metadata_key() const {
    return key_ == "core-metadata" || key_ == "dist-info-metadata" ||
           key_ == "data-dist-info-metadata";
  }
  void set_metadata_file(bool is_there) {
    file_.metadata_file = is_there ? MetadataFile::Present : MetadataFile::Absent;
  }
  void take_text(std::string& value) {
    if (key_ == "filename") file_.file_name = std::move(value);
    if (key_ == "url") file_.url = std::move(value);
    if (key_ == "upload-time") take_upload_time(value);
    if (key_ == "requires-python") file_.requires_python = std::move(value);
    if (key_ == "yanked") {
      file_.is_yanked = true;
      file_.yanked_reason = std::move(value);
    }
  }
  void take_upload_time(std::string_view value) {
    if (const auto time = parse_utc_time(value); time.ok()) file_.uploaded = *time;
  }
  void take_hash(const std::string& value) {
    auto digest = parse_digest(value);
    if (!digest.ok()) return;
    if (key_ == "hashes") file_.sha256 = digest.value();
    if (is_metadata_key()) file_.metadata_sha256 = digest.value();
  }
  void finish_file() {
    if (!file_.file_name.ends_with(".whl")) {
      page.has_other_files = true;
      return;
    }
    auto url = http::resolve_url(page_url_, file_.url);
    if (!url.ok() || file_.url.empty() || !is_usable_name(file_.file_name)) return;
    file_.url = std::move(url).value();
    page.wheels.push_back(std::move(file_));
  }

  std::string_view page_url_;
  int depth_ = 0;
  bool is_in_files_ = false;
  std::string top_key_, key_, inner_key_;
  WheelFile file_;
};

}  // namespace

Result<ProjectPage> parse_project_page(std::string_view json, std::string_view page_url) {
  PageReader reader(page_url);
  const bool is_json = nlohmann::json::sax_parse(json, &reader);
  if (!is_json) {
    return make_error(ErrorKind::Corrupt, "the page is no JSON: {}", reader.problem);
  }
  if (!reader.has_files) {
    return make_error(ErrorKind::Corrupt, "the page has no `files`: it is no project page");
  }
  if (!reader.api_version.empty() && !reader.api_version.starts_with("1.")) {
    return make_error(ErrorKind::Unsupported, "the index speaks version {} of the simple API",
                      reader.api_version);
  }
  return std::move(reader.page);
}

}  // namespace slipway::index
