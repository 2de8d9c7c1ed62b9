/// A Python package index over a real socket, for tests: the wheels of a folder, or those made up
/// by the test, with every fault that a real index has shown.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "http/testing/fake_server.h"

namespace slipway::index::testing {

/// A small valid wheel (a zip of stored members). `metadata` is its METADATA; when empty, one with
/// Name and Version from `file_name`.
std::string make_wheel(std::string_view file_name, std::string_view metadata = {});

struct FakeFile {
  std::string file_name;
  std::string bytes;
  std::string metadata;  ///< served as `.metadata` when not empty
  std::string requires_python{};
  std::string yanked{};              ///< the reason
  bool announces_metadata = true;    ///< `core-metadata` in the page, with its sha256
  bool lies_about_metadata = false;  ///< that sha256 is of something else
  std::string sha256{};              ///< as the page says; worked out when empty
  std::uint64_t size_bytes = 0;      ///< likewise
};

/// How the server behaves, beyond serving what it has.
struct Faults {
  int page_status = 200;
  std::string page_body{};  ///< instead of the real page
  std::string page_type{};  ///< Content-Type of the page
  std::string cache_control{};
  bool has_etag = true;
  bool ignores_ranges = false;
  std::optional<std::size_t> cut_files_after{};
  std::size_t piece_bytes = 0;  ///< a slow trickle
  std::string password{};       ///< `user:password`, base64: needed for all
};

class FakeIndex {
 public:
  static Result<std::unique_ptr<FakeIndex>> start(int port = 0);
  /// Every wheel in the folder; METADATA is found inside each.
  static Result<std::unique_ptr<FakeIndex>> serve_folder(const std::string& folder, int port = 0);

  void add(FakeFile file);
  void set_faults(Faults faults);
  std::string url() const { return server_->url() + "/simple/"; }
  http::testing::FakeServer& server() { return *server_; }
  /// Requests whose path holds `part`.
  std::size_t count_requests(std::string_view part);

 private:
  struct State {
    std::map<std::string, std::vector<FakeFile>> projects;  // by normalised name
    std::string folder;                                     // bytes come from here when not held
    Faults faults;
  };
  http::testing::FakeResponse answer(const http::testing::FakeRequest& request);
  http::testing::FakeResponse answer_page(const State& state, std::string_view project,
                                          const http::testing::FakeRequest& request) const;
  http::testing::FakeResponse answer_file(const State& state, std::string_view name,
                                          const http::testing::FakeRequest& request) const;

  Guarded<State> state_;
  std::unique_ptr<http::testing::FakeServer> server_;
};

}  // namespace slipway::index::testing
