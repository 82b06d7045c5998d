// A model of one's own, defined outside of ops/ and models/: two towers, a product, a custom loss.
#include <gtest/gtest.h>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"

using namespace gradus;

namespace {

// Begin: the model.
struct Recommender {
  Graph g;
  Expr user = g.input("user", {B, 4});
  Expr item = g.input("item", {B, 3});
  Expr rating = g.input("rating", {B});
  Expr score, loss;

  Recommender() {
    const Expr u = tanh(linear(user, 5, "user"));
    const Expr i = tanh(linear(item, 5, "item"));
    score = sum(u * i, {1}) + g.parameter("offset", {});
    const Expr off = score - rating;
    loss = mean(where(abs(off) < 1, 0.5 * square(off), abs(off) - 0.5));  // Huber
  }
};
// End: the model.

TEST(CustomModel, LearnsWhatItCanExpress) {
  Recommender model;
  Store<float> store(3);
  auto train = compile<float>({model.loss}, adam(model.loss, {.rate = 0.01}), 64, store);
  Random random(7);
  std::vector<float> users(64 * 4), items(64 * 3), ratings(64);
  for (float& v : users) v = static_cast<float>(random.normal());
  for (float& v : items) v = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < 64; ++i) ratings[i] = users[4 * i] * items[3 * i] + 0.5F;
  train.feed(model.user, users);
  train.feed(model.item, items);
  train.feed(model.rating, ratings);
  train.run();
  const float before = train.output();
  for (int step = 0; step < 600; ++step) train.run();
  EXPECT_LT(train.output().item(), before / 20);
}

TEST(CustomModel, ItsGradientsAreRight) {
  Recommender model;
  Random random(11);
  Point point = {{"offset", {0.3}}};
  for (const Expr& leaf : model.g.parameters()) {
    auto& values = point[model.g[leaf.id()].label];
    values.resize(static_cast<std::size_t>(element_count(leaf.shape().resolve(1))));
    for (double& v : values) v = random.normal();
  }
  for (const auto& [name, count] : {std::pair("user", 12), std::pair("item", 9), std::pair("rating", 3)})
    for (int i = 0; i < count; ++i) point[name].push_back(random.normal());
  const auto report = check_gradient(model.loss, model.g.parameters(), point, 3);
  EXPECT_TRUE(report.ok()) << report.text();
}

}  // namespace
