#include "index/simple_index.h"

#include <fmt/format.h>

#include <charconv>

#include "base/file.h"
#include "http/url.h"
#include "index/job_pool.h"
#include "index/memo.h"
#include "index/metadata_fetcher.h"
#include "index/page_cache.h"

namespace slipway::index {
namespace {

// They wait for the network: far more of them than cores.
constexpr std::size_t kThreads = 32;
constexpr std::chrono::seconds kDefaultMaxAge{600};
constexpr std::string_view kJson = "application/vnd.pypi.simple.v1+json";

/// `max-age=600, public` (RFC 9111, section 5.2).
std::chrono::seconds read_max_age(std::optional<std::string_view> header) {
  if (!header) return kDefaultMaxAge;
  if (header->find("no-cache") != std::string_view::npos ||
      header->find("no-store") != std::string_view::npos) {
    return std::chrono::seconds(0);
  }
  constexpr std::string_view kKey = "max-age=";
  const auto at = header->find(kKey);
  if (at == std::string_view::npos) return kDefaultMaxAge;
  const auto digits = header->substr(at + kKey.size());
  unsigned seconds = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return std::chrono::seconds(seconds);
}

/// The headers of a METADATA text, with the empty line that ends them: what the cache keeps, and
/// how it knows that the file is whole.
std::string only_headers(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    // Only an empty line ends them: a line of blanks is part of a folded field, such as a licence.
    if (line.empty() || line == "\r") {
      return std::string(text.substr(0, at)) + "\n";
    }
    at = end + 1;
  }
  return std::string(text) + (text.ends_with('\n') ? "\n" : "\n\n");
}

}  // namespace

struct SimpleIndex::State {
  State(IndexConfig config, http::Client& client, const std::string& cache_folder,
        Freshness how_fresh, CancelToken user_cancel);
  ~State() { stop.cancel(); }

  Result<PagePointer> load_page(const std::string& project) const;
  Result<PagePointer> fetch_page(const std::string& project, const std::string& url,
                                 const std::string& path, std::optional<CachedPage> known) const;
  Result<MetadataPointer> load_metadata(const WheelFile& wheel) const;
  Result<std::string> load_record(const WheelFile& wheel) const;
  /// Of a file that is known by a wheel's sha256.
  std::string cached_path(const char* what, const Digest& sha256) const;

  std::string name;
  std::string url;  // ends in a slash, without password
  std::string folder;
  Freshness freshness;
  http::Client& client;
  CancelToken cancel;
  CancelToken stop;
  MetadataFetcher fetcher;
  Memo<PagePointer> pages;
  Memo<MetadataPointer> metadata;
  JobPool pool{kThreads};  // last: its threads end before the rest goes
};

SimpleIndex::State::State(IndexConfig config, http::Client& client_,
                          const std::string& cache_folder, Freshness how_fresh,
                          CancelToken user_cancel)
    : name(std::move(config.name)),
      url(http::without_credentials(config.url)),
      folder(join_path(join_path(cache_folder, "index"), name)),
      freshness(how_fresh),
      client(client_),
      cancel(std::move(user_cancel)),
      fetcher(client_, join_path(folder, "tmp"), {cancel, stop}) {
  if (!url.ends_with('/')) url += '/';
  const auto parts = http::parse_url(config.url);
  if (!parts.ok() || parts.value().user_info.empty()) return;
  const std::string& user_info = parts.value().user_info;
  const auto colon = std::min(user_info.find(':'), user_info.size());
  client.add_credentials(url, http::percent_decode(std::string_view(user_info).substr(0, colon)),
                         http::percent_decode(std::string_view(user_info).substr(
                             std::min(colon + 1, user_info.size()))));
}

Result<PagePointer> SimpleIndex::State::load_page(const std::string& project) const {
  const std::string page_url = url + project + "/";
  const std::string path = join_path(join_path(folder, "projects"), project);
  std::optional<CachedPage> known;
  if (const auto text = read_file(path); text.ok()) known = parse_page(text.value());
  if (known && known->url != page_url) known.reset();
  if (known) {
    const auto age = cache_file_age(path);
    const bool is_young = age && *age < known->max_age;
    if (freshness == Freshness::Offline || (freshness == Freshness::UseCached && is_young)) {
      return std::make_shared<const ProjectPage>(std::move(known->page));
    }
  }
  if (freshness == Freshness::Offline) {
    return make_error(
               ErrorKind::Unavailable,
               "`{}` of the index `{}` is not in the cache, and the network is not to be used",
               project, name)
        .hint("run it once without `--offline`");
  }
  return fetch_page(project, page_url, path, std::move(known));
}

