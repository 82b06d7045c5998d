#include "framework/compile/arena.hpp"

#include <iterator>

namespace gradus {

std::size_t ArenaAllocator::allocate(std::size_t bytes) {
  bytes = align_up(bytes);
  auto best = holes_.end();
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole)
    if (hole->second >= bytes && (best == holes_.end() || hole->second < best->second)) best = hole;
  if (best != holes_.end()) {
    const auto [offset, size] = *best;
    holes_.erase(best);
    if (size > bytes) holes_.emplace(offset + bytes, size - bytes);
    return offset;
  }
  // A hole at the end grows.
  std::size_t offset = size_;
  if (!holes_.empty()) {
    const auto last = std::prev(holes_.end());
    if (last->first + last->second == size_) {
      offset = last->first;
      holes_.erase(last);
    }
  }
  size_ = offset + bytes;
  return offset;
}

void ArenaAllocator::release(std::size_t offset, std::size_t bytes) {
  auto hole = holes_.emplace(offset, align_up(bytes)).first;
  if (const auto next = std::next(hole); next != holes_.end() && hole->first + hole->second == next->first) {
    hole->second += next->second;
    holes_.erase(next);
  }
  if (hole != holes_.begin()) {
    const auto before = std::prev(hole);
    if (before->first + before->second == hole->first) {
      before->second += hole->second;
      holes_.erase(hole);
    }
  }
}

}  // namespace gradus
