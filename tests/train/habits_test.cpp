// What people expect of a training: networks and losses as plain functions, shared layers, weights of samples
// and classes, a last batch left out, threads, and parts of a file of weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "gradus/train/weights.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::all_values;
using test::error_of;
using test::values_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> random_numbers(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> all(count);
  for (double& v : all) v = random.normal();
  return all;
}

template <class T = float> FitOptions<T> quiet(std::int64_t epochs = 3, std::int64_t batch = 8) {
  return {.epochs = epochs, .batch = batch, .verbose = false};
}

ModelDefinition one_input(NetworkFunction network, PredictionFunction loss = mse) {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network = std::move(network),
          .loss = std::move(loss)};
}

std::map<std::string, std::vector<float>> trained(const ModelDefinition& model) {
  Trainer<float> trainer(model, 1);
  trainer.fit({20, {random_numbers(60, 1), random_numbers(20, 2)}}, quiet());
  return all_values(trainer.store());
}

// A plain function, too.
Expr network_of(Expr x) { return linear(x, 1, "y"); }
Expr loss_of(Expr y, Expr t) { return mean(square(y - t)); }

TEST(Batches, LargerThanTheDataAreOneOfAllSamples) {
  const auto after = [](std::int64_t batch, bool drop_last) {
    Trainer<float> trainer(one_input([](Expr x) { return linear(x, 1, "y"); }), 1);
    FitOptions<float> options = quiet(3, batch);
    options.drop_last = drop_last;
    EXPECT_EQ(trainer.fit({20, {random_numbers(60, 1), random_numbers(20, 2)}}, options).steps, 1);
    return all_values(trainer.store());
  };
  for (const std::int64_t batch :
       {std::int64_t{21}, std::int64_t{1} << 62, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(after(batch, false), after(20, false)) << batch;
    EXPECT_THAT(error_of([&] { after(batch, true); }), HasSubstr("drop_last leaves no batch")) << batch;
  }
}

TEST(Functions, MayTakeExpressions) {
  const auto expected =
      trained(one_input([](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "y"); }));
  EXPECT_EQ(trained(one_input([](Expr x) { return linear(x, 1, "y"); })), expected);
  EXPECT_EQ(trained(one_input([](const Expr& x, Mode&) { return linear(x, 1, "y"); })), expected);
  EXPECT_EQ(trained(one_input([](const auto& x) { return linear(x, 1, "y"); })), expected);
  EXPECT_EQ(trained(one_input(network_of)), expected);
  EXPECT_EQ(trained(one_input(network_of, loss_of)), expected);
  EXPECT_EQ(trained(one_input(network_of, [](Expr y, Expr t) { return mean(square(y - t)); })), expected);
  EXPECT_EQ(trained(one_input(network_of, [](const Expr& y, const Expr& t) { return mse(y, t); })), expected);
  EXPECT_EQ(trained(one_input(network_of, [](Arg y, Arg t) { return mse(y, t); })), expected);
  EXPECT_EQ(trained(one_input(network_of, [](Expr y, Expr t) { return sum(square(y - t), {1}); })), expected);
}

TEST(Functions, OfMetricsToo) {
  ModelDefinition model = one_input(network_of);
  model.metrics = {{"bias", [](Expr y, Expr t) { return mean(y - t); }}};
  Trainer<float> trainer(model, 1);
  EXPECT_EQ(trainer.fit({20, {random_numbers(60, 1), random_numbers(20, 2)}}, quiet()).names,
            (std::vector<std::string>{"loss", "bias"}));
}

TEST(Functions, SayHowManyInputsThereAre) {
  ModelDefinition model = one_input([](Expr a, Expr b) { return linear(a + b, 1, "y"); });
  EXPECT_THAT(error_of([&] { Trainer<float>{model}; }),
              HasSubstr("the network takes 2 inputs, but the model has 1"));
  model.inputs.push_back({"z", {B, 3}});
  EXPECT_EQ(error_of([&] { Trainer<float>{model}; }), "no error");
}

