// toml++'s own functions, compiled into the program, for the reason in fmt.cc.
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>
