#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

namespace gradus {

/// Values by number, such as those of a graph's nodes or of a plan's buffers, which are signed.
template <class V> class ById : public std::vector<V> {
 public:
  using std::vector<V>::vector;
  /// The value of this number.
  template <std::integral I> decltype(auto) operator[](I id) {
    return std::vector<V>::operator[](static_cast<std::size_t>(id));
  }
  template <std::integral I> decltype(auto) operator[](I id) const {
    return std::vector<V>::operator[](static_cast<std::size_t>(id));
  }
};

}  // namespace gradus
