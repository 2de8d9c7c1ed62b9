#include "cli/all_commands.h"
#include "cli/verify_modes.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  if (const auto key = call.find("key")) return verify_signature(*key, call, context);
  if (call.has("insecure")) {
    return make_error(ErrorKind::InvalidInput,
                      "`--insecure` goes with `--key`: nothing else of "
                      "`slipway verify` asks a registry");
  }
  return verify_by_rebuilding(call, context);
}

}  // namespace

Command verify_command() {
  return {"verify",
          "build the image once more and compare; with --key, check who signed it",
          Operand::Optional,
          "IMAGE",
          {{"--key", "FILE", "the public key that has to have signed the image"},
           {"--insecure", "", "with --key: the registry may speak http, or have any certificate"},
           json_option()},
          {{"slipway verify", "the project's image, layer by layer; exit 1 where it differs"},
           {"slipway verify registry.example/team/train:1 --key release.pub",
            "the image there, or what was pulled of it"}},
          run};
}

}  // namespace slipway::cli
