#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/all_commands.h"
#include "cli/passphrase.h"
#include "cli/project_image.h"
#include "plan/sign_image.h"
#include "plan/signing_keys.h"

namespace slipway::cli {
namespace {

Result<int> generate(const std::string& prefix, Context& context) {
  const plan::KeyPairFiles files = plan::key_pair_files(join_path(context.folder, prefix));
  TRY(plan::check_free(files));
  const NewPassphrase passphrase = TRY(choose_passphrase(files.private_path));
  TRY(plan::make_key_pair(files, passphrase.text));
  if (passphrase.text.empty()) {
    const char* why = ": neither $SLIPWAY_KEY_PASSWORD nor a terminal is there";
    context.reporter.warn(fmt::format("`{}` has no passphrase{}", files.private_path,
                                      passphrase.is_asked_for ? "" : why));
  }
  context.reporter.done(fmt::format("made `{}`, which signs, and `{}`, for those who verify",
                                    files.private_path, files.public_path));
  return 0;
}

Result<std::vector<sign::Format>> formats_of(const Invocation& call) {
  const std::string word = call.find("format").value_or("bundle");
  if (word == "bundle") return std::vector{sign::Format::Bundle};
  if (word == "simple") return std::vector{sign::Format::Simple};
  if (word == "both") return std::vector{sign::Format::Bundle, sign::Format::Simple};
  return make_error(ErrorKind::InvalidInput, "`{}` is no format of signatures", word)
      .hint("`bundle` is cosign 3's, `simple` that of cosign 2 and Podman; `both` writes both");
}

std::string summary(const plan::SignedImage& done) {
  const char* where = !done.is_at_registry ? "; `slipway push` sends it along"
                      : done.is_in_store   ? ", at the registry and in the store"
                                           : ", at the registry";
  return fmt::format("signed `{}`: {}{}", done.reference, done.digest.text(), where);
}

Result<int> run(const Invocation& call, Context& context) {
  if (call.has("generate-key") && (call.has("key") || !call.operands.empty())) {
    return make_error(ErrorKind::InvalidInput, "`--generate-key` makes a pair and signs nothing")
        .hint("then `slipway sign IMAGE --key PREFIX.key`");
  }
  if (const auto prefix = call.find("generate-key")) return generate(*prefix, context);
  const auto key_file = call.find("key");
  if (!key_file) {
    return make_error(ErrorKind::InvalidInput, "`slipway sign` needs `--key FILE`")
        .hint("`slipway sign --generate-key PREFIX` makes a pair");
  }
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  plan::SignRequest request;
  request.formats = TRY(formats_of(call));
  if (call.has("insecure")) request.trust = registry::Trust::Insecure;
  request.image =
      call.operands.empty() ? TRY(image_of(call, context, tools)).reference : call.operands[0];
  const std::string path = join_path(context.folder, *key_file);
  const auto ask = [&path] { return find_passphrase(path); };
  const sign::PrivateKey key = TRY(plan::read_private_key(path, ask, context.reporter));
  const plan::SignedImage done = TRY(plan::sign_image(request, key, tools));
  if (call.has("json")) {
    const nlohmann::ordered_json answer{{"schema", 1},
                                        {"image", done.reference},
                                        {"digest", done.digest.text()},
                                        {"key", key.public_key().fingerprint().text()},
                                        {"in_store", done.is_in_store},
                                        {"at_registry", done.is_at_registry}};
    TRY(print(answer.dump(2) + "\n"));
    return 0;
  }
  context.reporter.done(summary(done));
  return 0;
}

}  // namespace

Command sign_command() {
  return {
      "sign",
      "sign an image, of the store or at a registry, as cosign does",
      Operand::Optional,
      "IMAGE",
      {{"--key", "FILE", "the private key; its passphrase: $SLIPWAY_KEY_PASSWORD, or asked for"},
       {"--generate-key", "PREFIX", "make a pair, PREFIX.key and PREFIX.pub, and sign nothing"},
       {"--format", "FORMAT", "bundle (cosign 3; the default), simple (cosign 2, Podman) or both"},
       {"--insecure", "", "the registry may speak http, or have any certificate"},
       json_option()},
      {{"slipway sign train:1 --key release.key", "in the store; `slipway push` sends it along"},
       {"slipway sign registry.example/team/train:1 --key release.key", "what is there already"}},
      run};
}

}  // namespace slipway::cli
