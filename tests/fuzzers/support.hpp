#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "gradus/base/error.hpp"
#include "gradus/data/tensor_bytes.hpp"

/// Shared by the targets of readers that take bytes. Each says how long its inputs are.
// clang-format off
///
///   cmake --preset asan -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DGRADUS_FUZZERS=ON -DGRADUS_WERROR=OFF
///         -DGRADUS_SANITIZE=fuzzer-no-link,address,undefined
///   cmake --build build/fuzz --target NAME_fuzzer
///   cd build/fuzz && mkdir -p NAME
///   export ASAN_OPTIONS=quarantine_size_mb=16
///   export limits="-max_len=LENGTH -timeout=5 -rss_limit_mb=512 -malloc_limit_mb=64 -runs=5000000"
///   nice tests/fuzzers/NAME_fuzzer $limits NAME ../../tests/fuzzers/corpus/NAME
///
// clang-format on
/// It stops at the first finding and writes the input to a file, which the program replays when it is given
/// its name. What is worth keeping goes into corpus/NAME, which NAME_replay runs as a test.
namespace gradus::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

/// Returns f's result, or nothing when it throws an Error, which must begin with one of these.
template <class F, class... Starts> auto read(F f, Starts... starts) -> std::optional<decltype(f())> {
  try {
    return f();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    require((message.starts_with(starts) || ...), "the message does not begin with the place");
    return std::nullopt;
  }
}

inline bool same(const TensorBytes& a, const TensorBytes& b) {
  return a.type == b.type && a.extents == b.extents && a.bytes.size() == b.bytes.size() &&
         (a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0);
}

/// All that a tensor promises, and that its elements can be looked at.
inline void check(const TensorBytes& tensor) {
  require(byte_count(tensor.extents, tensor.type) == tensor.bytes.size(), "a tensor does not fit its bytes");
  double last = 0;
  if (tensor.count() > 0) convert(tensor, tensor.count() - 1, std::span(&last, 1));
}

}  // namespace gradus::fuzz
