// onnx_rows FOLDER: exports models to FOLDER, in float and in double, and says on the standard output, as
// JSON, what gradus computes by them for inputs of batch 1 and 17, for onnx_check.py to compare with ONNX
// Runtime: every tutorial, networks with every activation and normalization, every row of the op table, and
// functions at points of small results.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "gradus/base/random.hpp"
#include "gradus/onnx/export.hpp"
#include "models/app/table/recipe.hpp"
#include "models/app/table/table_network.hpp"
#include "models/tutorials/all.hpp"
#include "tests/support/op_table.hpp"

namespace gradus::test {
namespace {

using Json = nlohmann::ordered_json;

struct Values {
  std::string name;
  Tensor tensor;
};
// Values for the inputs, for a batch.
using Inputs = std::function<std::vector<Values>(std::int64_t batch)>;

template <class T> Json json_of(const Tensor& tensor) {
  Json values = Json::array();
  for (const double v : tensor.values) values.push_back(static_cast<T>(v));
  return {{"extents", tensor.extents}, {"values", values}};
}

// Exports `output` and runs it; `op` is what a row of the op table is of.
template <class T>
void add(Json& all, const std::filesystem::path& folder, const std::string& group, const std::string& name,
         const Expr& output, Store<T> store, const Inputs& inputs, const std::string& op = {}) {
  const std::string precision = sizeof(T) == sizeof(float) ? "float" : "double";
  const std::string file = group + "-" + name + "-" + precision + ".onnx";
  Json runs = Json::array();
  for (const std::int64_t batch : {1, 17}) {
    auto program = compile<T>({output}, {}, batch, store);
    Json fed = Json::object();
    for (const auto& [leaf, tensor] : inputs(batch)) {
      if (!program.has_input(leaf)) continue;
      const std::vector<T> values(tensor.values.begin(), tensor.values.end());
      program.feed(leaf, values);
      fed[leaf] = json_of<T>(tensor);
    }
    program.run();
    const auto view = program.output();
    runs.push_back(
        {{"inputs", fed}, {"output", json_of<T>({view.extents, {view.values.begin(), view.values.end()}})}});
  }
  try {
    export_onnx(folder / file, {{output, "prediction"}}, store);
    all["models"].push_back(
        {{"group", group}, {"name", name}, {"precision", precision}, {"file", file}, {"runs", runs}});
  } catch (const Error& error) {
    all["unsaid"].push_back({{"group", group}, {"name", name}, {"op", op}, {"error", error.what()}});
  }
}

// In [0, 1), as pixels are.
Tensor uniform(const Extents& extents, std::uint64_t seed) {
  Random random(seed);
  return generate(extents, [&](const Extents&) { return random.uniform(); });
}

template <class T> void add_tutorials(Json& all, const std::filesystem::path& folder) {
  for (const Tutorial* tutorial : tutorials()) {
    const Problem p = tutorial->problem();
    Store<T> store;
    store.create(*p.graph);
    for (const std::string& name : store.names()) store.set(name, p.point.at(name));
    add<T>(all, folder, "tutorial", std::string(tutorial->name()), p.prediction, store,
           [&](std::int64_t batch) {
             return std::vector<Values>{{"x", uniform(p.graph->find("x").shape().resolve(batch), 5)}};
           });
  }
}

template <class T> void add_networks(Json& all, const std::filesystem::path& folder) {
  for (const std::string& activation : activation_names())
    for (const char* normalization : {"", "batch", "layer"}) {
      TableRecipe recipe{.features = {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}},
                         .target = {"class", 0, 1, {"x", "y", "z"}},
                         .hidden = {16, 8},
                         .activation = activation,
                         .normalization = normalization,
                         .dropout = 0.2};
      Trainer<T> trainer(model_of(recipe), 3);
      // Running statistics and offsets that are not 0 and 1.
      for (const std::string& name : trainer.store().names()) {
        Random random(7, stream_of(name));
        for (T& v : trainer.store().values(name)) v = v * T(0.9) + T(0.1 + 0.1 * random.uniform());
      }
      const std::string name =
          activation + (normalization[0] == '\0' ? "" : std::string("-") + normalization);
      add<T>(all, folder, "mlp", name, trainer.graph(Mode::inference).prediction, trainer.store(),
             [](std::int64_t batch) {
               return std::vector<Values>{{"x", uniform({batch, 5}, 9)}};
             });
    }
}

template <class T> void add_ops(Json& all, const std::filesystem::path& folder) {
  for (const OpRow& row : op_table()) {
    Graph graph;
    Exprs x;
    for (const RowInput& input : row.inputs)
      x.push_back(graph.input("x" + std::to_string(x.size()), input.shape));
    const Expr output = row.build(graph, x);
    if (!output.is_node()) continue;
    const auto inputs = [&](std::int64_t batch) {
      std::vector<Values> values;
      for (const Tensor& tensor : sample(row, batch))
        values.push_back({"x" + std::to_string(values.size()), tensor});
      return values;
    };
    add<T>(all, folder, "op", row.name(), output, Store<T>(), inputs, row.op);
  }
}

// What keeps its digits where results are small: to be compared with them, not with 1.
template <class T> void add_small(Json& all, const std::filesystem::path& folder) {
  const struct {
    const char* name;
    Expr (*build)(const Expr& x);
  } functions[] = {
      {"softplus", [](const Expr& x) { return softplus(x); }},
      {"sigmoid_minus_0", [](const Expr& x) { return sigmoid_minus(x, x.graph().full(x.shape(), 0.0)); }},
      {"sigmoid_minus_1", [](const Expr& x) { return sigmoid_minus(-x, x.graph().full(x.shape(), 1.0)); }},
      {"logistic_loss_0", [](const Expr& x) { return logistic_loss(x, x.graph().full(x.shape(), 0.0)); }},
      {"logistic_loss_1", [](const Expr& x) { return logistic_loss(-x, x.graph().full(x.shape(), 1.0)); }},
      {"elu", [](const Expr& x) { return elu(exp(x) * -1); }},
      {"log1p", [](const Expr& x) { return log1p(exp(x)); }},
      {"expm1", [](const Expr& x) { return expm1(exp(x)); }}};
  for (const auto& [name, build] : functions) {
    Graph graph;
    add<T>(all, folder, "small", name, build(graph.input("x", {B, 4})), Store<T>(), [](std::int64_t batch) {
      return std::vector<Values>{{"x", generate({batch, 4}, [&](const Extents& i) {
                                    return -15.0 - 5.0 * static_cast<double>(4 * i[0] + i[1]) /
                                                       static_cast<double>(batch);
                                  })}};
    });
  }
}

template <class T> void add_all(Json& all, const std::filesystem::path& folder) {
  add_tutorials<T>(all, folder);
  add_networks<T>(all, folder);
  add_ops<T>(all, folder);
  add_small<T>(all, folder);
}

}  // namespace
}  // namespace gradus::test

int main(int argc, char** argv) try {
  if (argc != 2) throw gradus::Error("name one folder");
  nlohmann::ordered_json all{{"models", nlohmann::ordered_json::array()},
                             {"unsaid", nlohmann::ordered_json::array()}};
  gradus::test::add_all<float>(all, argv[1]);
  gradus::test::add_all<double>(all, argv[1]);
  std::cout << all.dump() << std::endl;
  return std::cout ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "onnx_rows: %s\n", error.what());
  return 1;
}
