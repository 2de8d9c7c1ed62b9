#include "index/debian_signature.h"

#include "base/file.h"
#include "base/process.h"
#include "index/debian_text.h"

namespace slipway::index {
namespace {

/// RFC 4880, section 9.4: SHA256, SHA384, SHA512.
bool is_strong_hash(std::string_view number) {
  return number == "8" || number == "9" || number == "10";
}

}  // namespace

Result<void> check_gpgv_status(std::string_view status) {
  bool is_good = false;  // the signature under way
  bool any_good = false;
  bool any_weak = false;
  std::string missing_key;
  while (!status.empty()) {
    const auto line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(status.size(), line.size() + 1));
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != "[GNUPG:]") continue;
    if (words[1] == "NEWSIG") is_good = false;
    if (words[1] == "BADSIG") {
      return make_error(ErrorKind::Corrupt, "a signature does not fit the text");
    }
    if (words[1] == "NO_PUBKEY" && words.size() > 2) missing_key = words[2];
    if (words[1] == "GOODSIG") is_good = true;
    if (words[1] == "VALIDSIG" && is_good && words.size() > 9) {
      (is_strong_hash(words[9]) ? any_good : any_weak) = true;
    }
  }
  if (any_good) return {};
  if (any_weak) return make_error(ErrorKind::Corrupt, "the signature uses a weak hash");
  auto error = make_error(ErrorKind::Corrupt, "no signature by a key that is trusted");
  if (!missing_key.empty()) {
    error.because.push_back(fmt::format("the key {} is not in the keyring", missing_key));
  }
  return error;
}

Result<std::string> read_signed_text(std::string_view clear_signed, const std::string& keyring,
                                     const std::string& scratch_folder) {
  if (!path_exists(keyring)) {
    return make_error(ErrorKind::Unsupported, "no keyring at `{}`", keyring)
        .hint("install the package `debian-archive-keyring`");
  }
  if (!find_program("gpgv")) {
    return make_error(ErrorKind::Unsupported, "`gpgv` is not installed")
        .hint("install the package `gpgv`");
  }
  const auto folder = TRY(TemporaryFolder::create(scratch_folder, "signature"));
  const auto signed_path = join_path(folder.path(), "InRelease");
  const auto text_path = join_path(folder.path(), "Release");
  TRY(write_file(signed_path, clear_signed));
  // Not the exit status: it is 2 as soon as one of several keys is not known.
  const auto result = TRY(run_process({"gpgv", "--status-fd", "1", "--homedir", folder.path(),
                                       "--keyring", keyring, "--output", text_path, signed_path}));
  TRY(check_gpgv_status(result.output));
  return read_file(text_path);
}

}  // namespace slipway::index
