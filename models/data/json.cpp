#include "models/data/json.hpp"

#include <array>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>

namespace gradus {

namespace {

// Handed out one piece after the other, and free again when all pieces have come back.
struct Reserve {
  static constexpr std::size_t size = std::size_t{1} << 18U;
  alignas(std::max_align_t) std::array<std::byte, size> bytes{};
  std::size_t used = 0;
  std::size_t pieces = 0;
  std::mutex mutex;
};

constinit Reserve reserve;

bool is_reserved(const void* memory) {
  const auto* const byte = static_cast<const std::byte*>(memory);
  const std::less<> before;
  return !before(byte, reserve.bytes.data()) && before(byte, reserve.bytes.data() + Reserve::size);
}

}  // namespace

void* reserved_memory(std::size_t bytes) {
  if (void* const memory = std::malloc(bytes)) return memory;
  const std::lock_guard lock(reserve.mutex);
  constexpr std::size_t aligned = alignof(std::max_align_t);
  const std::size_t wanted = (bytes + aligned - 1) / aligned * aligned;
  if (wanted > Reserve::size - reserve.used) throw std::bad_alloc();
  void* const memory = reserve.bytes.data() + reserve.used;
  reserve.used += wanted;
  ++reserve.pieces;
  return memory;
}

void give_back_reserved(void* memory) noexcept {
  if (!is_reserved(memory)) return std::free(memory);
  const std::lock_guard lock(reserve.mutex);
  if (--reserve.pieces == 0) reserve.used = 0;
}

std::string json_text(const Json& json, int indent) { return json.dump(indent); }
std::string json_text(const OrderedJson& json, int indent) { return json.dump(indent); }

}  // namespace gradus
