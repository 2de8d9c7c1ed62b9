// Any text as run.json and state.json: facts and a state, or Corrupt. What was read, written and
// read again is the same.
#include "run/run_facts.h"

namespace {

template <typename Value, typename Write, typename Parse>
void check_return(const slipway::Result<Value>& value, const Write& write, const Parse& parse) {
  if (!value.ok()) return;
  const slipway::Result<Value> again = parse(write(*value));
  if (!again.ok() || !(*again == *value)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway::run;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto facts = parse_run_facts(text);
  if (!facts.ok() && facts.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  check_return(facts, write_run_facts, parse_run_facts);
  const auto state = parse_run_state(text);
  if (!state.ok() && state.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  if (state.ok() && status_word(state->status).empty()) __builtin_trap();
  if (state.ok() && (state->room_pid < 0 || state->monitor_pid < 0 || state->program_pid < 0)) {
    __builtin_trap();
  }
  check_return(state, write_run_state, parse_run_state);
  return 0;
}
