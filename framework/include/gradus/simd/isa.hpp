#pragma once

#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// The instruction sets for which kernels are built; one binary holds them all.
enum class Isa {
  baseline,  ///< what every CPU of the architecture has (SSE2 on x86-64)
  avx2,      ///< AVX2 and FMA (x86-64-v3)
  avx512,    ///< AVX-512 F, BW, CD, DQ, VL (x86-64-v4)
};

/// The best that this CPU has, or the one that GRADUS_ISA (baseline, avx2, avx512) asks for; found once, at
/// first use. Error when GRADUS_ISA names none, or one that the CPU lacks.
Isa current_isa();

/// As GRADUS_ISA spells it.
std::string_view to_string(Isa isa);

namespace detail {

#if defined(__x86_64__) && defined(__GNUC__)
#define GRADUS_TARGET(features) [[gnu::target(features), gnu::flatten]]
#else
#define GRADUS_TARGET(features)
#endif
// GCC and clang ask for vectors of 64 bytes in ways of their own.
#if defined(__x86_64__) && defined(__clang__)
#define GRADUS_AVX512 [[gnu::target("arch=x86-64-v4"), gnu::flatten, clang::min_vector_width(512)]]
#else
#define GRADUS_AVX512 GRADUS_TARGET("arch=x86-64-v4,prefer-vector-width=512")
#endif

#if defined(__clang__)
// Loops that it is told it may vectorise, but does not, are no fault.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

// `Body::run<isa>(...)` with everything that it calls inlined and built for the instruction set. The target
// belongs to these functions alone: whatever else the file emits runs everywhere.
template <class Body, class... A> struct Versions {
  GRADUS_TARGET("sse2") static void baseline(A... a) { Body::template run<Isa::baseline>(a...); }
  GRADUS_TARGET("arch=x86-64-v3") static void avx2(A... a) { Body::template run<Isa::avx2>(a...); }
  GRADUS_AVX512 static void avx512(A... a) { Body::template run<Isa::avx512>(a...); }
};

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#undef GRADUS_TARGET
#undef GRADUS_AVX512

}  // namespace detail

/// The version of `static void Body::run<isa>(A...)` for the current instruction set.
template <class Body, class... A> auto version_for_isa() -> void (*)(A...) {
  using Versions = detail::Versions<Body, A...>;
  switch (current_isa()) {
    case Isa::avx512:
      return &Versions::avx512;
    case Isa::avx2:
      return &Versions::avx2;
    default:
      return &Versions::baseline;
  }
}

}  // namespace gradus
