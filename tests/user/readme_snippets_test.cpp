// The README's custom op, cut out of it by the build.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "framework/compile/plan.hpp"
#include "gradus/gradus.hpp"
#include "snippets/op.cpp"

namespace {

int lines_of(const std::string& path) {
  std::ifstream file(path);
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

TEST(ReadmeSnippets, AreAsShortAsPromised) {
  EXPECT_GT(lines_of(GRADUS_SNIPPETS "/op.cpp"), 0);
  EXPECT_LE(lines_of(GRADUS_SNIPPETS "/op.cpp"), 12);
  EXPECT_GT(lines_of(GRADUS_SNIPPETS "/model.cpp"), 0);
  EXPECT_LE(lines_of(GRADUS_SNIPPETS "/model.cpp"), 30);
}

TEST(ReadmeSnippets, TheCustomOpComputesAndDifferentiates) {
  gradus::Graph g;
  const auto x = g.input("x", {gradus::B, 3});
  const auto y = swish(x);
  gradus::Store<double> store;
  auto program = gradus::compile<double>({y}, {}, 1, store);
  program.feed(x, {-1.5, 0.25, 3});
  program.run();
  EXPECT_NEAR(program.output().values[2], 3 / (1 + std::exp(-3.0)), 1e-15);
  const auto report = gradus::check_gradient(y, std::vector{x}, {{"x", {-1.5, 0.25, 3}}}, 1);
  EXPECT_TRUE(report.ok()) << report.text();
  // And again: its rule builds nodes, which can be differentiated.
  const auto first = gradus::vjp(std::vector{y}, std::vector{g.full(y.shape(), 1.0)}, std::vector{x});
  const auto second = gradus::check_gradient(first[0], std::vector{x}, {{"x", {-1.5, 0.25, 3}}}, 1);
  EXPECT_TRUE(second.ok()) << second.text();
}

// It is fused with its neighbours, as the library's own ops are.
TEST(ReadmeSnippets, TheCustomOpIsFused) {
  gradus::Graph g;
  const auto x = g.input("x", {gradus::B, 3});
  gradus::Store<float> store;
  EXPECT_EQ(gradus::compile<float>({2 * swish(x + 1)}, {}, 4, store).plan().steps.size(), 1U);
}

}  // namespace
