#include "base/base64.h"

#include <doctest/doctest.h>

using namespace slipway;

TEST_CASE("base64: RFC 4648, section 10, both ways") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, packed] : cases) {
    CHECK(encode_base64(plain) == packed);
    CHECK(decode_base64(packed) == plain);
  }
  const std::string all("\x00\x10\x83\xfb\xff\xbe", 6);
  CHECK(decode_base64(encode_base64(all)) == all);
  CHECK(decode_base64("Zm8") == "fo");
}

TEST_CASE("base64: what is none") {
  for (const char* text : {"Z", "Zm9vY", "Zm9v\n", "Zm-v",
                           "Z===", "Zg=", "Zg==Zg==", "====", "Zh==", "Zm9=", " Zg=="}) {
    CAPTURE(text);
    CHECK(!decode_base64(text).has_value());
  }
}
