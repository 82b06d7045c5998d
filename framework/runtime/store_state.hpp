#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "framework/base/aligned.hpp"
#include "gradus/runtime/store.hpp"

namespace gradus {

/// The values of a store; all its handles share one of these.
template <class T> struct Store<T>::State {
  struct Slot {
    Extents extents;
    std::size_t count = 0;
    AlignedBytes memory;
    T* data() const { return reinterpret_cast<T*>(memory.get()); }
  };

  /// Error listing the names that exist when there is no such slot.
  Slot& find(std::string_view name);

  std::uint64_t seed = 0;
  std::map<std::string, Slot, std::less<>> slots;
  std::vector<std::string> order;
  std::atomic<bool> running = false;
};

}  // namespace gradus
