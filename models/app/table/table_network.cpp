#include "models/app/table/table_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "gradus/base/error.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

struct Activation {
  std::string_view name;
  Expr (*of)(Arg x);
  Initializer (*weights)();
};
const std::array<Activation, 6> activations{{{"relu", relu, he_uniform},
                                             {"leaky-relu", [](Arg x) { return leaky_relu(x); }, he_uniform},
                                             {"tanh", tanh, glorot_uniform},
                                             {"sigmoid", sigmoid, glorot_uniform},
                                             {"softplus", softplus, glorot_uniform},
                                             {"linear", [](Arg x) { return x.expr; }, glorot_uniform}}};

const Activation& find_activation(const std::string& name) {
  const auto* const found = std::ranges::find(activations, name, &Activation::name);
  if (found != activations.end()) return *found;
  std::string all;
  for (const std::string& each : activation_names()) all += (all.empty() ? "" : ", ") + each;
  throw Error(fmt::format("there is no activation '{}'; there are: {}", name, all));
}

}  // namespace

void check_network(const TableRecipe& recipe) {
  if (!recipe.hidden.empty()) return;
  std::vector<std::string> options, what;
  const auto look = [&](bool is_there, const char* name, const char* option) {
    if (!is_there) return;
    what.emplace_back(name);
    options.emplace_back(option);
  };
  look(!recipe.normalization.empty(), "a normalization", "normalization=");
  look(recipe.dropout != 0, "dropout", "dropout=0");
  look(recipe.activation != TableRecipe().activation, "an activation", "activation=relu");
  if (what.empty()) return;
  options.emplace_back("hidden");
  throw OptionError(options,
                    fmt::format("a linear model has no hidden layers, which alone have {}; leave it out, "
                                "or ask for hidden layers",
                                fmt::join(what, " and ")));
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Activation& each : activations) names.emplace_back(each.name);
  return names;
}

ModelDefinition model_of(const TableRecipe& recipe, const Optimizer& optimizer) {
  const Activation& activation = find_activation(recipe.activation);
  for (const std::int64_t units : recipe.hidden)
    if (units < 1) throw Error(fmt::format("a hidden layer has {} units; it must have at least 1", units));
  if (!recipe.normalization.empty() && recipe.normalization != "batch" && recipe.normalization != "layer")
    throw Error(fmt::format("there is no normalization '{}'; there are: batch, layer", recipe.normalization));
  const bool classify = recipe.task == Task::classify;
  const auto network = [recipe, activation](const std::vector<Expr>& in, Mode& mode) {
    Expr h = in.front();
    for (std::size_t i = 0; i < recipe.hidden.size(); ++i) {
      const std::string name = hidden_name(i);
      h = linear(h, recipe.hidden[i], name, {.weights = activation.weights()});
      if (recipe.normalization == "batch") h = batch_norm(h, name + "_norm", mode);
      if (recipe.normalization == "layer") h = layer_norm(h, name + "_norm");
      h = dropout(activation.of(h), recipe.dropout, name + "_dropout", mode);
    }
    return linear(h, recipe.outputs(), "output");
  };
  return {.inputs = {{"x", {B, recipe.inputs()}}},
          .target = {"target", {B, recipe.outputs()}},
          .network = network,
          .loss = classify ? cross_entropy : mse,
          .metrics = {classify ? accuracy() : mean_absolute_error()},
          .optimizer = optimizer};
}

}  // namespace gradus
