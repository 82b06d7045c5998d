// Pictures of graphs and plans: what a person must find in them, and that large ones stay small.
#include "gradus/inspect/draw.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "framework/compile/extract.hpp"
#include "framework/compile/plan.hpp"
#include "framework/inspect/scopes.hpp"
#include "gradus/gradus.hpp"
#include "models/app/plot/draw.hpp"
#include "models/tutorials/all.hpp"
#include "tests/support/well_formed.hpp"

namespace gradus {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Boxes, without the references.
std::size_t boxes_in(const std::string& dot) {
  const std::regex box("\n  [ng][0-9]+ \\[");
  return static_cast<std::size_t>(
      std::distance(std::sregex_iterator(dot.begin(), dot.end(), box), std::sregex_iterator()));
}

std::string mnist_picture(const DrawOptions& options = {}) {
  const Problem p = find_tutorial("mnist").problem();
  return graph_dot(std::vector{p.loss, p.prediction}, p.updates, options);
}

TEST(Draw, AStrangerFindsLayersLossGradientsAndOptimizer) {
  const std::string dot = mnist_picture();
  for (const char* cluster :
       {"model (forward)", "hidden", "output", "loss", "gradients (backward)", "gradient of hidden",
        "gradient of output", "optimizer: new parameters and states", "adam"})
    EXPECT_THAT(dot, HasSubstr(std::string("{ label=\"") + cluster + "\"")) << cluster;
  for (const char* text : {"∂loss / ∂hidden/W", "∂loss / ∂output/b", "LOSS", "PREDICTION", "→ hidden/W",
                           "→ adam/m/output/b", "[B, 784]", "is differentiated"})
    EXPECT_THAT(dot, HasSubstr(text));
}

TEST(Draw, PlacesEveryNode) {
  const Problem p = find_tutorial("mnist").problem();
  const Program program = extract(std::vector{p.loss, p.prediction}, p.updates);
  const auto places = places_of(program);
  const Graph& graph = *program.graph;
  std::size_t gradients = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const NodePlace& place = places[static_cast<std::size_t>(id)];
    const std::string& label = graph[id].label;
    if (label == "hidden") {
      EXPECT_EQ(place.scope, "hidden");
    }
    if (label == "adam/v/hidden/W") {
      EXPECT_EQ(place.part, Part::optimizer);
      EXPECT_EQ(place.scope, "adam/hidden");
    }
    const std::string_view op = graph[id].name();
    if (op == "relu") {
      EXPECT_EQ(place.scope, "hidden");
    }
    if (op == "log_softmax") {
      EXPECT_EQ(place.part, Part::loss);
    }
    if (op == "adaptive_step") {
      EXPECT_EQ(place.part, Part::optimizer);
    }
    if (place.gradient_of >= 0) {
      ++gradients;
      EXPECT_EQ(place.part, Part::gradient);
      EXPECT_EQ(graph[id].shape, graph[place.gradient_of].shape);
    }
  }
  EXPECT_EQ(gradients, 4U);
}

TEST(Draw, ThePlanShowsFusedGroupsAndBuffers) {
  const Problem p = find_tutorial("mnist").problem();
  Store<float> store;
  const auto program = compile<float>({p.loss}, p.updates, 8, store);
  const std::string dot = plan_dot(program.plan());
  EXPECT_THAT(dot, AllOf(HasSubstr("0: 3 ops fused\\nmatmul\\nadd\\n'hidden'\\nrelu\\n⇒ arena+0 [8, 128]"),
                         HasSubstr("peripheries=2"), HasSubstr("in place"), HasSubstr("⇒ store 'hidden/W'"),
                         HasSubstr("arena of ")));
}

// A chain of blocks of four layers.
std::string deep(int layers, const DrawOptions& options, NodeId& nodes) {
  Graph g;
  const Expr x = g.input("x", {B, 8}), t = g.input("t", {B, 1});
  Expr h = x;
  for (int i = 0; i < layers; ++i)
    h = tanh(linear(h, 8, "block" + std::to_string(i / 4) + "/layer" + std::to_string(i % 4)));
  const Expr y = linear(h, 1, "output");
  const Expr loss = mse(y, t);
  const auto updates = adam(loss);
  nodes = extract(std::vector{loss, y}, updates).graph->size();
  return graph_dot(std::vector{loss, y}, updates, options);
}

TEST(Draw, FiveThousandNodesAreFoldedByScope) {
  NodeId nodes = 0;
  const std::string dot = deep(260, {}, nodes);
  EXPECT_GE(nodes, 5000);
  EXPECT_LE(boxes_in(dot), 120U);
  EXPECT_GE(boxes_in(dot), 8U);
  EXPECT_THAT(dot, AllOf(HasSubstr("block#/layer#\\n260 layers"), HasSubstr("gradient of block#"),
                         HasSubstr("adam"), HasSubstr("output")));
  if (!can_draw_graphs()) GTEST_SKIP() << "graphviz is not installed";
  EXPECT_EQ(flaw_in_markup(drawn_by_dot(dot, ImageFormat::svg)), "");
}

TEST(Draw, FoldsNoFurtherThanItMust) {
  NodeId nodes = 0;
  EXPECT_THAT(deep(8, {.most_boxes = 40}, nodes),
              AllOf(HasSubstr("block1/layer3"), Not(HasSubstr("layer#"))));
  for (const std::size_t most : {3U, 10U, 20U, 40U, 1000U})
    EXPECT_LE(boxes_in(deep(8, {.most_boxes = most}, nodes)), std::max<std::size_t>(most, 4));
}

// Without names there are still the user's lines.
TEST(Draw, FoldsWhatHasNoNamesByLines) {
  Graph g;
  const Expr x = g.input("x", {B});
  Expr a = x, b = x;
  for (int i = 0; i < 100; ++i) a = tanh(a);
  for (int i = 0; i < 100; ++i) b = sigmoid(b);
  const std::string dot = graph_dot(std::vector{a + b});
  EXPECT_EQ(boxes_in(dot), 4U);
  EXPECT_THAT(dot, AllOf(HasSubstr("draw_test.cpp:"), HasSubstr("100 ops")));
}

TEST(Draw, EscapesNames) {
  Graph g;
  const Expr x = g.input("a \"quoted\" \\ name", {B});
  EXPECT_THAT(graph_dot(std::vector{tanh(x)}), HasSubstr("a \\\"quoted\\\" \\\\ name"));
}

}  // namespace
}  // namespace gradus
