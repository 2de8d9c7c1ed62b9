#include "registry/docker_config.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::registry;

TEST_CASE("docker config: whose login a registry gets") {
  // a:b, c:d, e:f, g:h
  const DockerConfig config = parse_docker_config(R"({"auths": {
        "registry.example": {"auth": "YTpi"},
        "https://index.other.example/v1/": {"auth": "Yzpk"},
        "registry.example/team": {"auth": "ZTpm"},
        "https://url.example/v2/": {"auth": "Zzpo"},
        "token.example": {"auth": "YTo=", "identitytoken": "t"},
        "helped.example": {}},
        "credHelpers": {"helped.example": "x"}, "credsStore": "desktop", "other": 1})",
                                                  "config.json")
                                  .value();
  CHECK(config.store == "desktop");
  CHECK(config.helpers.at("helped.example") == "x");
  struct Case {
    std::string host, repository, user;
  };
  const Case cases[] = {
      {"registry.example", "x", "a"},
      {"registry.example", "", "a"},
      {"registry.example", "team/x", "e"},
      {"registry.example", "teams/x", "a"},
      {"other.example", "x", "c"},
      {"url.example", "x", "g"},
      {"registry.example:5000", "x", ""},
      {"registry.exampl", "e/team", ""},
      {"x.registry.example", "x", ""},
      {"index.other.example", "x", "c"},
      {"example", "x", ""},
      {"helped.example", "x", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.host);
    CAPTURE(one.repository);
    const auto login = find_login(config, one.host, one.repository);
    CHECK((login ? login->user : "") == one.user);
  }
  CHECK(find_login(config, "token.example", "x")->identity_token == "t");
}

TEST_CASE("docker config: what cannot be read") {
  for (const char* text :
       {"", "[]", "{\"auths\": {\"x\": {\"auth\": \"!\"}}}",
        "{\"auths\": {\"x\": {\"auth\": \"YQ==\"}}}", "{\"auths\": {\"x\": 1}}"}) {
    CAPTURE(text);
    const auto config = parse_docker_config(text, "config.json");
    REQUIRE(!config.ok());
    CHECK(config.error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("docker config: what helpers answer") {
  CHECK(parse_helper_answer(R"({"ServerURL": "x", "Username": "u", "Secret": "s"})", "h").value() ==
        Login{"u", "s", ""});
  CHECK(parse_helper_answer(R"({"Username": "<token>", "Secret": "s"})", "h").value() ==
        Login{"", "", "s"});
  CHECK(!parse_helper_answer("no", "h").ok());
}
