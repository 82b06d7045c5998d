// Weights in files of other programs: by their names, turned where they are turned there; and data sets of
// arrays in files.
#include "gradus/train/weights.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/gradus.hpp"
#include "tests/support/broken_files.hpp"
#include "tests/support/evaluate.hpp"
// docs/files.md
#include "snippets/data_sets.cpp"
#include "snippets/weight_names.cpp"

namespace gradus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Weights : public test::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    Graph g;
    linear(linear(g.input("x", {B, 3}), 2, "hidden"), 1, "output");
    store_.create(g);
  }

  // A file as PyTorch would write it.
  void write_theirs(const std::string& name) const {
    const std::vector<float> w1{1, 2, 3, 4, 5, 6}, b1{7, 8}, b2{11};
    const std::vector<double> w2{9, 10};
    const std::vector<TensorBytes> tensors{
        tensor_bytes("fc1.weight", {2, 3}, w1), tensor_bytes("fc1.bias", {2}, b1),
        tensor_bytes("fc2.weight", {1, 2}, w2), tensor_bytes("fc2.bias", {1}, b2)};
    write_tensors(file(name), tensors);
  }

  Store<float> store_{1};
};

TEST_F(Weights, AreFoundByTheirNamesAndTransposed) {
  for (const std::string name : {"theirs.safetensors", "theirs.npz"}) {
    write_theirs(name);
    Store<float> store = store_;
    there_and_back(store, file(name), file("back.npz"));
    EXPECT_THAT(store.values("hidden/W"), ElementsAre(1, 4, 2, 5, 3, 6));
    EXPECT_THAT(store.values("hidden/b"), ElementsAre(7, 8));
    EXPECT_THAT(store.values("output/W"), ElementsAre(9, 10));
    const TensorFile back(file("back.npz"));
    EXPECT_EQ(back.at("fc1.weight").extents, (Extents{2, 3}));
    EXPECT_EQ(back.values("fc1.weight"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(back.values("fc2.bias"), std::vector<double>{11});
  }
}

TEST_F(Weights, ThatDoNotFitChangeNothing) {
  write_theirs("theirs");
  const auto before = test::values_of(store_, "hidden/b");
  const auto error = [&](const WeightMap& map) {
    return test::error_of([&] { load_weights(store_, file("theirs"), map); });
  };
  const WeightName good{"hidden/b", "fc1.bias"};
  EXPECT_THAT(error({good, {"hidden/W", "fc1.weight"}}),
              testing::AllOf(HasSubstr(file("theirs")), HasSubstr("tensor 'fc1.weight' is [2, 3]"),
                             HasSubstr("for 'hidden/W' it must be [3, 2]")));
  EXPECT_THAT(error({good, {"output/W", "fc1.weight", true}}),
              HasSubstr("for 'output/W', transposed, it must be [1, 2]"));
  EXPECT_THAT(error({good, {"hidden/W", "fc3.weight", true}}),
              HasSubstr("no tensor 'fc3.weight' in it; there are: fc1.weight, fc1.bias"));
  EXPECT_THAT(error({good, {"hidden/V", "fc1.weight"}}), HasSubstr("hidden/V"));
  EXPECT_THAT(error({good, {"output/b", "fc2.bias", true}}),
              HasSubstr("only one of two axes can be transposed"));
  const std::vector<std::byte> bytes(2);
  write_tensors(file("theirs"), std::vector<TensorBytes>{{"fc1.bias", ElementType::u8, {2}, bytes}});
  EXPECT_THAT(error({good}), HasSubstr("tensor 'fc1.bias' is U8, expected floating-point numbers"));
  EXPECT_EQ(test::values_of(store_, "hidden/b"), before);
}

// A model of y = x W + b.
ModelDefinition line_model() {
  return {.inputs = {{"x", {B, 2}}},
          .target = {"t", {B, 1}},
          .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "y"); },
          .loss = mse,
          .optimizer = adam()};
}

// Each way to load must refuse what `change` does to a good file, with this message, and change nothing.
class Damaged : public test::FolderTest {
 protected:
  using Change = std::function<void(std::vector<double>&, std::map<std::string, std::string>&)>;

  // A copy of a file in which the values of one tensor, or the metadata, are changed.
  void write_changed(const std::string& from, const std::string& to, const std::string& tensor,
                     const Change& change) const {
    const TensorFile good(file(from));
    auto metadata = good.metadata();
    std::vector<double> values = good.values(tensor);
    change(values, metadata);
    std::vector<TensorBytes> tensors = good.tensors();
    std::vector<float> single(values.begin(), values.end());
    for (TensorBytes& each : tensors)
      if (each.name == tensor)
        each = each.type == ElementType::f32 ? tensor_bytes(tensor, each.extents, single)
                                             : tensor_bytes(tensor, each.extents, values);
    write_tensors(file(to), tensors, metadata);
  }