// Twice the same layer: one set of parameters, whose gradient is the sum of both uses.
TEST(SharedLayers, HaveOneSetOfParameters) {
  Graph g;
  const Expr x = g.input("x", {B, 2}), z = g.input("z", {B, 2});
  auto tower = shared([](Expr in) { return layer_norm(tanh(linear(in, 3, "tower")), "norm"); });
  const Expr both = sum(tower(x)) + 2 * sum(tower(z));
  EXPECT_EQ(g.parameters().size(), 4U);
  const GradientReport report = check_gradient(both, random_point(both, 2, 1), 2);
  EXPECT_TRUE(report.ok()) << report.text();
  Store<double> store;
  auto same = compile<double>({tower(x) - tower(x), tower(z)}, {}, 1, store);
  same.feed(x, {1, 2});
  same.feed(z, {1, 2});
  same.run();
  EXPECT_THAT(same.output(0).values, ElementsAre(0, 0, 0));
  // In another graph it begins anew; what is not its own is still taken.
  Graph other;
  tower(other.input("x", {B, 2}));
  EXPECT_EQ(other.parameters().size(), 4U);
  EXPECT_THAT(error_of([&] { linear(x, 3, "tower"); }), HasSubstr("the name 'tower/W' is taken"));
  EXPECT_THAT(error_of([&] { tower(g.input("wide", {B, 5})); }), HasSubstr("the name 'tower/W' is taken"));
  auto second = shared([](Expr in) { return linear(in, 3, "tower"); });
  EXPECT_THAT(error_of([&] { second(x); }), HasSubstr("the name 'tower/W' is taken"));
}

// A graph may lie where another one lay that the handle was applied in.
TEST(SharedLayers, KnowTheirOwnInEveryGraph) {
  auto tower = shared([](Expr x) { return linear(x, 2, "tower"); });
  std::optional<Graph> graph;
  for (int i = 0; i < 3; ++i) {
    Graph& g = graph.emplace();
    tower(g.input("a", {B, 3}));
    tower(g.input("b", {B, 3}));
    EXPECT_THAT(g.parameters(), testing::SizeIs(2));
  }
  Graph& g = graph.emplace();
  linear(g.input("a", {B, 3}), 2, "tower");
  EXPECT_THAT(error_of([&] { tower(g.input("b", {B, 3})); }), HasSubstr("the name 'tower/W' is taken"));
}

TEST(SharedLayers, TakeMoreArguments) {
  Graph g;
  Mode mode(Mode::training);
  const Expr x = g.input("x", {B, 2});
  auto tower = shared([](Expr in, const std::string& name, Mode& m) {
    return dropout(linear(in, 3, "tower"), 0.5, name, m);
  });
  tower(x, "first", mode);
  tower(x, "second", mode);
  EXPECT_EQ(g.parameters().size(), 2U);
  EXPECT_THAT(error_of([&] { tower(x, "first", mode); }), HasSubstr("a name of its own"));
}

ModelDefinition weighted(bool by_sample, std::vector<double> by_class, PredictionFunction loss) {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B}},
          .network = [](Expr x) { return linear(x, 3, "y"); },
          .loss = std::move(loss),
          .optimizer = sgd({.rate = 0.1}),
          .sample_weights = by_sample ? "weight" : "",
          .class_weights = std::move(by_class)};
}

// −log of the target's probability, for each sample.
Expr per_sample(Expr y, Expr t) { return logsumexp(y, -1) - sum(one_hot(t, 3) * y, {-1}); }

