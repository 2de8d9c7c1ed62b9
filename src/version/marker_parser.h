/// The grammar of markers. Private to `version`.
#pragma once

#include "version/marker.h"
#include "version/text_reader.h"

namespace slipway::version {

///   or := and ("or" and)*    and := item ("and" item)*    item := "(" or ")" | value op value
class MarkerParser {
 public:
  explicit MarkerParser(std::string_view text) : whole_(text), reader_(text) {}
  Result<Marker> parse();

 private:
  using Node = Marker::Node;
  using Kind = Marker::Kind;
  Result<Node> parse_or(int depth);
  Result<Node> parse_and(int depth);
  Result<Node> parse_item(int depth);
  Result<MarkerValue> parse_value();
  Result<MarkerOperator> parse_operator();
  static void append(Node& parent, Node child);
  bool skip_keyword(std::string_view word);
  Error refuse(std::string_view why) const;

  std::string_view whole_;
  TextReader reader_;
};

}  // namespace slipway::version
