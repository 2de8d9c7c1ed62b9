#include "http/sender.h"

#include <doctest/doctest.h>

#include <atomic>

#include "http/testing/fake_server.h"

using namespace slipway;
using namespace slipway::http;
using namespace slipway::http::testing;

namespace {

ClientOptions quick() {
  ClientOptions options;
  options.first_delay = std::chrono::milliseconds(1);
  options.longest_delay = std::chrono::milliseconds(5);
  options.retries = 3;
  return options;
}

std::string words(const FakeRequest& request) {
  const auto found = request.headers.find("authorization");
  return request.method + " " + request.path + " " + request.body +
         (found == request.headers.end() ? "" : " with " + found->second);
}

}  // namespace

TEST_CASE("sender: every method, every status, bodies from text and from a source") {
  auto server =
      FakeServer::start([](const FakeRequest& request) {
        return FakeResponse{request.path == "/no" ? 404 : 202, {"Location: /next"}, words(request)};
      }).value();
  const Sender sender(Client::create(quick()).value());
  const std::string large(3 << 20, 'x');
  BytesSource body(as_bytes(large));
  struct Case {
    Message message;
    int status;
    std::string answer;
  };
  const Case cases[] = {
      {{"GET", server->url() + "/no"}, 404, "GET /no "},
      {{"HEAD", server->url() + "/a"}, 202, ""},
      {{"POST", server->url() + "/b", {}, "text"}, 202, "POST /b text"},
      {{"POST", server->url() + "/empty"}, 202, "POST /empty "},
      {{"PATCH", server->url() + "/c", {}, "", &body, large.size()}, 202, "PATCH /c " + large},
      {{"PUT", server->url() + "/d?x=1", {"Authorization: Bearer t"}, "y"},
       202,
       "PUT /d?x=1 y with Bearer t"},
      {{"DELETE", server->url() + "/e"}, 202, "DELETE /e "},
  };
  for (const Case& one : cases) {
    CAPTURE(one.message.method);
    const Response response = sender.send(one.message, CancelToken()).value();
    CHECK(response.status == one.status);
    CHECK(response.body == one.answer);
    CHECK(response.find_header("location") == "/next");
  }
  CHECK(server->connection_count() == 1);
  BytesSource small(as_bytes("x"));
  const Message lie{"PUT", server->url() + "/f", {}, "", &small, 2};
  CHECK(sender.send(lie, CancelToken()).error().kind == ErrorKind::Corrupt);
  Message modest{"GET", server->url() + "/long"};
  modest.most_answer_bytes = 3;
  CHECK(sender.send(modest, CancelToken()).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("sender: an Authorization stays with its host") {
  auto other = FakeServer::start([](const FakeRequest& request) {
                 return FakeResponse{200, {}, words(request)};
               }).value();
  const std::string target = other->url();
  auto server = FakeServer::start([&](const FakeRequest& request) {
                  if (request.path == "/there") return FakeResponse{200, {}, words(request)};
                  const std::string to = request.path == "/same" ? "/there" : target + "/there";
                  return FakeResponse{307, {"Location: " + to}};
                }).value();
  const Sender sender(Client::create(quick()).value());
  Message message{"GET", server->url() + "/same", {"Authorization: Basic c2VjcmV0"}};
  CHECK(sender.send(message, CancelToken())->body == "GET /there  with Basic c2VjcmV0");
  message.url = server->url() + "/other";
  CHECK(sender.send(message, CancelToken())->body == "GET /there ");
  message.method = "POST";
  CHECK(sender.send(message, CancelToken())->status == 307);
}

TEST_CASE("sender: trouble is tried again, answers are not") {
  std::atomic<int> count = 0;
  auto server = FakeServer::start([&](const FakeRequest& request) {
                  FakeResponse response;
                  response.status = 503;
                  if (request.path == "/denied") response.status = 403;
                  if (request.path == "/busy") response = {429, {"Retry-After: 1"}};
                  response.drop = request.path == "/gone";
                  if (++count == 3 && request.path != "/always") response = {200};
                  return response;
                }).value();
  const Sender sender(Client::create(quick()).value());
  struct Case {
    std::string path;
    int status;
    int requests;
  };
  for (const Case& one : {Case{"/trouble", 200, 3}, Case{"/busy", 200, 3}, Case{"/gone", 200, 3},
                          Case{"/denied", 403, 1}, Case{"/always", 503, 4}}) {
    CAPTURE(one.path);
    count = 0;
    CHECK(sender.send_until_answered({"GET", server->url() + one.path}, CancelToken())->status ==
          one.status);
    CHECK(count == one.requests);
  }
  const CancelToken cancelled;
  cancelled.cancel();
  CHECK(sender.send({"GET", server->url()}, cancelled).error().kind == ErrorKind::Cancelled);
}

TEST_CASE("sender: once cancelled, a request has its grace to end") {
  CancelToken cancel;
  auto server = FakeServer::start([&](const FakeRequest& request) {
                  cancel.cancel();
                  FakeResponse response{200, {}, "done"};
                  if (request.path == "/never") response.hold_after = 1;
                  return response;
                }).value();
  const Sender sender(Client::create(quick()).value());
  struct Case {
    std::string path;
    std::chrono::milliseconds grace;
    bool ends;
  };
  for (const Case& one : {Case{"/ends", std::chrono::minutes(1), true},
                          Case{"/ends", std::chrono::milliseconds(0), false},
                          Case{"/never", std::chrono::milliseconds(200), false}}) {
    CAPTURE(one.path);
    cancel = CancelToken();
    Message message{"GET", server->url() + one.path};
    message.grace = one.grace;
    const auto response = sender.send(message, cancel);
    CHECK(response.ok() == one.ends);
    if (!response.ok()) CHECK(response.error().kind == ErrorKind::Cancelled);
  }
}
