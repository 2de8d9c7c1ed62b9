// What an index sends, and what a cache holds: pages, METADATA, the end of a wheel, pip's files.
// Read or refused, never a crash; a page that is read comes back from the cache as it was.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/content_range.h"
#include "http/url.h"
#include "index/core_metadata.h"
#include "index/page_cache.h"
#include "index/pip_configuration.h"
#include "index/project_page.h"
#include "index/remote_zip.h"

using namespace slipway;

namespace {

class TextReader final : public index::RangeReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}
  Result<http::RangeBody> read_tail(std::uint64_t count) override {
    const std::size_t first = text_.size() - std::min<std::size_t>(count, text_.size());
    return http::RangeBody{std::string(text_.substr(first)), first, text_.size()};
  }
  Result<std::string> read_range(std::uint64_t first, std::uint64_t count) override {
    SLIPWAY_CHECK(first <= text_.size() && count <= text_.size() - first);
    return std::string(text_.substr(first, count));
  }

 private:
  std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto page = index::parse_project_page(text, "https://host.example/simple/a/");
  if (page.ok()) {
    for (const auto& wheel : page.value().wheels) {
      SLIPWAY_CHECK(wheel.file_name.find('/') == std::string::npos);
    }
    const index::CachedPage cached{"u", "", std::chrono::seconds(1), std::move(page).value()};
    SLIPWAY_CHECK(index::parse_page(index::write_page(cached)).has_value());
  }
  static_cast<void>(index::parse_page(text).has_value());
  static_cast<void>(index::parse_core_metadata(text).ok());
  static_cast<void>(index::PipFile::parse(text).find("global", "index-url").has_value());
  static_cast<void>(http::parse_content_range(text).has_value());
  static_cast<void>(http::resolve_url("https://host.example/a/b", text).ok());
  if (const auto time = parse_utc_time(text); time.ok()) {
    SLIPWAY_CHECK(parse_utc_time(utc_time_text(*time)).value() == *time);
  }
  TextReader reader(text);
  static_cast<void>(index::read_wheel_metadata(reader).ok());
  return 0;
}
