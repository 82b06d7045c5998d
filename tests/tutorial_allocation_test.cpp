// No tutorial's program allocates while it runs, be it for prediction or for training, in float or in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "allocation_counter.hpp"
#include "gradus/framework/compile/executable.hpp"
#include "gradus/models/tutorials/tutorial.hpp"

namespace gradus {
namespace {

template <class T>
void expect_no_allocation(const Problem& p, const std::vector<Expr>& outputs,
                          const std::vector<Update>& updates) {
  Store<T> store;
  auto program = compile<T>(std::span(outputs), std::span(updates), p.batch, store);
  std::map<std::string, std::vector<T>> feeds;
  for (const auto& [name, values] : p.point)
    if (program.has_input(name)) feeds[name].assign(values.begin(), values.end());
  for (const auto& [name, values] : feeds) program.feed(name, values);
  // The first product makes OpenBLAS set itself up.
  program.run();
  const test::AllocationCounter counter;
  for (const auto& [name, values] : feeds) program.feed(name, values);
  for (int step = 0; step < 3; ++step) program.run();
  EXPECT_EQ(counter.count(), 0U);
}

class TutorialAllocation : public testing::TestWithParam<const Tutorial*> {};

TEST_P(TutorialAllocation, RunAllocatesNothing) {
  if (!test::allocations_can_be_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
  const Problem p = GetParam()->problem();
  expect_no_allocation<double>(p, {p.prediction}, {});
  expect_no_allocation<float>(p, {p.prediction}, {});
  if (p.loss.is_null()) return;
  expect_no_allocation<double>(p, {p.loss}, p.updates);
  expect_no_allocation<float>(p, {p.loss}, p.updates);
}

INSTANTIATE_TEST_SUITE_P(All, TutorialAllocation, testing::ValuesIn(tutorials()), [](const auto& info) {
  std::string name(info.param->name());
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace gradus
