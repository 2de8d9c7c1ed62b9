#include "layer/direct_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace slipway::layer {
namespace {

constexpr std::size_t kAlignment = 4096;

struct FreeBuffer {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<std::byte, FreeBuffer>;

struct File {
  UniqueFd fd;
  std::uint64_t size_bytes = 0;
  std::string shown;
  bool is_direct = false;
  DirectWriter::Observer observer;
};

/// Write a buffer, or (without one) end the file.
struct Job {
  std::shared_ptr<File> file;
  Buffer buffer;
  std::size_t count = 0;
  std::uint64_t offset = 0;
  unsigned mode = 0;
  timespec time{};
};

std::uint64_t rounded_up(std::uint64_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

Result<void> set_direct(File& file, bool is_direct) {
  const int flags = ::fcntl(file.fd.get(), F_GETFL);
  const int wanted = is_direct ? flags | O_DIRECT : flags & ~O_DIRECT;
  file.is_direct = flags >= 0 && ::fcntl(file.fd.get(), F_SETFL, wanted) == 0 && is_direct;
  return {};
}

Result<void> write_buffer(File& file, const Job& job) {
  // Direct I/O takes whole blocks; what stands behind the end is cut off when the file ends.
  const std::size_t rounded = static_cast<std::size_t>(rounded_up(job.count));
  for (std::size_t done = 0; done < job.count;) {
    const std::size_t count = (file.is_direct ? rounded : job.count) - done;
    const ssize_t written = ::pwrite(file.fd.get(), job.buffer.get() + done, count,
                                     static_cast<off_t>(job.offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EINVAL && file.is_direct) {
      TRY(set_direct(file, false));
      continue;
    }
    if (written < 0) return errno_error(fmt::format("cannot write `{}`", file.shown));
    done += static_cast<std::size_t>(written);
    if (file.is_direct && done < job.count && done % kAlignment != 0) TRY(set_direct(file, false));
  }
  return {};
}

Result<void> end_file(File& file, unsigned mode, timespec time) {
  const timespec times[2] = {time, time};
  const int fd = file.fd.get();
  if (::ftruncate(fd, static_cast<off_t>(file.size_bytes)) != 0 || ::fchmod(fd, mode) != 0 ||
      ::futimens(fd, times) != 0) {
    return errno_error(fmt::format("cannot finish `{}`", file.shown));
  }
  file.fd.reset();
  return {};
}

}  // namespace

struct DirectWriter::State {
  std::shared_ptr<File> file;
  std::uint64_t offset = 0;
  Buffer filling;
  std::size_t made = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Buffer> free;
  std::deque<Job> to_observe, to_write;  // a file with an observer: all its jobs go through both
  std::size_t unobserved = 0, unfinished = 0;
  std::optional<Error> error;
  bool stop = false;
  std::jthread writer, observer;  // last: they end before what they use

  void add(Job job);
  /// Waits for the next job of `jobs`; none is left where the writer ends.
  std::optional<Job> take(std::unique_lock<std::mutex>& lock, std::deque<Job>& jobs);
  void observe();
  void write();
  Result<void> first_error() {
    if (error) return *error;
    return {};
  }
};

void DirectWriter::State::add(Job job) {
  const std::lock_guard lock(mutex);
  ++unfinished;
  if (!writer.joinable()) writer = std::jthread([this] { write(); });
  if (job.file->observer) {
    if (!observer.joinable()) observer = std::jthread([this] { observe(); });
    ++unobserved;
    to_observe.push_back(std::move(job));
  } else {
    to_write.push_back(std::move(job));
  }
  changed.notify_all();
}

std::optional<Job> DirectWriter::State::take(std::unique_lock<std::mutex>& lock,
                                             std::deque<Job>& jobs) {
  changed.wait(lock, [&] { return stop || !jobs.empty(); });
  if (jobs.empty()) return std::nullopt;
  Job job = std::move(jobs.front());
  jobs.pop_front();
  return job;
}

void DirectWriter::State::observe() {
  std::unique_lock lock(mutex);
  while (auto job = take(lock, to_observe)) {
    lock.unlock();
    if (job->buffer) job->file->observer(Bytes(job->buffer.get(), job->count));
    lock.lock();
    to_write.push_back(std::move(*job));
    --unobserved;
    changed.notify_all();
  }
}

void DirectWriter::State::write() {
  std::unique_lock lock(mutex);
  while (auto job = take(lock, to_write)) {
    const bool failed_before = error.has_value();
    lock.unlock();
    Result<void> result;
    if (!failed_before) {
      result =
          job->buffer ? write_buffer(*job->file, *job) : end_file(*job->file, job->mode, job->time);
    }
    job->file.reset();
    lock.lock();
    if (job->buffer) free.push_back(std::move(job->buffer));
    if (!result.ok() && !error) error = std::move(result).error();
    --unfinished;
    changed.notify_all();
  }
}

DirectWriter::DirectWriter() : state_(std::make_unique<State>()) {}

DirectWriter::~DirectWriter() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->unfinished == 0; });
  state_->stop = true;
  state_->changed.notify_all();
}

Result<void> DirectWriter::begin(UniqueFd fd, std::uint64_t size_bytes, std::string shown,
                                 Observer observer) {
  auto file = std::make_shared<File>();
  file->fd = std::move(fd);
  file->size_bytes = size_bytes;
  file->shown = std::move(shown);
  file->observer = std::move(observer);
  // Room for the last whole block, or writing it would have to grow the file.
  const auto room = static_cast<off_t>(rounded_up(size_bytes));
  if (::fallocate(file->fd.get(), 0, 0, room) != 0 && errno != EOPNOTSUPP) {
    return errno_error(fmt::format("cannot write `{}`", file->shown));
  }
  TRY(set_direct(*file, true));
  state_->file = std::move(file);
  state_->offset = 0;
  return {};
}

Result<std::span<std::byte>> DirectWriter::buffer() {
  if (!state_->filling) {
    std::unique_lock lock(state_->mutex);
    if (state_->free.empty() && state_->made < kBuffers) {
      state_->free.emplace_back(
          static_cast<std::byte*>(std::aligned_alloc(kAlignment, kBufferBytes)));
      SLIPWAY_CHECK(state_->free.back() != nullptr);
      ++state_->made;
    }
    state_->changed.wait(lock, [&] { return !state_->free.empty(); });
    state_->filling = std::move(state_->free.back());
    state_->free.pop_back();
    TRY(state_->first_error());
  }
  return std::span(state_->filling.get(), kBufferBytes);
}

Result<void> DirectWriter::submit(std::size_t count) {
  SLIPWAY_CHECK(state_->filling && state_->file && count <= kBufferBytes);
  state_->add({state_->file, std::move(state_->filling), count, state_->offset, 0, {}});
  state_->offset += count;
  return {};
}

void DirectWriter::wait_for_observer() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->unobserved == 0; });
}

Result<void> DirectWriter::end(unsigned mode, timespec time) {
  SLIPWAY_CHECK(state_->file && state_->offset == state_->file->size_bytes);
  state_->add({std::move(state_->file), nullptr, 0, 0, mode, time});
  return {};
}

Result<void> DirectWriter::finish() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->unfinished == 0; });
  return state_->first_error();
}

}  // namespace slipway::layer
