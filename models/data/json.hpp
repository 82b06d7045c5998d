#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Memory that can be had, up to a bound, also when there is none left: the destructor of a value of
/// nlohmann::json puts what is in it into a vector, and a destructor that runs out of memory ends the
/// program.
void* reserved_memory(std::size_t bytes);
void give_back_reserved(void* memory) noexcept;

/// std::allocator by another name, which makes the types below our own.
template <class T> struct JsonAllocator : std::allocator<T> {
  JsonAllocator() noexcept = default;
  template <class U> JsonAllocator(const JsonAllocator<U>& /*other*/) noexcept {}
  template <class U> struct rebind { using other = JsonAllocator<U>; };
};

template <template <class, class, class...> class Object>
using BasicJson = nlohmann::basic_json<Object, std::vector, std::string, bool, std::int64_t, std::uint64_t,
                                       double, JsonAllocator>;
/// JSON in this program. Its values can be destroyed when memory has run out.
using Json = BasicJson<std::map>;
/// The same, and members stay in the order in which they were added.
using OrderedJson = BasicJson<nlohmann::ordered_map>;

/// The value as text: on one line, or a line for each member, indented so. nlohmann's type_error for a string
/// that is no UTF-8. (The writer takes long to compile, and is compiled here alone.)
std::string json_text(const Json& json, int indent = -1);
std::string json_text(const OrderedJson& json, int indent = -1);

}  // namespace gradus

/// The allocator of the vector into which the destructor puts values, and of no other: arrays are
/// JsonAllocator's.
template <template <class, class, class...> class Object> class std::allocator<gradus::BasicJson<Object>> {
 public:
  using value_type = gradus::BasicJson<Object>;

  allocator() noexcept = default;
  template <class U> allocator(const allocator<U>& /*other*/) noexcept {}

  value_type* allocate(std::size_t count) {
    return static_cast<value_type*>(gradus::reserved_memory(count * sizeof(value_type)));
  }
  void deallocate(value_type* memory, std::size_t /*count*/) noexcept { gradus::give_back_reserved(memory); }
  bool operator==(const allocator& /*other*/) const noexcept { return true; }
};
