#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Lets a container of strings look up by a view.
struct NameHash : std::hash<std::string_view> {
  /// For std::unordered_map and its kin.
  using is_transparent = void;
};

/// Finds things by their names, of which a file may have a hundred thousand.
class NameIndex {
 public:
  /// The name of the next thing. False where one before has it, which is then the one to be found.
  bool add(std::string_view name) { return places_.emplace(name, count_++).second; }
  /// The place among those that were added, from 0 on.
  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>> places_;
  std::size_t count_ = 0;
};

}  // namespace gradus