  template <class T> void expect_refused(const std::string& name, const std::vector<std::string>& says) {
    const auto expect_unchanged = [&](const auto& load) {
      Trainer<T> trainer(line_model(), 2);
      const auto before = test::values_of(trainer.store(), "y/W");
      const std::string why = test::error_of([&] { load(trainer); });
      for (const std::string& part : says) EXPECT_THAT(why, HasSubstr(part));
      EXPECT_THAT(why, HasSubstr(file(name)));
      EXPECT_EQ(test::values_of(trainer.store(), "y/W"), before);
    };
    expect_unchanged([&](auto& trainer) { trainer.load_weights(file(name)); });
    expect_unchanged([&](auto& trainer) { trainer.load_weights(file(name), "y/"); });
    expect_unchanged([&](auto& trainer) { load_weights(trainer.store(), file(name)); });
    expect_unchanged([&](auto& trainer) { load_weights(trainer.store(), file(name), "y/"); });
    expect_unchanged([&](auto& trainer) { load_weights(trainer.store(), file(name), {{"y/W", "y/W"}}); });
  }
};

TEST_F(Damaged, WeightsThatAreNotFiniteAreRefused) {
  Trainer<double>(line_model(), 1).save_weights(file("good"));
  for (const char* name : {"odd", "odd.npz"})
    for (const double value : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
      write_changed("good", name, "y/W", [&](auto& values, auto&) { values[1] = value; });
      expect_refused<double>(name, {"tensor 'y/W'", "[1, 0]", fmt::format("is {}", value)});
      expect_refused<float>(name, {"tensor 'y/W'", "[1, 0]", fmt::format("is {}", value)});
      Trainer<double> asked(line_model(), 2);
      asked.load_weights(file(name), "", {.not_finite = true});
      EXPECT_FALSE(std::isfinite(asked.store().values("y/W")[1]));
      load_weights(asked.store(), file(name), "", {.not_finite = true});
    }
  write_changed("good", "large", "y/W", [](auto& values, auto&) { values[0] = 1e300; });
  expect_refused<float>("large", {"tensor 'y/W'", "[0, 0]", "is 1e+300, which no float holds"});
  Trainer<double>(line_model(), 2).load_weights(file("large"));
}

TEST_F(Damaged, FormatsOfOtherVersionsAreRefused) {
  Trainer<float>(line_model(), 1).save_weights(file("good"));
  const auto with_format = [&](const std::string& format) {
    return [=](auto&, auto& metadata) { metadata["format"] = format; };
  };
  for (const char* format :
       {"gradus weights 99", "gradus weights 0", "gradus weights", "gradus checkpoint 3"}) {
    write_changed("good", "odd", "y/W", with_format(format));
    expect_refused<float>("odd", {std::string("its format is '") + format + "'", "'gradus weights 1'"});
    Trainer<float>(line_model(), 2).load_weights(file("odd"), "", {.any_format = true});
  }
  write_changed("good", "theirs", "y/W", with_format("pt"));
  Trainer<float>(line_model(), 2).load_weights(file("theirs"));
}

TEST_F(Damaged, CheckpointsThatAreNotFiniteAreRefused) {
  const Dataset<float> data(4, {{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4}});
  Trainer<float> first(line_model(), 1);
  first.fit(data, {.epochs = 1, .batch = 2, .verbose = false});
  first.save_checkpoint(file("good"));
  std::size_t changed = 0;
  const TensorFile good(file("good"));
  for (const TensorBytes& tensor : good.tensors()) {
    if (tensor.name.starts_with("training/") || tensor.count() == 0) continue;
    ++changed;
    write_changed("good", "odd", tensor.name, [](auto& values, auto&) { values.back() = NAN; });
    Trainer<float> trainer(line_model(), 1);
    EXPECT_THAT(
        test::error_of([&] { trainer.resume(file("odd")); }),
        testing::AllOf(HasSubstr(file("odd")), HasSubstr("'" + tensor.name + "'"), HasSubstr("is nan")));
    trainer.resume(file("odd"), {.not_finite = true});
  }
  EXPECT_GT(changed, 4U);
  write_changed("good", "odd", "y/W",
                [](auto&, auto& metadata) { metadata["format"] = "gradus checkpoint 99"; });
  EXPECT_THAT(test::error_of([&] { Trainer<float>(line_model(), 1).resume(file("odd")); }),
              testing::AllOf(HasSubstr("'gradus checkpoint 99'"), HasSubstr("'gradus checkpoint 2'")));
}

