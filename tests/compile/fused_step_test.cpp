// A step of training in float as it is compiled (simplified, fused, by vector code over tiles) and as it is
// written (every node for itself) end with the same numbers, up to rounding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gradus/graph/node.hpp"
#include "gradus/runtime/executable.hpp"
#include "models/tutorials/all.hpp"

namespace gradus {
namespace {

using Tensors = std::vector<std::vector<float>>;

Tensors after_one_step(const Problem& p, const CompileOptions& options) {
  Store<float> store;
  auto program = compile<float>(std::vector{p.loss}, p.updates, p.batch, store, options);
  for (const auto& [name, values] : p.point)
    if (program.has_input(name)) program.feed(name, std::vector<float>(values.begin(), values.end()));
  program.run();
  Tensors all;
  for (const Update& update : p.updates) {
    const auto values = store.values((*p.graph)[update.variable.id()].label);
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

class FusedStep : public testing::TestWithParam<const Tutorial*> {};

TEST_P(FusedStep, DiffersFromThePlainOneByRoundingAlone) {
  const Problem p = GetParam()->problem();
  if (p.updates.empty()) GTEST_SKIP() << "the tutorial has nothing to train";
  CompileOptions plain;
  plain.optimize = false;
  const Tensors fused = after_one_step(p, {}), expected = after_one_step(p, plain);
  ASSERT_EQ(fused.size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) {
    float largest = 0, difference = 0;
    for (std::size_t i = 0; i < expected[t].size(); ++i) {
      ASSERT_TRUE(std::isfinite(expected[t][i]));
      largest = std::max(largest, std::abs(expected[t][i]));
      difference = std::max(difference, std::abs(fused[t][i] - expected[t][i]));
    }
    EXPECT_LE(difference, 1e-6F * largest) << (*p.graph)[p.updates[t].variable.id()].label;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FusedStep, testing::ValuesIn(tutorials()), [](const auto& info) {
  std::string name(info.param->name());
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace gradus
