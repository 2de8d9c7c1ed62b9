// fmt's own functions, compiled into the program: Debian has them as a shared library only, and
// what a program has to load and relocate first is paid at every start of a container.
#include <fmt/format-inl.h>

// What fmt's headers declare and leave to its library.
template auto fmt::detail::dragonbox::to_decimal(float) -> dragonbox::decimal_fp<float>;
template auto fmt::detail::dragonbox::to_decimal(double) -> dragonbox::decimal_fp<double>;
template auto fmt::detail::thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl(locale_ref) -> char;
template void fmt::detail::buffer<char>::append(const char*, const char*);
