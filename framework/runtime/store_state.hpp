#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "framework/base/aligned.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/runtime/store.hpp"

namespace gradus {

/// The values of a store; all its handles share one of these.
template <class T> struct Store<T>::State {
  struct Slot {
    Extents extents;
    std::size_t count = 0;
    std::shared_ptr<std::byte[]> memory;  ///< executables keep it alive
    Location where;                       ///< which line made it
    /// The one that made it, then those of other graphs that asked for the same.
    std::vector<std::shared_ptr<const Variable>> known;
    T* data() const { return reinterpret_cast<T*>(memory.get()); }
  };

  /// The values that a variable starts with. Error with its name and line where the initializer has one.
  std::vector<T> start_of(const Variable& variable, const Extents& extents, Location where) const;
  /// Error when a state of another graph asks for something other than the slot holds.
  void admit(Slot& slot, const Node& node) const;
  /// This name or, if there is none, those that begin with it; Error when there is none of them either.
  std::vector<std::string> matching(std::string_view prefix) const;

  /// Error listing the names that exist when there is no such slot.
  Slot& find(std::string_view name);

  std::uint64_t seed = 0;
  std::map<std::string, Slot, std::less<>> slots;
  std::vector<std::string> order;
  std::atomic<bool> running = false;
};

}  // namespace gradus
