/// SHA-256, the only digest that Slipway trusts.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/io.h"

namespace slipway {

/// A SHA-256 value. Its text is `sha256:<64 hex>` (OCI image-spec, descriptor.md).
struct Digest {
  std::array<unsigned char, 32> value{};

  std::string hex() const;
  std::string text() const { return "sha256:" + hex(); }
  /// Base64url without padding, as a wheel's RECORD writes it (PEP 376).
  std::string base64url() const;

  auto operator<=>(const Digest&) const = default;
};

/// Takes `sha256:<64 hex>`, or the bare 64 hex digits. Fails with InvalidInput.
Result<Digest> parse_digest(std::string_view text);

/// Hashes a stream. Not for several threads at once. `finish` may be called once.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(Bytes bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  Digest finish();

  /// Each hash takes its own bytes. Where the processor can (base/sha256_pair.h), this takes little
  /// longer than the longer of them alone.
  friend void update_both(Sha256& first, Bytes first_bytes, Sha256& second, Bytes second_bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

void update_both(Sha256& first, Bytes first_bytes, Sha256& second, Bytes second_bytes);

Digest sha256(Bytes bytes);
Digest sha256(std::string_view text);

/// Reads the whole file. Blocks; the time is that of the disk.
Result<Digest> sha256_of_file(const std::string& path);

/// A Sink that hashes what goes through, counts it, and passes it on when there is a next one.
class HashingSink final : public Sink {
 public:
  explicit HashingSink(Sink* next = nullptr) : next_(next) {}
  Result<void> write(Bytes bytes) override;
  /// The same, while `other` takes the bytes as well.
  Result<void> write_and_hash(Bytes bytes, Sha256& other);
  std::size_t size_bytes() const { return size_bytes_; }
  Digest finish() { return hash_.finish(); }

 private:
  Result<void> pass_on(Bytes bytes);

  Sink* next_;
  Sha256 hash_;
  std::size_t size_bytes_ = 0;
};

}  // namespace slipway

template <>
struct std::hash<slipway::Digest> {
  std::size_t operator()(const slipway::Digest& digest) const noexcept;
};
