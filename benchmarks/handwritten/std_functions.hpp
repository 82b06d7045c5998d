#pragma once

namespace gradus::benchmarks {

// y = f(x), element by element and call by call.
template <class T> using StdLoop = void (*)(int count, const T* x, T* y);

// A function of std's as such a loop, and the arguments that are common for it.
struct StdFunction {
  const char* name;
  StdLoop<float> in_float;
  StdLoop<double> in_double;
  double from, to;
};

// exp, and the functions that gradus has vector code for, in the order of their names here.
inline constexpr int std_function_count = 11;
extern const StdFunction std_functions[std_function_count];

}  // namespace gradus::benchmarks
