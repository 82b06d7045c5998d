#include "framework/runtime/row_feeder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

template <class T, class Visit> void visit_pointers(KernelCall<T>& call, Visit visit) {
  for (const T*& input : call.inputs) visit(input);
}

template <class T, class Visit> void visit_pointers(TileLoop<T>& loop, Visit visit) {
  visit_pointers(loop.producer, visit);
  // Those that are written to as well as those that are read: an input is among the latter alone.
  for (T*& pointer : loop.pointers) visit(const_cast<const T*&>(pointer));
  for (auto& cursor : loop.cursors) visit(const_cast<const T*&>(cursor.base));
  for (auto& spread : loop.spreads) visit(spread.source);
}

template <class T, class Visit> void visit_pointers(StraightCalls<T>& straight, Visit visit) {
  visit_pointers(straight.loop, visit);
}

template <class T, class Visit> void visit_pointers(ParallelParts<T>& shared, Visit visit) {
  for (Part<T>& part : shared.parts) std::visit([&](auto& each) { visit_pointers(each, visit); }, part);
}

}  // namespace

template <class T> void note_pointer(const T*& pointer, std::span<InputSlot<T>> inputs) {
  // std::less orders pointers whichever memory they point to.
  const auto next = std::ranges::upper_bound(inputs, pointer, std::less<>(), &InputSlot<T>::data);
  if (next == inputs.begin()) return;
  InputSlot<T>& input = *std::prev(next);
  const std::ptrdiff_t offset = pointer - input.data;
  if (std::cmp_less(offset, input.count)) input.pointers.push_back({&pointer, offset});
}

template <class T>
void find_pointers(std::span<Instruction<T>> instructions, std::span<InputSlot<T>> inputs) {
  if (inputs.empty()) return;
  const auto note = [inputs](const T*& pointer) { note_pointer(pointer, inputs); };
  for (Instruction<T>& instruction : instructions)
    std::visit([&](auto& each) { visit_pointers(each, note); }, instruction);
}

template <class T> RowFeeder<T>::~RowFeeder() {
  for (InputSlot<T>& input : inputs_) {
    if (input.rows == nullptr) continue;
    input.point_to(input.data);
    input.rows = nullptr;
    input.fed = false;
  }
}

template <class T> void RowFeeder<T>::use(InputSlot<T>& input, std::span<const T> rows) {
  if (!input.has_rows)
    throw Error(fmt::format("run: '{}' has shape {}, without a row for each sample; feed it before",
                            input.name, to_string(input.extents)));
  const std::size_t size = input.count / batch_, count = rows.size() / size;
  if (rows.size() % size != 0)
    throw Error(
        fmt::format("run: '{}' has {} values, which are not rows of {}", input.name, rows.size(), size));
  if (rows_ != 0 && count != rows_)
    throw Error(fmt::format("run: '{}' has {} rows, and another input {}", input.name, count, rows_));
  rows_ = count;
  input.rows = rows.data();
  input.row_size = size;
  input.fed = input.rows != nullptr;  // no rows are an error of `check`
}

template <class T> void RowFeeder<T>::check() const {
  if (steps_.count < 0) throw Error(fmt::format("run: {} steps are asked for", steps_.count));
  const std::span<const std::uint32_t> order = steps_.order;
  const auto missing = std::ranges::find_if(order, [&](std::uint32_t row) { return row >= rows_; });
  if (missing != order.end())
    throw Error(fmt::format("run: the order has row {}, but there are {} rows", *missing, rows_));
  if (!steps_.inputs.empty() && rows_taken() < batch_)
    throw Error(fmt::format("run: {} rows do not fill a batch of {}", rows_taken(), batch_));
}

// In a tiny net a step takes some ten nanoseconds: here nothing is divided.
template <class T> void RowFeeder<T>::feed() {
  std::size_t first = next_;
  next_ += batch_;
  if (next_ + batch_ > rows_taken()) next_ = 0;
  bool follow_each_other = true;
  std::span<const std::uint32_t> order = steps_.order;
  if (!order.empty()) {
    order = order.subspan(first, batch_);
    first = order.front();
    for (std::size_t i = 1; i < batch_; ++i) follow_each_other &= order[i] == first + i;
  }
  for (const InputSlot<T>& input : inputs_) {
    if (input.rows == nullptr) continue;
    const std::size_t size = input.row_size;
    if (follow_each_other) {
      input.point_to(input.rows + first * size);
      continue;
    }
    for (std::size_t i = 0; i < batch_; ++i)
      std::copy_n(input.rows + order[i] * size, size, input.data + i * size);
    input.point_to(input.data);
  }
}

template void note_pointer(const float*&, std::span<InputSlot<float>>);
template void note_pointer(const double*&, std::span<InputSlot<double>>);
template void find_pointers(std::span<Instruction<float>>, std::span<InputSlot<float>>);
template void find_pointers(std::span<Instruction<double>>, std::span<InputSlot<double>>);
template class RowFeeder<float>;
template class RowFeeder<double>;

}  // namespace gradus
