/// The honest floor for building layers of wheels: what any tool must do with the bytes, and
/// nothing else. No tar, no zip checks, no names, no layers.
///
///   bench_floor WORKERS FOLDER WHEEL...
///
/// Every member is inflated once (libdeflate into one buffer; members beyond 16 MiB by ISA-L, as a
/// buffer for them would cost more than it saves). SHA-256 (OpenSSL) runs over each wheel's bytes,
/// over the compressed bytes of its members again (a blob's), and over the inflated bytes (a
/// diff_id's). The inflated bytes of each wheel go into one file, past the page cache, from a
/// second thread; with `-` for the folder they are thrown away, which tells what the writing costs.
/// Wheels go to workers by size, largest first.
#include <fcntl.h>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kBuffer = 4 << 20, kBuffers = 3, kWhole = 16 << 20, kPiece = 128 << 10;

void must(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

struct Hash {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Hash() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  ~Hash() { EVP_MD_CTX_free(context); }
  void add(const void* data, std::size_t size) { EVP_DigestUpdate(context, data, size); }
};

/// Buffers that a second thread writes to one file.
class Writer {
 public:
  Writer() {
    for (auto& buffer : buffers_) {
      buffer = static_cast<std::uint8_t*>(std::aligned_alloc(4096, kBuffer));
    }
    thread_ = std::thread([this] { work(); });
  }
  ~Writer() {
    wait();
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
    for (auto* buffer : buffers_) std::free(buffer);
  }
  /// An empty path takes the bytes and writes none.
  void open(const std::string& path, std::uint64_t size) {
    wait();
    written_ = 0;
    filled_ = 0;
    if (path.empty()) return;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0644);
    must(fd_ >= 0, path.c_str());
    if (size > 0)
      must(::fallocate(fd_, 0, 0, static_cast<off_t>((size + 4095) / 4096 * 4096)) == 0,
           "fallocate");
  }
  std::uint8_t* room(std::size_t& size) {
    if (filled_ == kBuffer) submit();
    size = kBuffer - filled_;
    return buffers_[filling_ % kBuffers] + filled_;
  }
  void advance(std::size_t size) { filled_ += size; }
  void add(const std::uint8_t* data, std::size_t size) {
    while (size > 0) {
      std::size_t free = 0;
      std::uint8_t* to = room(free);
      const std::size_t count = std::min(free, size);
      std::memcpy(to, data, count);
      advance(count);
      data += count;
      size -= count;
    }
  }
  void close(std::uint64_t size) {
    if (filled_ > 0) submit();
    wait();
    if (fd_ < 0) return;
    must(::ftruncate(fd_, static_cast<off_t>(size)) == 0, "ftruncate");
    ::close(std::exchange(fd_, -1));
  }

 private:
  void submit() {
    std::unique_lock lock(mutex_);
    sizes_[filling_ % kBuffers] = (filled_ + 4095) / 4096 * 4096;
    ++filling_;
    filled_ = 0;
    changed_.notify_all();
    changed_.wait(lock, [&] { return filling_ - done_ < kBuffers; });
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ == filling_; });
  }
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || done_ < filling_; });
      if (done_ == filling_) return;
      const std::size_t slot = done_ % kBuffers;
      lock.unlock();
      if (fd_ >= 0) write(buffers_[slot], sizes_[slot]);
      lock.lock();
      ++done_;
      changed_.notify_all();
    }
  }

  void write(const std::uint8_t* data, std::size_t size) {
    const ssize_t count = ::pwrite(fd_, data, size, written_);
    must(count == static_cast<ssize_t>(size), "pwrite");
    written_ += count;
  }

  std::uint8_t* buffers_[kBuffers];
  std::size_t sizes_[kBuffers] = {};
  std::size_t filling_ = 0, done_ = 0, filled_ = 0;
  off_t written_ = 0;
  int fd_ = -1;
  bool stop_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

