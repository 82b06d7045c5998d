#include "framework/runtime/execute.hpp"

#include <algorithm>

namespace gradus {

namespace {

template <class T> using Spread = typename TileLoop<T>::Spread;

// The row from `start` on, and then again and again all that is there already.
template <class T> void spread_row(const Spread<T>& s, std::size_t start, std::size_t n) {
  const std::size_t from = start % s.period;
  std::size_t done = std::min(s.period - from, n);
  std::copy_n(s.source + from, done, s.tile);
  if (done < n) {
    const std::size_t rest = std::min(from, n - done);
    std::copy_n(s.source, rest, s.tile + done);
    done += rest;
  }
  while (done < n) {
    const std::size_t length = std::min(done, n - done);
    std::copy_n(s.tile, length, s.tile + done);
    done += length;
  }
}

template <class T> void spread_column(const Spread<T>& s, std::size_t start, std::size_t n) {
  for (std::size_t done = 0; done < n;) {
    const std::size_t index = (start + done) / s.period;
    const std::size_t length = std::min((index + 1) * s.period - (start + done), n - done);
    std::fill_n(s.tile + done, length, s.source[index]);
    done += length;
  }
}

template <class T> void spread(const Spread<T>& s, std::size_t start, std::size_t n) {
  if (s.access == Access::row)
    spread_row<T>(s, start, n);
  else if (s.access == Access::column)
    spread_column<T>(s, start, n);
  else
    std::fill_n(s.tile, n, *s.source);
}

// The tiles of elements [from, to); the panel, if there is one, holds them from its start on.
template <class T> void run_tiles(TileLoop<T>& loop, std::size_t from, std::size_t to) {
  for (const auto& c : loop.cursors) loop.pointers[c.pointer] = c.base + (c.in_panel ? 0 : from);
  for (std::size_t start = from; start < to; start += loop.tile) {
    const std::size_t n = std::min(loop.tile, to - start);
    for (const auto& s : loop.spreads)
      if (s.every_tile) spread<T>(s, start, n);
    for (const BlockCall<T>& call : loop.calls) call(n);
    for (const auto& c : loop.cursors) loop.pointers[c.pointer] += n;
  }
}

template <class T> void run(TileLoop<T>& loop) {
  for (const auto& s : loop.spreads)
    if (!s.every_tile) spread<T>(s, 0, loop.tile);
  if (loop.panel == 0) return run_tiles(loop, loop.begin, loop.end);
  for (std::size_t from = loop.begin; from < loop.end; from += loop.panel) {
    const std::size_t to = std::min(loop.end, from + loop.panel);
    loop.producer.from = static_cast<std::int64_t>(from / loop.row_size);
    loop.producer.to = static_cast<std::int64_t>(to / loop.row_size);
    loop.producer();
    run_tiles(loop, from, to);
  }
}

template <class T> void run(const KernelCall<T>& call) { call(); }

template <class T> void run(const StraightCalls<T>& straight) {
  const TileLoop<T>& loop = straight.loop;
  if (loop.producer.kernel) loop.producer();
  for (const BlockCall<T>& call : loop.calls) call(loop.end);
}

template <class T> void run(ParallelParts<T>& shared, Workers* workers) {
  workers->run([&](std::size_t i) { std::visit([](auto& part) { run(part); }, shared.parts[i]); });
}

}  // namespace

template <class T> void execute(std::span<Instruction<T>> instructions, Workers* workers, std::size_t& at) {
  for (Instruction<T>& instruction : instructions) {
    // The commonest in small programs come first: there, a few nanoseconds count.
    if (auto* straight = std::get_if<StraightCalls<T>>(&instruction))
      run(*straight);
    else if (auto* call = std::get_if<KernelCall<T>>(&instruction))
      run(*call);
    else if (auto* loop = std::get_if<TileLoop<T>>(&instruction))
      run(*loop);
    else
      run(std::get<ParallelParts<T>>(instruction), workers);
    ++at;
  }
}

template void execute(std::span<Instruction<float>>, Workers*, std::size_t&);
template void execute(std::span<Instruction<double>>, Workers*, std::size_t&);

}  // namespace gradus
