#include "lazy/pending_opens.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <set>
#include <vector>

using namespace slipway::lazy;
using namespace std::chrono_literals;

TEST_CASE("of those who wait, the killed ones are given up, once") {
  std::atomic<pid_t> killed = 0;
  PendingOpens opens([&](pid_t thread) { return thread == killed; }, 1ms);
  std::atomic<int> given_up = 0;
  std::promise<void> first;
  const auto other = opens.add(7, [&] { ++given_up; });
  const auto one = opens.add(8, [&] {
    ++given_up;
    first.set_value();
  });
  std::this_thread::sleep_for(20ms);
  CHECK(given_up == 0);
  killed = 8;
  first.get_future().wait();
  CHECK(!opens.settle(one));
  CHECK(opens.settle(other));
  CHECK(!opens.settle(other));
  killed = 7;
  std::this_thread::sleep_for(20ms);
  CHECK(given_up == 1);
}

TEST_CASE("each open is answered by one, whoever is faster") {
  PendingOpens opens([](pid_t) { return true; }, 0ms);
  constexpr int kEach = 5000;
  std::atomic<int> settled = 0, given_up = 0;
  {
    std::vector<std::jthread> threads;
    for (int k = 0; k < 3; ++k) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          const auto open = opens.add(1, [&] { ++given_up; });
          if (i % 3 == 0) std::this_thread::yield();
          if (opens.settle(open)) ++settled;
        }
      });
    }
  }
  while (settled + given_up < 3 * kEach) std::this_thread::sleep_for(1ms);
  CHECK(settled + given_up == 3 * kEach);
}

TEST_CASE("who lives, is not there or cannot be seen is not being killed") {
  CHECK(!is_being_killed(::getpid()));
  CHECK(!is_being_killed(0));
  CHECK(!is_being_killed(-1));
}
