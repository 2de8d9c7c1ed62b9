#include "layer/wheel_copier.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace slipway::layer {
namespace {

/// Up to here a file is inflated at once and written through the page cache.
constexpr std::uint64_t kWholeBytes = 1024 * 1024;
/// So much is inflated before it is hashed: it is in the nearer caches then.
constexpr std::size_t kPieceBytes = 128 * 1024;

bool is_copied(const ZipMember& member) {
  return member.method == ZipMethod::Deflate && member.compressed_bytes >= kCopyBytes;
}

Error bad_crc() { return make_error(ErrorKind::Corrupt, "does not match its CRC"); }

/// PEP 427: what is not as RECORD says must not be installed.
Result<void> check_record_hash(const InstalledFile& file, const Digest& contents) {
  if (!file.record_hash.starts_with("sha256=")) return {};
  if (sha256_of_row(file.record_hash) == contents) return {};
  return make_error(ErrorKind::Corrupt, "does not match its hash in RECORD");
}

}  // namespace

Result<Digest> WheelCopier::copy(const ZipArchive& archive,
                                 const std::vector<const InstalledFile*>& files,
                                 const std::function<Result<void>(std::size_t)>& on_read) {
  WheelStream wheel(archive.fd(), archive.file_bytes(), on_read);
  const std::vector<ZipMember>& members = archive.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto copy_next = [&]() -> Result<void> {
      TRY(copy_member(wheel, members[i], files[i]));
      const bool is_last = i + 1 == members.size();
      const std::uint64_t next = is_last ? archive.directory_offset() : members[i + 1].offset;
      if (next < wheel.position())
        return make_error(ErrorKind::Corrupt, "overlaps what follows it");
      const std::uint64_t gap = next - wheel.position();
      const Bytes descriptor =
          TRY(wheel.peek(static_cast<std::size_t>(std::min<std::uint64_t>(gap, 64))));
      TRY(check_zip_descriptor(descriptor, members[i]));
      return wheel.skip(gap);
    };
    Result<void> result = copy_next();
    if (result.ok()) continue;
    const bool is_wheels_fault = result.error().kind == ErrorKind::Corrupt;
    return is_wheels_fault ? archive.blame(std::move(result).error(), members[i])
                           : std::move(result).error();
  }
  return wheel.finish();
}

Result<void> WheelCopier::copy_member(WheelStream& wheel, const ZipMember& member,
                                      const InstalledFile* file) {
  if (wheel.position() != member.offset) {
    return make_error(ErrorKind::Corrupt, "does not begin where the one before it ends");
  }
  const Bytes fixed = TRY(wheel.peek(kZipLocalBytes));
  const ZipLocal local = TRY(parse_zip_local(fixed));
  const std::size_t header_bytes = kZipLocalBytes + local.name_bytes + local.extra_bytes;
  const Bytes header = TRY(wheel.peek(header_bytes));
  TRY(check_zip_local(header, member));
  TRY(wheel.skip(header_bytes));
  if (file == nullptr) return wheel.skip(member.compressed_bytes);

  TRY(begin_file(*file, member.size_bytes));
  const auto recorded = sha256_of_row(file->record_hash);
  if (is_copied(member) && !needs_plain_ && recorded) {
    TRY(copy_unseen(wheel, member));
    layer_.end_file(&*recorded);
    return {};
  }
  const bool fits =
      member.size_bytes <= kWholeBytes && member.compressed_bytes <= WheelStream::kMostPeek;
  TRY(fits ? copy_whole(wheel, member, *file) : copy_large(wheel, member, *file));
  return check_record_hash(*file, layer_.end_file());
}

Result<void> WheelCopier::begin_file(const InstalledFile& file, std::uint64_t size_bytes) {
  return layer_.begin_file({file.path, TarType::File, file.mode, 0, 0, size_bytes, {}});
}

Result<void> WheelCopier::add_text(const InstalledFile& file) {
  const Bytes text = as_bytes(file.text);
  TRY(begin_file(file, text.size()));
  TRY(layer_.contents(text));
  layer_.end_file();
  if (tree_ != nullptr) return tree_->write_file(file.path, {file.mode, 0, 0}, text);
  return {};
}

Result<void> WheelCopier::copy_unseen(WheelStream& wheel, const ZipMember& member) {
  TRY(layer_.begin_copy());
  for (std::uint64_t left = member.compressed_bytes; left > 0;) {
    const Bytes raw = TRY(wheel.take_unhashed(left));
    TRY(copy_raw(wheel, raw));
    left -= raw.size();
  }
  return layer_.end_copy(member.crc32);
}

Result<void> WheelCopier::copy_raw(WheelStream& wheel, Bytes raw) {
  return layer_.copy_raw(raw, wheel.hash());
}

