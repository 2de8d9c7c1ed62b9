#include "http/engine.h"

#include <curl/curl.h>

#include <algorithm>

#include "http/retry.h"
#include "http/shared.h"

namespace slipway::http {
namespace {

constexpr int kCancelCheckMilliseconds = 100;
constexpr int kIdleMilliseconds = 60'000;

Error cancelled() { return make_error(ErrorKind::Cancelled, "stopped on request"); }

}  // namespace

struct Client::Engine::Job {
  Job(std::shared_ptr<Client::Shared> shared, Request asked, Expect expected, Done callback)
      : exchange(std::move(shared)),
        request(std::move(asked)),
        expect(expected),
        done(std::move(callback)) {}

  Exchange exchange;
  Request request;
  Expect expect;
  Done done;
  int attempts = 0;
  Clock::time_point not_before;
  std::string body;

  bool is_cancelled() const {
    return std::any_of(request.cancel.begin(), request.cancel.end(),
                       [](const CancelToken& token) { return token.cancelled(); });
  }
  Result<void> check_head(const Head& head) const;
  Result<void> take(Bytes bytes);
};

Result<void> Client::Engine::Job::check_head(const Head& head) const {
  const bool is_part = head.status == 206;
  if (is_part == (expect == Expect::Part)) return {};
  return make_error(ErrorKind::Unsupported, "`{}` {}", exchange.effective_url(),
                    is_part ? "answered with a part of the file that was asked for"
                            : "cannot be read in parts: its server ignores ranges");
}

Result<void> Client::Engine::Job::take(Bytes bytes) {
  if (body.size() + bytes.size() > request.max_body_bytes) {
    return make_error(ErrorKind::Corrupt, "the answer of `{}` is larger than {} bytes",
                      exchange.effective_url(), request.max_body_bytes);
  }
  body.append(as_text(bytes));
  return {};
}

Client::Engine::Engine(std::shared_ptr<Client::Shared> shared)
    : shared_(std::move(shared)), multi_(curl_multi_init()) {
  SLIPWAY_CHECK(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(shared_->options.connections_per_host));
  curl_multi_setopt(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, 100L);
  thread_ = std::thread([this] { run(); });
}

Client::Engine::~Engine() {
  stop_ = true;
  curl_multi_wakeup(multi_);
  thread_.join();
  curl_multi_cleanup(multi_);
}

void Client::Engine::submit(Request request, Expect expect, Done done) {
  auto job = std::make_unique<Job>(shared_, std::move(request), expect, std::move(done));
  inbox_.with([&](Jobs& jobs) { jobs.push_back(std::move(job)); });
  curl_multi_wakeup(multi_);
}

void Client::Engine::run() {
  while (!stop_) {
    accept_new();
    drop_cancelled();
    start_due();
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect_finished();
    curl_multi_poll(multi_, nullptr, 0, pause_milliseconds(), nullptr);
  }
  cancel_all();
}

void Client::Engine::accept_new() {
  Jobs fresh = inbox_.with([](Jobs& jobs) { return std::exchange(jobs, {}); });
  for (auto& job : fresh) waiting_.push_back(std::move(job));
}

void Client::Engine::start_due() {
  const auto now = Clock::now();
  Jobs all = std::exchange(waiting_, {});
  for (auto& job : all) {
    if (job->not_before <= now) {
      start(std::move(job));
    } else {
      waiting_.push_back(std::move(job));
    }
  }
}

void Client::Engine::start(std::unique_ptr<Job> job) {
  ++job->attempts;
  job->body.clear();
  Job* raw = job.get();
  const Result<void> prepared = job->exchange.prepare(
      job->request.url, job->request.headers, Purpose::Answer,
      [raw](const Head& head) { return raw->check_head(head); },
      [raw](Bytes bytes) { return raw->take(bytes); });
  if (!prepared.ok()) return job->done(prepared.error());
  curl_multi_add_handle(multi_, job->exchange.handle());
  running_.push_back(std::move(job));
}

std::unique_ptr<Client::Engine::Job> Client::Engine::take_running(void* handle) {
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& job) {
    return job->exchange.handle() == handle;
  });
  SLIPWAY_CHECK(found != running_.end());
  auto job = std::move(*found);
  running_.erase(found);
  return job;
}

void Client::Engine::collect_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;  // `message` dies with the next call
    curl_multi_remove_handle(multi_, handle);
    finish_attempt(take_running(handle), code);
  }
}

void Client::Engine::finish_attempt(std::unique_ptr<Job> job, int curl_code) {
  auto failure = job->exchange.finish(curl_code);
  if (!failure) {
    Response response;
    response.status = job->exchange.head().status;
    response.headers = job->exchange.head().headers;
    response.effective_url = job->exchange.effective_url();
    response.body = std::move(job->body);
    return job->done(std::move(response));
  }
  const auto delay = next_delay(shared_->options, job->attempts, *failure);
  if (!delay) return job->done(std::move(failure->error));
  job->not_before = Clock::now() + *delay;
  waiting_.push_back(std::move(job));
}

void Client::Engine::drop_cancelled() {
  const auto drop = [&](Jobs& jobs, bool is_running) {
    Jobs kept;
    for (auto& job : std::exchange(jobs, {})) {
      if (!job->is_cancelled()) {
        kept.push_back(std::move(job));
        continue;
      }
      if (is_running) curl_multi_remove_handle(multi_, job->exchange.handle());
      job->done(cancelled());
    }
    jobs = std::move(kept);
  };
  drop(running_, true);
  drop(waiting_, false);
}

int Client::Engine::pause_milliseconds() const {
  int pause = running_.empty() && waiting_.empty() ? kIdleMilliseconds : kCancelCheckMilliseconds;
  for (const auto& job : waiting_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(job->not_before - Clock::now()).count();
    pause = std::clamp(static_cast<int>(left), 0, pause);
  }
  return pause;
}

void Client::Engine::cancel_all() {
  accept_new();
  for (auto& job : running_) {
    curl_multi_remove_handle(multi_, job->exchange.handle());
    job->done(cancelled());
  }
  running_.clear();
  for (auto& job : std::exchange(waiting_, {})) job->done(cancelled());
}

}  // namespace slipway::http