TEST(Weights, OfSamplesMultiplyTheirLosses) {
  std::vector<double> labels(24), weights(24), ones(24, 1);
  for (std::size_t i = 0; i < 24; ++i) {
    labels[i] = static_cast<double>(i % 3);
    weights[i] = i % 4 == 0 ? 2 : i % 4 == 1 ? 0 : 1;
  }
  const auto x = random_numbers(72, 5);
  Trainer<double> plain(weighted(false, {}, per_sample), 1), scalar(weighted(false, {}, cross_entropy), 1),
      same(weighted(true, {}, per_sample), 1), other(weighted(true, {}, per_sample), 1);
  plain.fit({24, {x, labels}}, quiet<double>());
  scalar.fit({24, {x, labels}}, quiet<double>());
  same.fit({24, {x, labels, ones}}, quiet<double>());
  const History history = other.fit({24, {x, labels, weights}}, quiet<double>(1, 24));
  EXPECT_EQ(all_values(plain.store()), all_values(same.store()));
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_NEAR(plain.store().values("y/W")[i], scalar.store().values("y/W")[i], 1e-12);
  // A sample of weight 2 is one that is there twice; of weight 0, none.
  std::vector<double> more_x, more_labels;
  for (std::size_t i = 0; i < 24; ++i)
    for (int k = 0; k < static_cast<int>(weights[i]); ++k) {
      more_x.insert(more_x.end(), {x[3 * i], x[3 * i + 1], x[3 * i + 2]});
      more_labels.push_back(labels[i]);
    }
  ASSERT_EQ(more_labels.size(), 24U);
  Trainer<double> repeated(weighted(false, {}, per_sample), 1);
  const History expected = repeated.fit({24, {more_x, more_labels}}, quiet<double>(1, 24));
  EXPECT_NEAR(history.of("loss")[0], expected.of("loss")[0], 1e-12);
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_NEAR(other.store().values("y/W")[i], repeated.store().values("y/W")[i], 1e-12);
}

TEST(Weights, OfClassesAreThoseOfTheirSamples) {
  std::vector<double> labels(24), weights(24);
  const std::vector<double> factors{0.5, 1, 3};
  for (std::size_t i = 0; i < 24; ++i) {
    labels[i] = static_cast<double>(i * i % 3);
    weights[i] = factors[i * i % 3];
  }
  const auto x = random_numbers(72, 5);
  Trainer<double> by_class(weighted(false, factors, per_sample), 1),
      by_sample(weighted(true, {}, per_sample), 1);
  by_class.fit({24, {x, labels}}, quiet<double>());
  by_sample.fit({24, {x, labels, weights}}, quiet<double>());
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_NEAR(by_class.store().values("y/W")[i], by_sample.store().values("y/W")[i], 1e-12);
  EXPECT_THAT(balanced_weights(std::vector<std::int64_t>{10, 30}), ElementsAre(2, 40.0 / 60));
  EXPECT_THAT(error_of([] {
                balanced_weights(std::vector<std::int64_t>{10, 0});
              }),
              HasSubstr("class 1 has 0 samples"));
}

// However large the loss of such a sample is, and its slope.
TEST(Weights, OfZeroTakeASampleOut) {
  constexpr double huge = 1e30;
  for (const bool by_class : {false, true}) {
    const auto made = [&](bool with_odd_one) {
      std::vector<double> x, t, weights;
      for (int i = 0; i < 8; ++i) {
        const bool odd = i == 5;
        const auto v = static_cast<double>(i);
        // The class tells the loss which samples have a square that overflows.
        x.insert(x.end(), {v / 8, 1 - v / 4, odd ? 1.0 : 0.5});
        t.push_back(by_class ? (odd ? 2.0 : static_cast<double>(i % 2)) : odd && with_odd_one ? huge : v);
        weights.push_back(odd ? 0 : 1);
      }
      const double factor = with_odd_one ? huge : 1;
      const auto squares = [](Expr y, Expr target) { return sum(square(y - reshape(target, {B, 1})), {1}); };
      const auto by_factor = [factor](Expr y, Expr target) {
        return sum(square(y * where(equal(reshape(target, {B, 1}), 2), factor, 1)), {1});
      };
      ModelDefinition model = by_class ? weighted(false, {1, 2, 0}, by_factor) : weighted(true, {}, squares);
      Trainer<float> trainer(model, 1);
      const History history = by_class ? trainer.fit({8, {x, t}}, quiet<float>(3, 8))
                                       : trainer.fit({8, {x, t, weights}}, quiet<float>(3, 8));
      return std::pair(history.of("loss"), all_values(trainer.store()));
    };
    EXPECT_EQ(made(true), made(false)) << "by class " << by_class;
  }
}

