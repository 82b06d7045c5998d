#pragma once

#include <cstddef>
#include <cstdint>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// The element type of a program's tensors, as a value.
enum class DType : std::uint8_t {
  float32,  ///< float
  float64,  ///< double
};

/// The element type of tensors of T.
template <class T> inline constexpr DType dtype_of = DType::float32;
template <> inline constexpr DType dtype_of<double> = DType::float64;

/// The size of one element in bytes.
constexpr std::size_t bytes_of(DType dtype) { return dtype == DType::float32 ? 4 : 8; }

/// Calls `f` with a zero of the C++ type that `dtype` stands for, and returns what it returns.
template <class F> decltype(auto) with_dtype(DType dtype, F f) {
  return dtype == DType::float32 ? f(float{}) : f(double{});
}

}  // namespace gradus
