#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace gradus {

/// How many terms a leaf of a tree holds, if it adds eight at a time, and if one by one.
inline constexpr std::int64_t leaf_of_eights = 128, leaf_of_ones = 16;

/// How many partial results a tree over n terms holds at once.
inline std::int64_t slots_of_tree(std::int64_t n, std::int64_t leaf_size) {
  return static_cast<std::int64_t>(
      std::bit_width(static_cast<std::uint64_t>((n + leaf_size - 1) / leaf_size)));
}

/// Combines n terms pairwise, so that rounding errors grow with the logarithm of n instead of n. The tree is
/// the same for the same n. `leaf(slot, begin, end)` computes a slot from some terms; `join(slot)` takes the
/// next slot into one. The result is in slot 0. The slots work as the digits of a binary counter.
template <class Leaf, class Join>
void walk_tree(std::int64_t n, std::int64_t leaf_size, Leaf leaf, Join join) {
  std::int64_t used = 0, leaves = 0;
  for (std::int64_t begin = 0; begin < n; begin += leaf_size) {
    leaf(used++, begin, std::min(n, begin + leaf_size));
    for (std::int64_t count = ++leaves; count % 2 == 0; count /= 2) join(--used - 1);
  }
  while (used > 1) join(--used - 1);
}

/// The same for one number: `leaf(begin, end)` gives that of some terms, `combine(a, b)` that of both.
template <class T, class Leaf, class Combine> T tree_of(std::int64_t n, Leaf leaf, Combine combine) {
  if (n <= leaf_of_eights) return leaf(0, n);
  T slots[64];
  walk_tree(
      n, leaf_of_eights,
      [&](std::int64_t slot, std::int64_t begin, std::int64_t end) { slots[slot] = leaf(begin, end); },
      [&](std::int64_t slot) { slots[slot] = combine(slots[slot], slots[slot + 1]); });
  return slots[0];
}

/// All term(i) for i from 0 to n, combined from `initial` on, which changes nothing. Eight partial results in
/// each leaf: faster, and more exact, than one.
template <class T, class Term, class Combine>
T tree_fold(std::int64_t n, T initial, Term term, Combine combine) {
  const auto leaf = [&](std::int64_t begin, std::int64_t end) {
    T parts[8] = {initial, initial, initial, initial, initial, initial, initial, initial};
    std::int64_t i = begin;
    for (; i + 8 <= end; i += 8)
      for (int k = 0; k < 8; ++k) parts[k] = combine(parts[k], term(i + k));
    for (; i < end; ++i) parts[(i - begin) % 8] = combine(parts[(i - begin) % 8], term(i));
    for (int half = 4; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) parts[k] = combine(parts[k], parts[k + half]);
    return parts[0];
  };
  return tree_of<T>(n, leaf, combine);
}

/// Σ term(i) for i from 0 to n.
template <class T, class Term> T tree_sum(std::int64_t n, Term term) {
  return tree_fold(n, T(0), term, [](T a, T b) { return a + b; });
}

}  // namespace gradus