// A training that stops names a sample that counts.
TEST(Weights, OfZeroAreNotBlamed) {
  std::vector<double> x(24, 0.5), t(8, 1), w{0, 1, 1, 0, 0, 1, 1, 1};
  t[0] = t[3] = t[6] = 1e30;
  const auto squares = [](Expr y, Expr target) { return sum(square(y - reshape(target, {B, 1})), {1}); };
  Trainer<float> trainer(weighted(true, {}, squares), 1);
  auto options = quiet<float>(1, 8);
  options.shuffle = false;
  // The first of three outputs of sample 6.
  EXPECT_THAT(error_of([&] { trainer.fit({8, {x, t, w}}, options); }), HasSubstr("entry 18 is inf"));
  t[6] = 1;
  x[2] = x[16] = HUGE_VAL;
  EXPECT_THAT(error_of([&] { trainer.fit({8, {x, t, w}}, options); }), HasSubstr("row 5 of the data"));
}

TEST(Weights, WantALossForEachSample) {
  EXPECT_THAT(error_of([] { Trainer<float>(weighted(true, {}, cross_entropy)); }),
              AllOf(HasSubstr("Trainer at HERE"), HasSubstr("no sample can be weighted")));
}

TEST(DropLast, LeavesOutWhatIsFewerThanABatch) {
  std::vector<std::size_t> sizes;
  const Dataset<float> spied(
      20, [&](std::span<const std::uint32_t> rows, auto) { sizes.push_back(rows.size()); });
  Trainer<float> trainer(one_input(network_of), 1);
  auto options = quiet(2);
  options.drop_last = true;
  EXPECT_EQ(trainer.fit(spied, options).steps, 2);
  EXPECT_THAT(sizes, ElementsAre(8, 8, 8, 8));
  options.batch = 21;
  EXPECT_THAT(error_of([&] { trainer.fit(spied, options); }), HasSubstr("drop_last leaves no batch of 21"));
}

TEST(Threads, GiveTheSameBitsForTheSameNumber) {
  const auto with = [](int threads) {
    ModelDefinition model = one_input([](Expr x) { return linear(tanh(linear(x, 512, "hidden")), 1, "y"); });
    Trainer<float> trainer(model, 1);
    auto options = quiet(2, 256);
    options.threads = threads;
    trainer.fit({512, {random_numbers(1536, 1), random_numbers(512, 2)}}, options);
    return all_values(trainer.store());
  };
  EXPECT_EQ(with(2), with(2));
  EXPECT_EQ(with(1), with(1));
  Trainer<float> trainer(one_input(network_of), 1);
  auto options = quiet();
  options.threads = 0;
  EXPECT_THAT(error_of([&] {
                trainer.fit({20, {random_numbers(60, 1), random_numbers(20, 2)}}, options);
              }),
              HasSubstr("0 threads"));
}

using PartialWeights = test::FolderTest;

TEST_F(PartialWeights, AreFoundByAPrefix) {
  const auto model = [](std::int64_t outputs) {
    return ModelDefinition{
        .inputs = {{"x", {B, 3}}},
        .target = {"t", {B, outputs}},
        .network = [=](Expr x) { return linear(tanh(linear(x, 4, "encoder")), outputs, "head"); },
        .loss = mse};
  };
  Trainer<float> old(model(1), 1), next(model(2), 2);
  old.save_weights(file("w"));
  const auto head = values_of(next.store(), "head/W");
  EXPECT_THAT(error_of([&] { next.load_weights(file("w")); }), HasSubstr("tensor 'head/W' is"));
  next.load_weights(file("w"), "encoder/");
  EXPECT_EQ(values_of(next.store(), "encoder/W"), values_of(old.store(), "encoder/W"));
  EXPECT_EQ(values_of(next.store(), "head/W"), head);
  EXPECT_THAT(error_of([&] { next.load_weights(file("w"), "decoder/"); }),
              AllOf(HasSubstr("no weights whose names begin with 'decoder/'"), HasSubstr("encoder/W")));

  Graph g;
  linear(g.input("x", {B, 3}), 4, "encoder");
  Store<double> store;
  store.create(g);
  EXPECT_THAT(error_of([&] { load_weights(store, file("w")); }), HasSubstr("head/"));
  load_weights(store, file("w"), "encoder/");
  EXPECT_THAT(values_of(store, "encoder/W"), testing::ElementsAreArray(old.store().values("encoder/W")));
  EXPECT_THAT(error_of([&] { load_weights(store, file("w"), "decoder/"); }),
              HasSubstr("no tensor's name begins with 'decoder/'"));
  load_weights(old.store(), file("w"));
}

}  // namespace
}  // namespace gradus
