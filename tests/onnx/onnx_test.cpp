// Exported files, read by ONNX's own classes; tests/interop/onnx_check.py runs such files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "gradus/custom_op.hpp"
#include "gradus/gradus.hpp"
#include "gradus/onnx/export.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/op_table.hpp"
// docs/export.md
#include "snippets/deploy.cpp"
#include "snippets/spelled_op.cpp"
// docs/recipes.md
#include "snippets/export_trained.cpp"

using namespace gradus;
using gradus::test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

namespace {

template <class T>
::onnx::ModelProto exported(const std::vector<OnnxOutput>& outputs, const Store<T>& store,
                            const OnnxOptions& options = {}) {
  ::onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(onnx_model(outputs, store, options)));
  EXPECT_NO_THROW(::onnx::checker::check_model(model));
  return model;
}

std::vector<std::string> ops(const ::onnx::ModelProto& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) names.push_back(node.op_type());
  return names;
}

// "x [B, 3]".
std::string text(const ::onnx::ValueInfoProto& value) {
  std::string text = value.name() + " [";
  for (const auto& dim : value.type().tensor_type().shape().dim())
    text += (text.back() == '[' ? "" : ", ") +
            (dim.has_dim_param() ? dim.dim_param() : std::to_string(dim.dim_value()));
  return text + "]";
}

const ::onnx::TensorProto& initializer(const ::onnx::ModelProto& model, const std::string& name) {
  for (const auto& tensor : model.graph().initializer())
    if (tensor.name() == name) return tensor;
  throw Error("no initializer " + name);
}

template <class T> std::vector<T> values(const ::onnx::TensorProto& tensor) {
  std::vector<T> values(tensor.raw_data().size() / sizeof(T));
  std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(T));
  return values;
}

template <class T> class OnnxFile : public ::testing::Test {};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(OnnxFile, Precisions);

TYPED_TEST(OnnxFile, HasNamesShapesAndWeights) {
  using T = TypeParam;
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const Expr h = named(relu(linear(x, 2, "hidden")), "features");
  const Expr y = linear(h, 1, "output");
  mse(y, g.input("target", {B, 1}));
  Store<T> store(5);
  store.create(g);
  const auto model = exported<T>({{y}}, store, {.graph_name = "two layers", .metadata = {{"who", "me"}}});

  EXPECT_EQ(model.opset_import(0).version(), 17);
  EXPECT_EQ(model.producer_name(), "gradus");
  EXPECT_EQ(model.graph().name(), "two layers");
  EXPECT_EQ(model.metadata_props(0).key() + model.metadata_props(0).value(), "whome");
  EXPECT_THAT(ops(model), ElementsAre("MatMul", "Add", "Relu", "MatMul", "Add"));
  // The loss and its target are not in the file.
  ASSERT_EQ(model.graph().input_size(), 1);
  EXPECT_EQ(text(model.graph().input(0)), "x [B, 3]");
  ASSERT_EQ(model.graph().output_size(), 1);
  EXPECT_EQ(text(model.graph().output(0)), "output [B, 1]");
  EXPECT_EQ(model.graph().node(1).output(0), "hidden");
  EXPECT_EQ(model.graph().node(2).output(0), "features");
  EXPECT_THAT(model.graph().node(0).doc_string(), HasSubstr("onnx_test.cpp:"));
  std::vector<std::string> names;
  for (const auto& tensor : model.graph().initializer()) names.push_back(tensor.name());
  EXPECT_THAT(names, UnorderedElementsAre("hidden/W", "hidden/b", "output/W", "output/b"));
  const auto& weights = initializer(model, "hidden/W");
  EXPECT_THAT(weights.dims(), ElementsAre(3, 2));
  EXPECT_EQ(weights.data_type(), sizeof(T) == 4 ? ::onnx::TensorProto::FLOAT : ::onnx::TensorProto::DOUBLE);
  const auto expected = store.values("hidden/W");
  EXPECT_THAT(values<T>(weights), ::testing::ElementsAreArray(expected.begin(), expected.end()));
}