// JSON that is deeper than anything of ours, wherever a file may hold it.
std::string nested(std::size_t levels, char open, char close) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open == '{' ? "{\"a\":" : "[";
  text += "1";
  return text + std::string(levels, close);
}

TEST_F(Damaged, JsonIsOfBoundedDepth) {
  Trainer<float>(line_model(), 1).save_checkpoint(file("good"));
  for (const std::size_t levels : {40U, 100000U})
    for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'{', '}'}}) {
      const std::string deep = nested(levels, open, close);
      for (const std::string& header :
           {deep, "{\"a\":" + deep + "}", "{\"__metadata__\":" + deep + "}",
            R"({"a":{"dtype":"F32","shape":)" + deep + R"(,"data_offsets":[0,0]}})",
            R"({"a":{"dtype":"F32","shape":[)" + deep + R"(],"data_offsets":[0,0]}})"}) {
        write("deep", test::little_endian(header.size(), 8) + header);
        EXPECT_THAT(test::error_of([&] { TensorFile(file("deep")); }),
                    testing::AllOf(HasSubstr(file("deep")), HasSubstr("nested deeper than 32 levels")));
      }
      write_changed("good", "odd", "y/W", [&](auto&, auto& metadata) { metadata["training"] = deep; });
      EXPECT_THAT(test::error_of([&] { Trainer<float>(line_model(), 1).resume(file("odd")); }),
                  testing::AllOf(HasSubstr(file("odd")), HasSubstr("nested deeper than 32 levels")));
      const std::vector<TensorBytes> archive{{"__metadata__",
                                              ElementType::u8,
                                              {static_cast<std::int64_t>(deep.size())},
                                              std::as_bytes(std::span(deep))}};
      write_npz(file("deep.npz"), archive);
      EXPECT_THAT(test::error_of([&] { TensorFile(file("deep.npz")); }),
                  testing::AllOf(HasSubstr(file("deep.npz")), HasSubstr("nested deeper than 32 levels")));
    }
}

TEST_F(Weights, OfATrainerAreTheSameInBothFormats) {
  const ModelDefinition model{
      .inputs = {{"x", {B, 2}}},
      .target = {"t", {B, 1}},
      .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "y"); },
      .loss = mse};
  Trainer<double> one(model, 1), two(model, 2);
  one.notes()["recipe"] = "eggs";
  one.save_weights(file("w.npz"));
  EXPECT_EQ(TensorFile(file("w.npz")).metadata().at("recipe"), "eggs");
  two.load_weights(file("w.npz"));
  EXPECT_EQ(test::values_of(one.store(), "y/W"), test::values_of(two.store(), "y/W"));
}

using Arrays = test::FolderTest;

TEST_F(Arrays, AreADataSetWhateverTheirType) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  write_npy(file("x.npy"), tensor_bytes("", {3, 2}, x));
  // IDX: unsigned bytes, three of them, compressed.
  const std::string idx("\0\0\10\1\0\0\0\3\7\10\377", 11);
  gzFile packed = gzopen(file("y.gz").c_str(), "wb");
  gzwrite(packed, idx.data(), static_cast<unsigned>(idx.size()));
  gzclose(packed);
  const Dataset<float> data = of_arrays(file("x.npy"), file("y.gz"));
  EXPECT_EQ(data.count(), 3);
  std::vector<float> inputs(4), targets(2);
  const std::vector<std::span<float>> into{inputs, targets};
  data.fill(std::vector<std::uint32_t>{2, 0}, into);
  EXPECT_THAT(inputs, ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(targets, ElementsAre(255, 7));

  const std::vector<TensorBytes> both{tensor_bytes("x", {3, 2}, x),
                                      tensor_bytes("y", {2}, std::span(x).first(2))};
  write_npz(file("xy.npz"), both);
  EXPECT_THAT(test::error_of([&] { of_archive(file("xy.npz")); }),
              HasSubstr("tensor 1 is [2] and tensor 0 is [3, 2]"));
  EXPECT_THAT(test::error_of([&] { read_array(file("xy.npz")); }), HasSubstr("read it with NpzFile"));
  EXPECT_THAT(test::error_of([&] { read_array(file("none")); }), HasSubstr("there is no such file"));
  const std::vector<std::span<float>> narrow{std::span(inputs).first(2)};
  EXPECT_THAT(test::error_of([&] {
                data.fill(std::vector<std::uint32_t>{2, 0}, narrow);
              }),
              HasSubstr("the rows of tensor 0 have 2 numbers, but the model wants 1"));
}

}  // namespace
}  // namespace gradus