template <typename T>
T get(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct Worker {
  Writer writer;
  libdeflate_decompressor* whole = libdeflate_alloc_decompressor();
  std::unique_ptr<inflate_state> stream = std::make_unique<inflate_state>();
  std::vector<std::uint8_t> scratch = std::vector<std::uint8_t>(kWhole);
  Worker() { isal_inflate_init(stream.get()); }
  ~Worker() { libdeflate_free_decompressor(whole); }

  void inflate_small(const std::uint8_t* in, std::size_t in_size, std::size_t size, Hash& hash) {
    const auto result =
        libdeflate_deflate_decompress(whole, in, in_size, scratch.data(), size, nullptr);
    must(result == LIBDEFLATE_SUCCESS, "inflate");
    hash.add(scratch.data(), size);
    writer.add(scratch.data(), size);
  }
  void inflate_large(const std::uint8_t* in, std::size_t in_size, std::size_t size, Hash& hash) {
    isal_inflate_reset(stream.get());
    stream->next_in = const_cast<std::uint8_t*>(in);
    stream->avail_in = static_cast<std::uint32_t>(in_size);
    while (size > 0) {
      std::size_t room = 0;
      std::uint8_t* out = writer.room(room);
      room = std::min({room, kPiece, size});
      stream->next_out = out;
      stream->avail_out = static_cast<std::uint32_t>(room);
      must(isal_inflate(stream.get()) == ISAL_DECOMP_OK, "inflate");
      const std::size_t made = room - stream->avail_out;
      must(made > 0, "inflate");
      hash.add(out, made);
      writer.advance(made);
      size -= made;
    }
  }
  std::uint64_t run(const std::string& path, const std::string& out);
};

std::uint64_t Worker::run(const std::string& path, const std::string& out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  must(fd >= 0, path.c_str());
  struct stat status;
  must(::fstat(fd, &status) == 0, "stat");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  must(map != MAP_FAILED, "mmap");
  ::madvise(map, size, MADV_SEQUENTIAL);
  ::madvise(map, size, MADV_WILLNEED);
  const auto* zip = static_cast<const std::uint8_t*>(map);
  const std::uint8_t* end = zip + size - 22;
  const std::uint8_t* at = zip + get<std::uint32_t>(end + 16);
  struct Member {
    std::size_t offset, in, out;
    bool is_stored;
  };
  std::vector<Member> members;
  std::uint64_t total = 0;
  for (unsigned i = 0; i < get<std::uint16_t>(end + 10); ++i) {
    members.push_back({get<std::uint32_t>(at + 42), get<std::uint32_t>(at + 20),
                       get<std::uint32_t>(at + 24), get<std::uint16_t>(at + 10) == 0});
    total += members.back().out;
    at += 46 + get<std::uint16_t>(at + 28) + get<std::uint16_t>(at + 30) +
          get<std::uint16_t>(at + 32);
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.offset < b.offset; });
  writer.open(out, total);
  Hash wheel, blob, tar;
  std::size_t hashed = 0;
  const auto hash_wheel = [&](std::size_t to) {
    wheel.add(zip + hashed, to - hashed);
    hashed = to;
  };
  for (const Member& member : members) {
    const std::uint8_t* local = zip + member.offset;
    const std::uint8_t* data =
        local + 30 + get<std::uint16_t>(local + 26) + get<std::uint16_t>(local + 28);
    const auto offset = static_cast<std::size_t>(data - zip);
    // The two hashes piece by piece, so that the second finds its bytes in the cache.
    for (std::size_t done = 0; done < member.in;) {
      const std::size_t piece = std::min(kPiece, member.in - done);
      hash_wheel(offset + done + piece);
      blob.add(data + done, piece);
      done += piece;
    }
    if (member.is_stored) {
      tar.add(data, member.out);
      writer.add(data, member.out);
    } else if (member.out <= kWhole) {
      inflate_small(data, member.in, member.out, tar);
    } else {
      inflate_large(data, member.in, member.out, tar);
    }
  }
  hash_wheel(size);
  writer.close(total);
  ::munmap(map, size);
  ::close(fd);
  return total;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  struct Wheel {
    std::string path;
    off_t size;
  };
  std::vector<Wheel> wheels;
  for (int i = 3; i < count; ++i) {
    struct stat status;
    must(::stat(arguments[i], &status) == 0, arguments[i]);
    wheels.push_back({arguments[i], status.st_size});
  }
  std::sort(wheels.begin(), wheels.end(),
            [](const Wheel& a, const Wheel& b) { return a.size > b.size; });
  const std::string folder = arguments[2];
  const auto out = [&](std::size_t n) {
    return folder == "-" ? std::string() : fmt::format("{}/{}", folder, n);
  };
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> total{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(arguments[1]); ++i) {
    threads.emplace_back([&] {
      Worker worker;
      for (std::size_t n = next++; n < wheels.size(); n = next++) {
        total += worker.run(wheels[n].path, out(n));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{} wheels, {} B unpacked, {:.2f} s\n", wheels.size(), total.load(), seconds.count());
}
