/// The files of keys that sign images.
#pragma once

#include <string>

#include "base/reporter.h"
#include "sign/key_file.h"

namespace slipway::plan {

/// Fails as sign/key_file.h has it. Warns of a private key without a passphrase that others can
/// read.
Result<sign::PrivateKey> read_private_key(const std::string& path, const sign::AskPassphrase& ask,
                                          Reporter& reporter);
Result<sign::PublicKey> read_public_key(const std::string& path);

struct KeyPairFiles {
  std::string private_path, public_path;
};

/// `PREFIX.key` and `PREFIX.pub`.
KeyPairFiles key_pair_files(const std::string& prefix);
/// InvalidInput where one of the two is there: a pair is never written over, signatures hang on it.
Result<void> check_free(const KeyPairFiles& files);
/// Makes a pair; the private file has mode 0600 from its first byte. Both are there, or none.
Result<void> make_key_pair(const KeyPairFiles& files, const std::string& passphrase);

}  // namespace slipway::plan
