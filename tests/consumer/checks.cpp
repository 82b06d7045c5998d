#include "checks.hpp"

#include <cstdio>
#include <string>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/ops/matmul.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/runtime/executable.hpp"
#include "scales.hpp"

bool gradients_are_right(const gradus::Expr& loss) {
  const gradus::GradientReport report = gradus::check_gradient(loss, gradus::random_point(loss, 3, 1), 3);
  std::printf("gradients: worst error %.1g\n", report.worst_error());
  return report.ok() && report.tensors.size() > 3;
}

bool errors_name_the_line(const gradus::Expr& x) {
  try {
    matmul(x, x);
  } catch (const gradus::Error& error) {
    std::printf("%s\n", error.what());
    return std::string(error.what()).starts_with("matmul at checks.cpp:");
  }
  return false;
}

bool namesakes_differ() {
  gradus::Graph g;
  const gradus::Expr x = g.input("x", {1});
  const auto twice = doubled(x), thrice = tripled(x);
  gradus::Store<float> store;
  bool right = true;
  for (std::size_t i = 0; i < twice.size(); ++i) {
    auto run = gradus::compile<float>({twice[i], thrice[i], grad(sum(twice[i]), x), grad(sum(thrice[i]), x)},
                                      {}, 1, store);
    run.buffer(x)[0] = 10;
    run.run();
    const float expected[] = {20, 30, 2, 3};
    for (std::size_t k = 0; k < 4; ++k) right = right && run.output(k).values[0] == expected[k];
  }
  return right;
}
