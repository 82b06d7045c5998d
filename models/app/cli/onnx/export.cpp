#include "models/app/cli/onnx/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "gradus/data/atomic_file.hpp"
#include "gradus/onnx/export.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/progress/progress.hpp"
#include "models/app/table/recipe.hpp"
#include "models/app/table/table_network.hpp"
#include "models/data/near_name.hpp"
#include "models/tutorials/all.hpp"

namespace gradus::cli {

namespace {

void report(const ExportOptions& options, const Expr& prediction, Precision precision) {
  print("wrote {}: {} in {}, {}\n", options.onnx, options.model,
        precision == Precision::single ? "float" : "double", prediction.graph().describe(prediction.id()));
}

void export_tutorial(const ExportOptions& options) {
  const Problem p = find_tutorial(options.model).problem();
  const Precision precision = options.precision.value_or(Precision::single);
  with_precision(precision, [&](auto tag) {
    Store<decltype(tag)> store;
    store.create(*p.graph);
    for (const std::string& name : store.names())
      if (const auto given = p.point.find(name); given != p.point.end()) store.set(name, given->second);
    const Progress progress("exporting " + options.model);
    export_onnx(options.onnx, {{p.prediction, "prediction"}}, store, {.graph_name = options.model});
  });
  report(options, p.prediction, precision);
}

// The network alone; its metadata hold the recipe by which a table's columns become its inputs.
void export_table_model(const ExportOptions& options) {
  const TensorFile file(options.model);
  const TableRecipe recipe = recipe_of(file);
  const Precision precision =
      options.precision.value_or(recipe.in_double ? Precision::double_ : Precision::single);
  with_precision(precision, [&](auto tag) {
    Trainer<decltype(tag)> trainer(model_of(recipe));
    const Expr prediction = trainer.graph(Mode::inference).prediction;
    with_progress("exporting " + options.model, [&] {
      trainer.load_weights(options.model);
      export_onnx(options.onnx, {{prediction, "prediction"}}, trainer.store(),
                  {.graph_name = file.path().stem().string(), .metadata = {{"recipe", recipe.json()}}});
    });
    report(options, prediction, precision);
  });
}

}  // namespace

int export_model(const ExportOptions& options) {
  const bool tutorial =
      std::ranges::find(gradus::tutorials(), options.model, &Tutorial::name) != gradus::tutorials().end();
  if (!tutorial && !std::filesystem::exists(options.model)) {
    std::vector<std::string> names;
    for (const Tutorial* each : gradus::tutorials()) names.emplace_back(each->name());
    throw Error(fmt::format("export: there is no file of this name, and {}",
                            no_such_name("tutorial", options.model, names)));
  }
  if (!tutorial)
    require_distinct(std::vector<NamedFile>{{"model", options.model, false}, {"onnx", options.onnx}});
  require_writable(options.onnx);
  if (tutorial)
    export_tutorial(options);
  else
    export_table_model(options);
  return 0;
}

}  // namespace gradus::cli
