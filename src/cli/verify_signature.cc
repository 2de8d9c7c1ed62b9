#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "cli/verify_modes.h"
#include "plan/sign_image.h"
#include "plan/signing_keys.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostShown = 5;

const char* word_of(sign::Verdict verdict) {
  switch (verdict) {
    case sign::Verdict::Good:
      return "signed";
    case sign::Verdict::OtherDigest:
      return "other-digest";
    case sign::Verdict::OtherClaim:
      return "no-signature";
    case sign::Verdict::Changed:
      return "changed";
    case sign::Verdict::OtherKey:
      return "other-key";
    case sign::Verdict::Certificate:
      return "certificate";
    case sign::Verdict::Unreadable:
      break;
  }
  return "unreadable";
}

bool has_any(const plan::CheckedSignatures& checked) {
  return !checked.findings.empty() || !checked.troubles.empty();
}

std::string json_of(const plan::CheckedSignatures& checked, const sign::PublicKey& key) {
  auto list = nlohmann::ordered_json::array();
  const auto text_or_null = [](const std::optional<Digest>& digest) {
    return digest ? nlohmann::ordered_json(digest->text()) : nlohmann::ordered_json();
  };
  for (const plan::PlacedFinding& one : checked.findings) {
    list.push_back({{"place", one.place},
                    {"format", sign::format_name(one.finding.format)},
                    {"verdict", word_of(one.finding.verdict)},
                    {"digest", text_or_null(one.finding.digest)},
                    {"claimed_key", text_or_null(one.finding.signed_key)},
                    {"why", one.finding.why}});
  }
  const nlohmann::ordered_json answer{
      {"schema", 1},
      {"image", checked.reference},
      {"digest", checked.digest.text()},
      {"key", key.fingerprint().text()},
      {"signed", checked.is_signed()},
      {"verdict", has_any(checked) ? word_of(checked.verdict()) : "unsigned"},
      {"signatures", list},
      {"troubles", checked.troubles}};
  return answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Why no signature that is there is good.
Error refusal(const plan::CheckedSignatures& checked, const std::string& key) {
  const std::string& name = checked.reference;
  if (!has_any(checked)) {
    return make_error(ErrorKind::NotFound, "`{}` is not signed", name)
        .reason(fmt::format("no signature of {} is there", checked.digest.text()))
        .hint(fmt::format("`slipway sign {} --key FILE` signs it", name));
  }
  Error error = make_error(ErrorKind::Corrupt, "`{}` is not signed by `{}`", name, key);
  switch (checked.verdict()) {
    case sign::Verdict::OtherDigest:
      error.message =
          fmt::format("the signature by `{}` is for another image than `{}`", key, name);
      break;
    case sign::Verdict::Changed:
      error.message =
          fmt::format("the signature of `{}` was changed after `{}` made it", name, key);
      break;
    case sign::Verdict::OtherKey:
      error.message = fmt::format("`{}` is signed by other keys, not by `{}`", name, key);
      break;
    default:
      break;
  }
  for (const plan::PlacedFinding& one : checked.findings) {
    if (error.because.size() == kMostShown) break;
    const bool is_bundle = one.finding.format == sign::Format::Bundle;
    const std::string place =
        one.place == "store" ? "the store" : fmt::format("the registry `{}`", one.place);
    error.because.push_back(fmt::format(
        "of a {} in {}: {}", is_bundle ? "bundle" : "simple signature", place, one.finding.why));
  }
  for (const std::string& trouble : checked.troubles) {
    if (error.because.size() == kMostShown) break;
    error.because.push_back("one cannot be read, " + trouble);
  }
  error.because.push_back(fmt::format("the image is {}", checked.digest.text()));
  return error;
}

}  // namespace

Result<int> verify_signature(const std::string& key_file, const Invocation& call,
                             Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const sign::PublicKey key = TRY(plan::read_public_key(join_path(context.folder, key_file)));
  const std::string image =
      call.operands.empty() ? TRY(image_of(call, context, tools)).reference : call.operands[0];
  const auto trust = call.has("insecure") ? registry::Trust::Insecure : registry::Trust::Checked;
  const plan::CheckedSignatures checked = TRY(plan::check_signatures(image, trust, key, tools));
  if (call.has("json")) {
    TRY(print(json_of(checked, key)));
    return checked.is_signed() ? 0 : 1;
  }
  if (!checked.is_signed()) return refusal(checked, key_file);
  context.reporter.done(fmt::format("`{}` is signed by `{}`: {}", checked.reference, key_file,
                                    checked.digest.text()));
  return 0;
}

}  // namespace slipway::cli
