#include "http/client.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <future>

#include "http/content_range.h"
#include "http/retry.h"
#include "http/testing/fake_server.h"

namespace slipway::http {
namespace {

using testing::FakeRequest;
using testing::FakeResponse;
using testing::FakeServer;

Client make_client(int retries = 3) {
  ClientOptions options;
  options.retries = retries;
  options.first_delay = options.longest_delay = std::chrono::milliseconds(1);
  return Client::create(options).value();
}

std::unique_ptr<FakeServer> serve(FakeServer::Handler handler) {
  return FakeServer::start(std::move(handler)).value();
}

}  // namespace

TEST_CASE("an answer comes with its status, headers and body") {
  auto server = serve([](const FakeRequest& request) {
    FakeResponse response;
    response.headers = {"X-Thing: one", "X-Thing: two"};
    response.body = "hello " + request.path + " " + request.headers.at("x-asked");
    return response;
  });
  Client client = make_client();
  const auto response = client.get({server->url() + "/a?b", {"X-Asked: yes"}});
  REQUIRE(response.ok());
  CHECK(response.value().status == 200);
  CHECK(response.value().body == "hello /a?b yes");
  CHECK(response.value().find_header("x-thing") == "two");
  CHECK_FALSE(response.value().find_header("x-none"));
}

TEST_CASE("each status is a kind of error, and some are tried again") {
  struct Case {
    int status;
    ErrorKind kind;
    std::size_t requests;
  };
  const Case cases[] = {
      {404, ErrorKind::NotFound, 1},    {410, ErrorKind::NotFound, 1},
      {401, ErrorKind::Denied, 1},      {403, ErrorKind::Denied, 1},
      {418, ErrorKind::Unavailable, 1}, {429, ErrorKind::Unavailable, 3},
      {500, ErrorKind::Unavailable, 3}, {503, ErrorKind::Unavailable, 3},
  };
  for (const Case& one : cases) {
    CAPTURE(one.status);
    auto server = serve(
        [&](const FakeRequest&) { return FakeResponse{.status = one.status, .body = "sorry"}; });
    Client client = make_client(2);
    const auto response = client.get({server->url() + "/x"});
    REQUIRE_FALSE(response.ok());
    CHECK(response.error().kind == one.kind);
    CHECK(response.error().message.find(std::to_string(one.status)) != std::string::npos);
    CHECK(server->requests().size() == one.requests);
  }
}

TEST_CASE("trouble that passes does not show") {
  std::atomic<int> count = 0;
  auto server = serve([&](const FakeRequest&) {
    switch (count++) {
      case 0:
        return FakeResponse{.status = 503, .headers = {"Retry-After: 1000"}};
      case 1:
        return FakeResponse{.body = "half", .cut_after = 2};
      default:
        return FakeResponse{.body = "whole", .piece_bytes = 1};
    }
  });
  Client client = make_client();
  const auto response = client.get({server->url() + "/x"});
  REQUIRE(response.ok());
  CHECK(response.value().body == "whole");
  CHECK(count == 3);
}

TEST_CASE("nobody listens") {
  std::string url;
  {
    auto server = serve([](const FakeRequest&) { return FakeResponse{}; });
    url = server->url();
  }
  Client client = make_client(1);
  const auto response = client.get({url + "/x"});
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().kind == ErrorKind::Unavailable);
  CHECK_FALSE(response.error().hints.empty());
  CHECK(client.get({"file:///etc/passwd"}).error().kind == ErrorKind::InvalidInput);
}

TEST_CASE("credentials go to their origin and into no error") {
  auto server = serve([](const FakeRequest& request) {
    const bool known = request.headers.contains("authorization");
    return FakeResponse{.status = known ? 200 : 401, .body = "in"};
  });
  Client client = make_client();
  std::string with_password = server->url();
  with_password.insert(with_password.find("//") + 2, "me:s3cret@");
  CHECK(client.get({with_password + "/x"}).ok());
  CHECK(client.get({server->url() + "/x"}).error().kind == ErrorKind::Denied);
  client.add_credentials(server->url() + "/elsewhere", "me", "s3cret");
  CHECK(client.get({server->url() + "/x"}).ok());
  auto broken = serve([](const FakeRequest&) { return FakeResponse{.status = 404}; });
  with_password = broken->url();
  with_password.insert(with_password.find("//") + 2, "me:s3cret@");
  CHECK(client.get({with_password + "/x"}).error().message.find("s3cret") == std::string::npos);
}

