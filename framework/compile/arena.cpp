#include "framework/compile/arena.hpp"

#include <algorithm>
#include <iterator>

namespace gradus {

std::size_t ArenaAllocator::allocate(std::size_t bytes) {
  bytes = align_up(bytes);
  // The last hole has no end, but serves as far as the arena reaches before it lets the arena grow.
  auto best = std::prev(holes_.end());
  std::size_t least = endless;
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
    const std::size_t room = std::min(hole->second, size_) - hole->first;
    if (room < bytes || room >= least) continue;
    best = hole;
    least = room;
  }
  const auto [begin, end] = *best;
  holes_.erase(best);
  if (begin + bytes < end) holes_.emplace(begin + bytes, end);
  size_ = std::max(size_, begin + bytes);
  return begin;
}

void ArenaAllocator::release(std::size_t offset, std::size_t bytes) {
  const auto hole = holes_.emplace(offset, offset + align_up(bytes)).first;
  if (const auto next = std::next(hole); hole->second == next->first) {
    hole->second = next->second;
    holes_.erase(next);
  }
  if (hole == holes_.begin()) return;
  if (const auto before = std::prev(hole); before->second == hole->first) {
    before->second = hole->second;
    holes_.erase(hole);
  }
}

}  // namespace gradus