TEST(OnnxFile, AsksTheInputForTheBatchWhereAShapeNeedsIt) {
  Graph g;
  const Expr x = g.input("x", {2 * B + 1, 3});
  const Expr y = reshape(slice(x, 0, 0, 2 * B), {B, 6}) + 1;
  const auto model = exported<float>({{y, "y"}}, Store<float>());
  EXPECT_EQ(text(model.graph().input(0)), "x [2B+1, 3]");
  EXPECT_EQ(text(model.graph().output(0)), "y [B, 6]");
  EXPECT_THAT(values<std::int64_t>(initializer(model, "B/rest")), ElementsAre(1));
  EXPECT_THAT(values<std::int64_t>(initializer(model, "B/factor")), ElementsAre(2));
}

TEST(OnnxFile, LeavesBroadcastsToOnnxWhereItKnowsThem) {
  Graph g;
  const Expr x = g.input("x", {B, 3}), row = g.input("row", {3});
  EXPECT_THAT(ops(exported<float>({{2 * x + row}}, Store<float>())), ElementsAre("Mul", "Add"));
  // Here it does not: nothing else has the full shape, or a reduction reads it.
  const Expr wide = broadcast_to(row, {B, 3});
  EXPECT_THAT(ops(exported<float>({{sum(wide + x), "a"}, {sum(wide, {0}), "b"}}, Store<float>())),
              ::testing::IsSupersetOf({"Expand", "ReduceSum", "Add"}));
}

TEST(OnnxFile, GivesAnOutputThatHasANameAnother) {
  Graph g;
  const Expr x = g.input("x", {B});
  const Expr y = named(tanh(x), "y");
  const auto model =
      exported<double>({{y, "y"}, {y, "z"}, {x, "again"}, {g.full({2}, 3.0), "threes"}}, Store<double>());
  EXPECT_THAT(ops(model), UnorderedElementsAre("Identity", "Tanh", "Identity", "Expand"));
  EXPECT_EQ(text(model.graph().output(2)), "again [B]");
  EXPECT_EQ(text(model.graph().output(3)), "threes [2]");
}

struct Unspeakable final : Unary<Unspeakable> {
  static constexpr std::string_view name = "unspeakable";
  template <class T> static T f(T x) { return x; }
  template <class T> static T d(T, T) { return 1; }
};

TEST(OnnxFile, SaysAUsersOp) {
  Graph g;
  const auto model = exported<float>({{build<Swish>({g.input("x", {B, 2})}), "y"}}, Store<float>());
  EXPECT_THAT(ops(model), ElementsAre("Sigmoid", "Mul"));
  EXPECT_EQ(model.graph().node(1).output(0), "y");
  EXPECT_THAT(model.graph().node(1).input(), ElementsAre("x", model.graph().node(0).output(0)));
}

TEST(OnnxFile, IsWhatTheGuideDeploys) {
  Graph g;
  const auto path = std::filesystem::temp_directory_path() / "gradus-deployed.onnx";
  deploy(g.input("logits", {B, 2}), Store<float>(), path.string());
  std::ifstream file(path, std::ios::binary);
  ::onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromIstream(&file));
  EXPECT_EQ(model.graph().output(0).name(), "probability");
  std::filesystem::remove(path);
}

TEST(OnnxFile, IsWhatTheRecipeExports) {
  Trainer<float> trainer(
      {.inputs = {{"x", {B, 2}}},
       .target = {"t", {B, 1}},
       .network = [](Expr x, Mode& mode) { return linear(dropout(x, 0.5, "drop", mode), 1, "y"); },
       .loss = mse},
      1);
  const test::TemporaryFolder folder;
  export_trained(trainer, (folder.path() / "y.onnx").string());
  std::ifstream file(folder.path() / "y.onnx", std::ios::binary);
  ::onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromIstream(&file));
  EXPECT_NO_THROW(::onnx::checker::check_model(model));
  EXPECT_EQ(model.graph().output(0).name(), "y");
  EXPECT_EQ(model.graph().initializer_size(), 2);
}

