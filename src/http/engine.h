/// The one thread that drives all small requests of a Client. Internal to http.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/threads.h"
#include "http/exchange.h"

namespace slipway::http {

class Client::Engine {
 public:
  using Done = std::function<void(Result<Response>)>;

  explicit Engine(std::shared_ptr<Client::Shared> shared);
  ~Engine();

  void submit(Request request, Expect expect, Done done);

 private:
  struct Job;
  using Jobs = std::vector<std::unique_ptr<Job>>;
  using Clock = std::chrono::steady_clock;

  void run();
  void accept_new();
  void start_due();
  void start(std::unique_ptr<Job> job);
  void collect_finished();
  void drop_cancelled();
  void finish_attempt(std::unique_ptr<Job> job, int curl_code);
  std::unique_ptr<Job> take_running(void* handle);
  int pause_milliseconds() const;
  void cancel_all();

  std::shared_ptr<Client::Shared> shared_;
  void* multi_;
  Guarded<Jobs> inbox_;
  Jobs waiting_;  // for their next attempt
  Jobs running_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace slipway::http
