#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "gradus/simd/isa.hpp"
#include "ops/kernels/gemm.hpp"

namespace gradus {

/// `Body::run<isa>` for the current instruction set.
template <class T, class Body> GemmKernel<T> kernel_for_isa() {
  return version_for_isa<Body, const GemmShape&, const T*, const T*, T*, T*>();
}

/// The bytes of the widest vectors of an instruction set.
template <Isa isa>
inline constexpr std::size_t widest_vector = isa == Isa::avx512 ? 64
                                             : isa == Isa::avx2 ? 32
                                                                : 16;

#if defined(__clang__)
// Its `flatten` inlines calls, but none within what it inlines: that would be built without the instruction
// set, and so without fused multiply-adds. GCC's needs no help, and is led astray by it.
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#endif

/// Calls f with the bytes of the widest vectors that a row of so many elements fills, as a constant.
template <Isa isa, class T, std::size_t bytes = widest_vector<isa>, class F>
void with_vectors(std::int64_t count, F f) {
  if constexpr (bytes > sizeof(T)) {
    constexpr std::size_t narrower = bytes > 16 ? bytes / 2 : sizeof(T);
    if (static_cast<std::size_t>(count) * sizeof(T) < bytes) return with_vectors<isa, T, narrower>(count, f);
  }
  f(std::integral_constant<std::size_t, bytes>());
}

#if defined(__clang__)
#pragma clang attribute pop
#endif

/// Vectors of so many bytes, loaded from anywhere in an array and stored there.
template <class T, std::size_t bytes> struct Vectors {
  using Vector [[gnu::vector_size(bytes)]] = T;
  static constexpr std::int64_t width = bytes / sizeof(T);

  // A member, since clang drops the alignment of a type that depends on T.
  struct [[gnu::packed, gnu::may_alias]] Unaligned {
    Vector vector;
  };

  static void load(const T* from, Vector& to) { to = reinterpret_cast<const Unaligned*>(from)->vector; }
  static void store(const Vector& v, T* to) { reinterpret_cast<Unaligned*>(to)->vector = v; }
};

}  // namespace gradus