// Every op of the op table can be exported, but for those of training and the generator, which the guide
// names.
TEST(OnnxFile, CanHaveEveryOpThatTheGuideDoesNotExcept) {
  std::set<std::string> unsaid;
  for (const test::OpRow& row : test::op_table()) {
    Graph g;
    test::Exprs x;
    for (const auto& input : row.inputs) x.push_back(g.input("x" + std::to_string(x.size()), input.shape));
    const Expr output = row.build(g, x);
    if (!output.is_node()) continue;
    try {
      onnx_model<float>(std::vector<OnnxOutput>{{output, "y"}}, Store<float>());
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("has no ONNX spelling")) << row;
      unsaid.insert(row.op);
    }
  }
  const std::string guide = test::contents(GRADUS_SOURCE_DIR "/docs/export.md");
  const std::size_t begin = guide.find("One without a spelling is an error"), end = guide.find("\n\n", begin);
  std::set<std::string> excepted;
  static const std::regex name("`([a-z_]+)`");
  const std::string sentence = guide.substr(begin, end - begin);
  for (std::sregex_iterator at(sentence.begin(), sentence.end(), name), last; at != last; ++at)
    excepted.insert((*at)[1]);
  EXPECT_EQ(unsaid, excepted);
}

TEST(OnnxErrors, NameTheOpThatCannotBeSaid) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr y = build<Unspeakable>({x});
  const auto message = [](const Expr& e) {
    return error_of([&] { onnx_model<float>(std::vector<OnnxOutput>{{e}}, Store<float>()); });
  };
  EXPECT_THAT(message(y), HasSubstr("the op 'unspeakable' has no ONNX spelling: unspeakable#"));
  EXPECT_THAT(message(y), HasSubstr(" [B, 2] at onnx_test.cpp:"));
  const Expr noise = random_uniform(g.state("random", {4}), 1, {B, 2});
  EXPECT_THAT(error_of([&] {
                Store<float> store;
                store.create(g);
                onnx_model<float>(std::vector<OnnxOutput>{{noise + x}}, store);
              }),
              HasSubstr("the op 'random_uniform' has no ONNX spelling"));
}

TEST(OnnxErrors, NameWhatIsMissing) {
  Graph g, other;
  const Expr x = g.input("x", {B, 2});
  const auto message = [](const std::vector<OnnxOutput>& outputs) {
    return error_of([&] { onnx_model<float>(outputs, Store<float>()); });
  };
  EXPECT_THAT(message({}), HasSubstr("there are no outputs"));
  EXPECT_THAT(message({{x + g.parameter("w", {2}), "y"}}), HasSubstr("the store has no 'w'"));
  EXPECT_THAT(message({{tanh(x), "y"}, {exp(x), "y"}}), HasSubstr("'y' is the name of two"));
  EXPECT_THAT(message({{tanh(x), "x"}}), HasSubstr("'x' is the name of two"));
  EXPECT_THAT(message({{tanh(x)}, {other.input("z", {1})}}), HasSubstr("is of another graph"));
  EXPECT_THAT(message({{g.full({B}, 1.0), "y"}}), HasSubstr("none of its inputs has it"));
  Graph third;
  third.parameter("w", {3});
  Store<float> store;
  store.create(third);
  EXPECT_THAT(error_of([&] {
                Graph fourth;
                onnx_model<float>(std::vector<OnnxOutput>{{fourth.parameter("w", {4}), "y"}}, store);
              }),
              HasSubstr("'w' has the shape [4] in the graph, but [3] in the store"));
}

TEST(OnnxErrors, LeaveTheFileThatWasThere) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "onnx_errors";
  std::filesystem::create_directories(folder);
  const auto path = folder / "model.onnx";
  std::ofstream(path) << "old";
  Graph g;
  const Expr x = g.input("x", {B, 2});
  EXPECT_THROW(export_onnx<float>(path, {{build<Unspeakable>({x})}}, Store<float>()), Error);
  EXPECT_EQ(std::filesystem::file_size(path), 3U);
  export_onnx<float>(path, {{tanh(x), "y"}}, Store<float>());
  EXPECT_GT(std::filesystem::file_size(path), 50U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_THAT(error_of([&] {
                export_onnx<float>(folder / "no" / "y.onnx", {{tanh(x), "y"}}, Store<float>());
              }),
              HasSubstr("y.onnx"));
  std::filesystem::remove_all(folder);
}

}  // namespace
