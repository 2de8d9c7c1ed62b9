#include "index/testing/fake_index.h"

#include <libdeflate.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "index/remote_zip.h"
#include "version/package_name.h"

namespace slipway::index::testing {
namespace {

using http::testing::FakeRequest;
using http::testing::FakeResponse;
using http::testing::FakeServer;

void put(std::string& out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// The fields that local header and directory entry have in common, from the version on.
std::string zip_fields(std::string_view name, std::string_view content) {
  std::string out;
  put(out, 20, 2);          // version needed
  put(out, 0, 4);           // flags, method: stored
  put(out, 0x00210000, 4);  // 1980-01-01
  put(out, libdeflate_crc32(0, content.data(), content.size()), 4);
  put(out, content.size(), 4);
  put(out, content.size(), 4);
  put(out, name.size(), 2);
  put(out, 0, 2);  // extra
  return out;
}

struct ZipWriter {
  std::string bytes, directory;
  int count = 0;

  void add(std::string_view name, std::string_view content) {
    const std::string fields = zip_fields(name, content);
    directory += "PK\x01\x02";
    put(directory, 20, 2);
    directory += fields;
    put(directory, 0, 6);             // comment, disk, internal attributes
    put(directory, 0644U << 16U, 4);  // external attributes
    put(directory, bytes.size(), 4);
    directory += name;
    bytes += "PK\x03\x04" + fields;
    bytes += name;
    bytes += content;
    ++count;
  }
  std::string finish() {
    const std::size_t at = bytes.size();
    bytes += directory;
    bytes += "PK\x05\x06";
    put(bytes, 0, 4);
    put(bytes, static_cast<std::uint64_t>(count), 2);
    put(bytes, static_cast<std::uint64_t>(count), 2);
    put(bytes, directory.size(), 4);
    put(bytes, at, 4);
    put(bytes, 0, 2);
    return std::move(bytes);
  }
};

/// `a_b` and `1.0` of `a_b-1.0-py3-none-any.whl`.
std::pair<std::string, std::string> split_name(std::string_view file_name) {
  const auto dash = file_name.find('-');
  const auto next = file_name.find('-', dash + 1);
  return {std::string(file_name.substr(0, dash)),
          std::string(file_name.substr(dash + 1, next - dash - 1))};
}

std::string project_of(std::string_view file_name) {
  const auto name = version::PackageName::parse(split_name(file_name).first);
  return name.ok() ? name.value().text() : "";
}

FakeResponse not_found() { return {.status = 404, .body = "nothing here"}; }

}  // namespace

std::string make_wheel(std::string_view file_name, std::string_view metadata) {
  const auto [name, version] = split_name(file_name);
  const std::string info = name + "-" + version + ".dist-info/";
  std::string text(metadata);
  if (text.empty()) text = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n";
  ZipWriter zip;
  zip.add(name + "/__init__.py", "value = 1\n");
  zip.add(info + "METADATA", text);
  zip.add(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  zip.add(info + "RECORD", name + "/__init__.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" +
                               info + "RECORD,,\n");
  return zip.finish();
}

Result<std::unique_ptr<FakeIndex>> FakeIndex::start(int port) {
  auto index = std::make_unique<FakeIndex>();
  FakeIndex* raw = index.get();
  index->server_ = TRY(
      FakeServer::start([raw](const FakeRequest& request) { return raw->answer(request); }, port));
  return index;
}

Result<std::unique_ptr<FakeIndex>> FakeIndex::serve_folder(const std::string& folder, int port) {
  auto index = TRY(start(port));
  for (const std::string& name : TRY(list_folder(folder))) {
    if (!name.ends_with(".whl")) continue;
    auto metadata = TRY(read_wheel_metadata_of_file(join_path(folder, name)));
    const std::string path = join_path(folder, name);
    FakeFile file{name, "", std::move(metadata)};
    file.sha256 = TRY(sha256_of_file(path)).hex();
    file.size_bytes = TRY(file_size(path));
    index->add(std::move(file));
  }
  index->state_.with([&](State& state) { state.folder = folder; });
  return index;
}

void FakeIndex::add(FakeFile file) {
  if (file.sha256.empty()) file.sha256 = sha256(file.bytes).hex();
  if (file.size_bytes == 0) file.size_bytes = file.bytes.size();
  state_.with(
      [&](State& state) { state.projects[project_of(file.file_name)].push_back(std::move(file)); });
}

void FakeIndex::set_faults(Faults faults) {
  state_.with([&](State& state) { state.faults = std::move(faults); });
}

std::size_t FakeIndex::count_requests(std::string_view part) {
  const auto requests = server_->requests();
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(),
                    [&](const FakeRequest& r) { return r.path.find(part) != std::string::npos; }));
}

FakeResponse FakeIndex::answer(const FakeRequest& request) {
  constexpr std::string_view kPages = "/simple/";
  constexpr std::string_view kFiles = "/files/";
  const State state = state_.with([](const State& current) { return current; });
  if (!state.faults.password.empty()) {
    const auto given = request.headers.find("authorization");
    if (given == request.headers.end() || given->second != "Basic " + state.faults.password) {
      return {.status = 401};
    }
  }
  std::string_view path = request.path;
  if (path.starts_with(kPages) && path.ends_with('/')) {
    path.remove_prefix(kPages.size());
    return answer_page(state, path.substr(0, path.find('/')), request);
  }
  if (path.starts_with(kFiles)) return answer_file(state, path.substr(kFiles.size()), request);
  return not_found();
}

FakeResponse FakeIndex::answer_page(const State& state, std::string_view project,
                                    const FakeRequest& request) const {
  const auto found = state.projects.find(std::string(project));
  const Faults& faults = state.faults;
  if (faults.page_status != 200) return {.status = faults.page_status, .body = "sorry"};
  if (found == state.projects.end() && faults.page_body.empty()) return not_found();
  nlohmann::json files = nlohmann::json::array();
  if (found != state.projects.end()) {
    for (const FakeFile& file : found->second) {
      nlohmann::json item = {{"filename", file.file_name},
                             {"url", "../../files/" + file.file_name},
                             {"size", file.size_bytes},
                             {"hashes", {{"sha256", file.sha256}}}};
      if (!file.requires_python.empty()) item["requires-python"] = file.requires_python;
      if (!file.yanked.empty()) item["yanked"] = file.yanked;
      if (file.announces_metadata && (!file.metadata.empty() || file.lies_about_metadata)) {
        const std::string& hashed = file.lies_about_metadata ? file.file_name : file.metadata;
        item["core-metadata"] = {{"sha256", sha256(hashed).hex()}};
      }
      files.push_back(item);
    }
  }
  std::string body = faults.page_body;
  if (body.empty()) {
    const nlohmann::json page = {
        {"meta", {{"api-version", "1.1"}}}, {"name", project}, {"files", files}};
    body = page.dump();
  }
  const std::string tag = "\"" + sha256(body).hex().substr(0, 16) + "\"";
  FakeResponse response = http::testing::serve_bytes(request, body, faults.has_etag ? tag : "");
  response.headers.push_back("Content-Type: " + (faults.page_type.empty()
                                                     ? "application/vnd.pypi.simple.v1+json"
                                                     : faults.page_type));
  if (!faults.cache_control.empty()) {
    response.headers.push_back("Cache-Control: " + faults.cache_control);
  }
  response.piece_bytes = faults.piece_bytes;
  return response;
}

FakeResponse FakeIndex::answer_file(const State& state, std::string_view name,
                                    const FakeRequest& request) const {
  constexpr std::string_view kMetadata = ".metadata";
  const bool wants_metadata = name.ends_with(kMetadata);
  if (wants_metadata) name.remove_suffix(kMetadata.size());
  for (const auto& [project, files] : state.projects) {
    for (const FakeFile& file : files) {
      if (file.file_name != name) continue;
      if (wants_metadata) {
        return file.metadata.empty() ? not_found() : FakeResponse{.body = file.metadata};
      }
      FakeRequest plain = request;
      if (state.faults.ignores_ranges) plain.headers.erase("range");
      auto bytes = file.bytes.empty() ? read_file(join_path(state.folder, file.file_name)).value()
                                      : file.bytes;
      FakeResponse response = http::testing::serve_bytes(plain, std::move(bytes), "\"1\"");
      response.cut_after = state.faults.cut_files_after;
      response.piece_bytes = state.faults.piece_bytes;
      return response;
    }
  }
  return not_found();
}

}  // namespace slipway::index::testing
