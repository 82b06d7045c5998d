// Files and graphs of very many names. What looks each of them up in a list takes hours with these, and the
// time limit of a test ends it; what does not takes a second or two.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gradus/data/csv.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/adam.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t many = 50'000;
#else
constexpr std::size_t many = 400'000;
#endif

class ManyNames : public test::FolderTest {
 protected:
  static std::string name(std::size_t i) { return fmt::format("n{}", i); }

  // As many tensors of one number.
  std::vector<TensorBytes> tensors() const {
    std::vector<TensorBytes> all;
    for (std::size_t i = 0; i < many; ++i)
      all.push_back({name(i), ElementType::f32, {1}, std::as_bytes(std::span(&one_, 1))});
    return all;
  }
  const float one_ = 1;
};

TEST_F(ManyNames, OfColumnsInCsv) {
  std::string text;
  ReadTableOptions options;
  for (std::size_t i = 0; i < many; ++i) {
    text += (i == 0 ? "" : ",") + name(i);
    options.columns.push_back(name(many - 1 - i));
    (i % 2 == 0 ? options.text : options.complete).push_back(name(i));
  }
  text += "\n1";
  for (std::size_t i = 1; i < many; ++i) text += ",1";
  const Table all = parse_csv(text, "t.csv", {}), asked = parse_csv(text, "t.csv", options);
  EXPECT_EQ(all.columns().size(), many);
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_EQ(all.column(name(i)).numbers, std::vector{1.0});
    ASSERT_EQ(asked.column(name(i)).is_number, i % 2 == 1);
  }
}

TEST_F(ManyNames, OfColumnsWithoutAName) {
  const std::string commas(many, ',');
  EXPECT_EQ(parse_csv(commas + "last\n" + commas + "1\n", "t.csv", {}).columns().size(), 1U);
}

TEST_F(ManyNames, OrCommentsBeforeAHeader) {
  std::string text;
  for (std::size_t i = 0; i < many; ++i) text += "# a, comment\n";
  EXPECT_EQ(parse_csv(text + "a\n1\n", "t.csv", {}).rows(), 1U);
}

TEST_F(ManyNames, OfTensors) {
  for (const char* as : {"f.safetensors", "f.npz"}) {
    write_tensors(file(as), tensors(), {{"is", "good"}});
    const TensorFile read(file(as));
    ASSERT_EQ(read.tensors().size(), many) << as;
    for (std::size_t i = 0; i < many; ++i) ASSERT_NE(read.find(name(i)), nullptr) << as;
  }
}

TEST_F(ManyNames, OfParameters) {
  constexpr std::size_t parameters = many / 8;
  Graph g;
  const Expr x = g.input("x", {B, 1});
  std::vector<Arg> terms;
  for (std::size_t i = 0; i < parameters; ++i)
    terms.emplace_back(x * g.parameter(name(i), {1}, constant(0.1)));
  const auto updates = adam({.rate = 0.01})(mean(square(concat(terms, 1))));
  EXPECT_EQ(updates.size(), 3 * parameters + 1);
}

}  // namespace
}  // namespace gradus