TEST_CASE("ranges: honoured, ignored, lied about") {
  const std::string body = "0123456789";
  auto good = serve([&](const FakeRequest& r) { return testing::serve_bytes(r, body, "\"1\""); });
  Client client = make_client();
  const auto middle = client.get_range({good->url() + "/f"}, 2, 4);
  REQUIRE(middle.ok());
  CHECK(middle.value().bytes == "234");
  CHECK(middle.value().first == 2);
  CHECK(middle.value().total_bytes == 10);
  const auto tail = client.get_tail({good->url() + "/f"}, 100);
  REQUIRE(tail.ok());
  CHECK(tail.value().bytes == body);
  CHECK(client.get_range({good->url() + "/f"}, 50, 60).error().kind == ErrorKind::Unsupported);

  auto deaf = serve([&](const FakeRequest&) { return FakeResponse{.body = body}; });
  CHECK(client.get_range({deaf->url() + "/f"}, 2, 4).error().kind == ErrorKind::Unsupported);
  auto liar = serve([&](const FakeRequest&) {
    return FakeResponse{.status = 206, .headers = {"Content-Range: bytes 2-9/10"}, .body = "234"};
  });
  CHECK_FALSE(client.get_range({liar->url() + "/f"}, 2, 4).ok());
}

TEST_CASE("an answer that is too large is refused") {
  auto server =
      serve([](const FakeRequest&) { return FakeResponse{.body = std::string(5000, 'x')}; });
  Client client = make_client();
  CHECK(client.get({.url = server->url() + "/x", .headers = {}, .max_body_bytes = 4999})
            .error()
            .kind == ErrorKind::Corrupt);
  CHECK(client.get({.url = server->url() + "/x", .headers = {}, .max_body_bytes = 5000}).ok());
}

TEST_CASE("dozens at once share few connections") {
  auto server =
      serve([](const FakeRequest& request) { return FakeResponse{.body = request.path}; });
  Client client = make_client();
  std::vector<std::promise<Result<Response>>> promises(60);
  for (std::size_t i = 0; i < promises.size(); ++i) {
    client.get_async({fmt::format("{}/{}", server->url(), i)},
                     [&promises, i](auto result) { promises[i].set_value(std::move(result)); });
  }
  for (std::size_t i = 0; i < promises.size(); ++i) {
    const auto response = promises[i].get_future().get();
    REQUIRE(response.ok());
    CHECK(response.value().body == fmt::format("/{}", i));
  }
  CHECK(server->connection_count() <= 6);
}

TEST_CASE("cancelling, and the end of the client, end what is in flight") {
  auto server = serve([](const FakeRequest&) {
    return FakeResponse{.body = std::string(1000, 'x'), .hold_after = 10};
  });
  auto client = std::make_unique<Client>(make_client());
  const CancelToken cancel;
  auto first = std::async(std::launch::async, [&] {
    return client->get({.url = server->url() + "/1", .headers = {}, .cancel = {cancel}});
  });
  std::promise<Result<Response>> second;
  client->get_async({server->url() + "/2"},
                    [&](Result<Response> result) { second.set_value(std::move(result)); });
  cancel.cancel();
  CHECK(first.get().error().kind == ErrorKind::Cancelled);
  client.reset();
  CHECK(second.get_future().get().error().kind == ErrorKind::Cancelled);
}

TEST_CASE("pauses grow, are bounded, and follow Retry-After") {
  using std::chrono::milliseconds;
  ClientOptions options;
  options.retries = 3;
  options.first_delay = milliseconds(100);
  options.longest_delay = milliseconds(1000);
  const Failure plain{make_error(ErrorKind::Unavailable, "x"), true, {}};
  CHECK(next_delay(options, 1, plain) == milliseconds(100));
  CHECK(next_delay(options, 2, plain) == milliseconds(200));
  CHECK(next_delay(options, 3, plain) == milliseconds(400));
  CHECK_FALSE(next_delay(options, 4, plain));
  const Failure told{plain.error, true, milliseconds(700)};
  CHECK(next_delay(options, 1, told) == milliseconds(700));
  const Failure told_long{plain.error, true, milliseconds(70'000)};
  CHECK(next_delay(options, 1, told_long) == milliseconds(1000));
  const Failure final{plain.error, false, {}};
  CHECK_FALSE(next_delay(options, 1, final));
}

TEST_CASE("Content-Range, well formed or not at all") {
  const auto range = parse_content_range("bytes 10-19/1000");
  REQUIRE(range);
  CHECK(range->first == 10);
  CHECK(range->last == 19);
  CHECK(range->total_bytes == 1000);
  for (const char* bad : {"", "bytes", "bytes 10-19/*", "bytes */1000", "bytes 19-10/1000",
                          "bytes 10-1000/1000", "bytes -1-5/9", "bytes 1-5/9 ", "items 1-5/9",
                          "bytes 99999999999999999999-5/9", "bytes 1/5-9"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_content_range(bad));
  }
}

}  // namespace slipway::http
