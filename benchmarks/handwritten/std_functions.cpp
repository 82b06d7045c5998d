// The loops as anybody writes them, with the flags that anybody has.
#include "std_functions.hpp"

#include <cmath>

namespace gradus::benchmarks {

namespace {

template <auto f, class T> void loop(int count, const T* x, T* y) {
  for (int i = 0; i < count; ++i) y[i] = f(x[i]);
}

template <auto f> constexpr StdFunction function(const char* name, double from, double to) {
  return {name, loop<f, float>, loop<f, double>, from, to};
}

}  // namespace

const StdFunction std_functions[] = {
    function<[](auto x) { return std::exp(x); }>("exp", -10, 10),
    function<[](auto x) { return std::sin(x); }>("sin", -10, 10),
    function<[](auto x) { return std::cos(x); }>("cos", -10, 10),
    function<[](auto x) { return std::tan(x); }>("tan", -10, 10),
    function<[](auto x) { return std::asin(x); }>("asin", -1, 1),
    function<[](auto x) { return std::acos(x); }>("acos", -1, 1),
    function<[](auto x) { return std::atan(x); }>("atan", -10, 10),
    function<[](auto x) { return std::sinh(x); }>("sinh", -5, 5),
    function<[](auto x) { return std::cosh(x); }>("cosh", -5, 5),
    function<[](auto x) { return std::erf(x); }>("erf", -3, 3),
    function<[](auto x) { return std::erfc(x); }>("erfc", -3, 3),
};

}  // namespace gradus::benchmarks