Result<PagePointer> SimpleIndex::State::fetch_page(const std::string& project,
                                                   const std::string& page_url,
                                                   const std::string& path,
                                                   std::optional<CachedPage> known) const {
  http::Request request{page_url, {fmt::format("Accept: {}", kJson)}, 512U << 20U, {cancel, stop}};
  if (known && !known->etag.empty()) request.headers.push_back("If-None-Match: " + known->etag);
  const Result<http::Response> result = client.get(request);
  if (!result.ok() && result.error().kind == ErrorKind::NotFound) {
    return make_error(ErrorKind::NotFound, "the index `{}` has no project `{}`", name, project);
  }
  if (!result.ok()) {
    return Error(result.error())
        .while_doing(fmt::format("asking the index `{}` for `{}`", name, project));
  }
  const http::Response& response = result.value();
  if (response.status == 304 && known) {
    touch_cache_file(path);
    return std::make_shared<const ProjectPage>(std::move(known->page));
  }
  if (response.find_header("content-type").value_or("").starts_with("text/html")) {
    return make_error(ErrorKind::Unsupported, "the index `{}` answered `{}` with HTML, not JSON",
                      name, page_url)
        .hint(
            "it must speak the JSON form of the simple API (PEP 691); a login page or a proxy "
            "may also stand in between");
  }
  CachedPage page{page_url,
                  std::string(response.find_header("etag").value_or("")),
                  read_max_age(response.find_header("cache-control")),
                  {}};
  page.page = TRY_WHILE(fmt::format("reading `{}` of the index `{}`", project, name),
                        parse_project_page(response.body, response.effective_url));
  store_cache_file(path, write_page(page));
  return std::make_shared<const ProjectPage>(std::move(page.page));
}

std::string SimpleIndex::State::cached_path(const char* what, const Digest& digest) const {
  const std::string hex = digest.hex();
  return fmt::format("{}/{}/{}/{}", folder, what, hex.substr(0, 2), hex.substr(2));
}

Result<std::string> SimpleIndex::State::load_record(const WheelFile& wheel) const {
  constexpr std::size_t kHashBytes = 65;  // hex, and a newline
  const std::string path = wheel.sha256 ? cached_path("records", *wheel.sha256) : "";
  if (wheel.sha256) {
    const auto text = read_file(path);
    if (text.ok() && text->size() >= kHashBytes &&
        text->starts_with(sha256(std::string_view(*text).substr(kHashBytes)).hex() + "\n")) {
      return text->substr(kHashBytes);
    }
  }
  if (freshness == Freshness::Offline) {
    return make_error(ErrorKind::Unavailable,
                      "the RECORD of `{}` is not in the cache, and the network is not to be used",
                      wheel.file_name);
  }
  std::string text = TRY(fetcher.fetch_record(wheel));
  if (wheel.sha256) store_cache_file(path, sha256(text).hex() + "\n" + text);
  return text;
}

Result<MetadataPointer> SimpleIndex::State::load_metadata(const WheelFile& wheel) const {
  const auto parse = [&](std::string_view text) -> Result<MetadataPointer> {
    return std::make_shared<const CoreMetadata>(TRY(parse_core_metadata(text)));
  };
  const std::string path = wheel.sha256 ? cached_path("metadata", *wheel.sha256) : "";
  if (wheel.sha256) {
    const auto text = read_file(path);
    if (text.ok() && text.value().ends_with("\n\n")) {
      if (auto parsed = parse(text.value()); parsed.ok()) return parsed;
    }
  }
  if (freshness == Freshness::Offline) {
    return make_error(ErrorKind::Unavailable,
                      "the metadata of `{}` is not in the cache, and the network is not to be used",
                      wheel.file_name)
        .hint("run it once without `--offline`");
  }
  const std::string step =
      fmt::format("reading the metadata of `{}` from the index `{}`", wheel.file_name, name);
  const std::string text = TRY_WHILE(step, fetcher.fetch(wheel));
  MetadataPointer parsed = TRY_WHILE(step, parse(text));
  if (wheel.sha256) store_cache_file(path, only_headers(text));
  return parsed;
}

SimpleIndex::SimpleIndex(IndexConfig config, http::Client& client, std::string cache_folder,
                         Freshness freshness, CancelToken cancel)
    : state_(std::make_unique<State>(std::move(config), client, cache_folder, freshness,
                                     std::move(cancel))) {}
SimpleIndex::SimpleIndex(SimpleIndex&&) noexcept = default;
SimpleIndex::~SimpleIndex() = default;

const std::string& SimpleIndex::name() const { return state_->name; }

Result<PagePointer> SimpleIndex::fetch_project(const version::PackageName& name) {
  const State* state = state_.get();
  return state_->pages.get(name.text(),
                           [state, key = name.text()] { return state->load_page(key); });
}

std::shared_future<Result<PagePointer>> SimpleIndex::prefetch_project(
    const version::PackageName& name) {
  const State* state = state_.get();
  return state_->pages.start(
      name.text(), [state, key = name.text()] { return state->load_page(key); }, state_->pool);
}

Result<MetadataPointer> SimpleIndex::fetch_metadata(const WheelFile& wheel) {
  const State* state = state_.get();
  return state_->metadata.get(wheel.url, [state, wheel] { return state->load_metadata(wheel); });
}

Result<std::string> SimpleIndex::fetch_record(const WheelFile& wheel) {
  return state_->load_record(wheel);
}

std::shared_future<Result<MetadataPointer>> SimpleIndex::prefetch_metadata(const WheelFile& wheel) {
  const State* state = state_.get();
  return state_->metadata.start(
      wheel.url, [state, wheel] { return state->load_metadata(wheel); }, state_->pool);
}

}  // namespace slipway::index
