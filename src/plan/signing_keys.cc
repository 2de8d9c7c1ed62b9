#include "plan/signing_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::plan {
namespace {

Result<void> write_new(const std::string& path, std::string_view text, mode_t mode) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  FdSink out(fd.get());
  Result<void> written = out.write(as_bytes(text));
  if (written.ok() && ::fsync(fd.get()) != 0) written = errno_error("cannot write `" + path + "`");
  if (!written.ok()) (void)remove_file(path);
  return written;
}

}  // namespace

Result<sign::PrivateKey> read_private_key(const std::string& path, const sign::AskPassphrase& ask,
                                          Reporter& reporter) {
  const std::string text = TRY(read_file(path));
  sign::ReadKey read = TRY(sign::parse_private_key(text, path, ask));
  struct stat status {};
  if (!read.is_locked && ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0077) != 0) {
    reporter.warn(
        fmt::format("others can read `{}`, and it has no passphrase: `chmod 600` it", path));
  }
  return std::move(read.key);
}

Result<sign::PublicKey> read_public_key(const std::string& path) {
  const std::string text = TRY(read_file(path));
  return sign::parse_public_key(text, path);
}

KeyPairFiles key_pair_files(const std::string& prefix) {
  return {prefix + ".key", prefix + ".pub"};
}

Result<void> check_free(const KeyPairFiles& files) {
  for (const std::string& path : {files.private_path, files.public_path}) {
    if (!path_exists(path)) continue;
    return make_error(ErrorKind::InvalidInput, "`{}` is there already", path)
        .hint("keys are never written over; choose another prefix");
  }
  return {};
}

Result<void> make_key_pair(const KeyPairFiles& files, const std::string& passphrase) {
  TRY(check_free(files));
  const sign::PrivateKey key = TRY(sign::PrivateKey::generate());
  const std::string locked = TRY(sign::encode_private_key(key, passphrase));
  TRY(write_new(files.private_path, locked, 0600));
  const Result<void> written = write_new(files.public_path, key.public_key().pem(), 0644);
  if (!written.ok()) (void)remove_file(files.private_path);
  return written;
}

}  // namespace slipway::plan