Result<void> WheelCopier::copy_whole(WheelStream& wheel, const ZipMember& member,
                                     const InstalledFile& file) {
  Bytes raw = TRY(wheel.peek(static_cast<std::size_t>(member.compressed_bytes)));
  Bytes plain = raw;
  if (member.method == ZipMethod::Deflate) {
    scratch_.resize(std::max<std::size_t>(scratch_.size(), kWholeBytes));
    const auto out = std::span(scratch_).first(static_cast<std::size_t>(member.size_bytes));
    TRY(inflater_.inflate_whole(raw, out));
    plain = out;
  }
  if (crc32(0, plain) != member.crc32) return bad_crc();
  if (is_copied(member)) {
    TRY(layer_.begin_copy());
    // The same bytes, taken now.
    raw = TRY(wheel.take_unhashed(raw.size()));
    TRY(copy_raw(wheel, raw));
    TRY(layer_.end_copy(member.crc32));
    layer_.copy_plain(plain);
  } else {
    TRY(wheel.skip(raw.size()));
    TRY(layer_.contents(plain));
  }
  if (tree_ != nullptr) return tree_->write_file(file.path, {file.mode, 0, 0}, plain);
  return {};
}

Result<void> WheelCopier::copy_large(WheelStream& wheel, const ZipMember& member,
                                     const InstalledFile& file) {
  const bool hashes_aside =
      tree_ != nullptr && is_copied(member) && member.size_bytes >= DirectWriter::kObservedBytes;
  std::optional<DirectWriter::ObserverScope> scope;
  if (tree_ != nullptr) {
    scope.emplace(tree_->large());
    DirectWriter::Observer hash;
    if (hashes_aside) hash = [this](Bytes plain) { layer_.copy_plain(plain); };
    TRY(tree_->begin_large(file.path, {file.mode, 0, 0}, member.size_bytes, std::move(hash)));
  }
  if (member.method == ZipMethod::Stored) {
    TRY(copy_stored(wheel, member));
  } else {
    TRY(copy_deflated(wheel, member, hashes_aside));
  }
  if (tree_ == nullptr) return {};
  return tree_->large().end(file.mode);
}

Result<void> WheelCopier::copy_stored(WheelStream& wheel, const ZipMember& member) {
  std::uint32_t crc = 0;
  for (std::uint64_t left = member.size_bytes; left > 0;) {
    const std::span<std::byte> out = TRY(buffer());
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
    for (std::size_t filled = 0; filled < wanted;) {
      const Bytes piece = TRY(wheel.take(wanted - filled));
      std::memcpy(out.data() + filled, piece.data(), piece.size());
      crc = crc32(crc, piece);
      TRY(layer_.contents(piece));
      filled += piece.size();
    }
    TRY(submit(wanted));
    left -= wanted;
  }
  if (crc != member.crc32) return bad_crc();
  return {};
}

Result<void> WheelCopier::copy_deflated(WheelStream& wheel, const ZipMember& member,
                                        bool hashes_aside) {
  const bool copies = is_copied(member);
  if (copies) TRY(layer_.begin_copy());
  inflater_.start(member.compressed_bytes, member.size_bytes);
  std::uint64_t left = member.compressed_bytes;
  std::uint32_t crc = 0;
  std::span<std::byte> out = TRY(buffer());
  std::size_t filled = 0;
  Bytes raw;
  for (;;) {
    if (raw.empty() && left > 0) {
      raw = TRY(wheel.take_unhashed(left));
      left -= raw.size();
      if (copies) {
        TRY(copy_raw(wheel, raw));
      } else {
        wheel.hash().update(raw);
      }
    }
    const std::size_t before = raw.size();
    const std::span<std::byte> room = out.subspan(filled);
    const std::size_t made =
        TRY(inflater_.inflate(raw, room.first(std::min(room.size(), kPieceBytes))));
    const Bytes plain = Bytes(room).first(made);
    crc = crc32(crc, plain);
    if (!copies) {
      TRY(layer_.contents(plain));
    } else if (!hashes_aside) {
      layer_.copy_plain(plain);
    }
    filled += made;
    if (filled == out.size()) {
      TRY(submit(filled));
      out = TRY(buffer());
      filled = 0;
    }
    if (made == 0 && raw.size() == before && (left == 0 || !raw.empty())) break;
  }
  TRY(inflater_.finish());
  if (crc != member.crc32) return bad_crc();
  if (filled > 0) TRY(submit(filled));
  if (copies) return layer_.end_copy(member.crc32);
  return {};
}

Result<std::span<std::byte>> WheelCopier::buffer() {
  if (tree_ != nullptr) return tree_->large().buffer();
  scratch_.resize(std::max<std::size_t>(scratch_.size(), kWholeBytes));
  return std::span(scratch_).first(kWholeBytes);
}

Result<void> WheelCopier::submit(std::size_t count) {
  if (tree_ != nullptr) return tree_->large().submit(count);
  return {};
}

}  // namespace slipway::layer
