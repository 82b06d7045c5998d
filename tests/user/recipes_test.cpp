// The recipes' own code, cut out of docs/recipes.md by the build, and what they claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/split.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/program.hpp"
//
#include "snippets/accumulation.cpp"
#include "snippets/class_weights.cpp"
#include "snippets/fine_tuning.cpp"
#include "snippets/gelu.cpp"
#include "snippets/mixture.cpp"
#include "snippets/mode_loop.cpp"
#include "snippets/noise.cpp"
#include "snippets/physics.cpp"
#include "snippets/poisson.cpp"
#include "snippets/stopping.cpp"
#include "snippets/tensors.cpp"
#include "snippets/tied.cpp"
#include "snippets/two_heads.cpp"
#include "snippets/two_threads.cpp"
// Takes noise.
#include "snippets/vae.cpp"

namespace gradus {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using RecipesWithFiles = test::ProgramTest;
using Numbers = std::vector<double>;

Numbers normal_numbers(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Numbers all(count);
  for (double& v : all) v = random.normal();
  return all;
}

// A number of events by its mean: uniform numbers are multiplied until they are below e^-mean.
double count_of(double mean, Random& random) {
  double count = 0;
  for (double left = random.uniform(); left > std::exp(-mean); left *= random.uniform()) ++count;
  return count;
}

TEST(Recipes, PoissonRegressionFindsTheRatesBatchedAndBySample) {
  Random random(3);
  Numbers x, counts;
  for (int i = 0; i < 400; ++i) {
    x.push_back(random.uniform(-1, 1));
    counts.push_back(count_of(std::exp(0.5 + 1.2 * x.back()), random));
  }
  const Dataset<double> data(400, {x, counts});
  const auto [slope, intercept] = poisson(data, 400, 0.1);
  EXPECT_NEAR(slope, 1.2, 0.15);
  EXPECT_NEAR(intercept, 0.5, 0.15);
  // At the maximum of the likelihood the means of rates and counts are the same, and so are those times x.
  double rates = 0, all = 0, rates_x = 0, all_x = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double rate = std::exp(intercept + slope * x[i]);
    rates += rate, all += counts[i], rates_x += rate * x[i], all_x += counts[i] * x[i];
  }
  EXPECT_NEAR(rates / all, 1, 1e-3);
  EXPECT_NEAR(rates_x / all_x, 1, 1e-3);
  const auto by_sample = poisson(data, 1, 0.01);
  EXPECT_NEAR(by_sample.first, slope, 0.02);
  EXPECT_NEAR(by_sample.second, intercept, 0.02);
}

TEST(Recipes, AccumulatedGradientsAreThoseOfTheWholeBatch) {
  const Numbers x = normal_numbers(3 * 32, 1), t = normal_numbers(32, 2);
  const Numbers whole = accumulated(x, t, 1);
  for (const std::int64_t parts : {2, 4, 32}) {
    const Numbers found = accumulated(x, t, parts);
    ASSERT_EQ(found.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(found[i], whole[i], 1e-13) << parts;
  }
  EXPECT_NE(accumulated(normal_numbers(3 * 32, 4), t, 4), whole);
}

TEST(Recipes, NoiseIsNormalAnewInEachStepAndOnlyInTraining) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  Mode training(Mode::training), inference(Mode::inference);
  const Expr y = noisy(x, 0.5, "noise", training);
  EXPECT_TRUE(noisy(x, 0.5, "noise", inference).same_as(x));
  Store<float> store(1);
  auto program = compile<float>({y}, training.updates(), 20000, store);
  program.feed(x, std::vector<float>(60000, 1));
  const auto draw = [&] {
    program.run();
    const auto values = program.output().values;
    return Numbers(values.begin(), values.end());
  };
  const Numbers first = draw(), second = draw();
  EXPECT_NE(first, second);
  double mean = 0, square = 0, beyond = 0;
  for (const double v : first) {
    mean += v / 60000;
    square += (v - 1) * (v - 1) / 60000;
    beyond += std::abs(v - 1) > 1 ? 1.0 / 60000 : 0;
  }
  EXPECT_NEAR(mean, 1, 0.01);
  EXPECT_NEAR(std::sqrt(square), 0.5, 0.005);
  EXPECT_NEAR(beyond, 0.0455, 0.004);  // outside of two deviations
}

TEST(Recipes, AVariationalAutoencoderFindsThePlaneOfItsData) {
  const Numbers z = normal_numbers(2 * 400, 5);
  Numbers x;
  for (std::size_t i = 0; i < 400; ++i)
    for (std::size_t k = 0; k < 6; ++k)
      x.push_back(std::cos(static_cast<double>(k)) * z[2 * i] +
                  std::sin(static_cast<double>(k)) * z[2 * i + 1]);
  Trainer<float> trainer(variational(6, 2), 1);
  const Dataset<float> data(400, {x, x});
  const auto losses = trainer.fit(data, {.epochs = 150, .verbose = false}).of("loss");
  EXPECT_LT(losses.back(), losses.front() / 10);
  const auto said = trainer.predict(data);
  double off = 0, all = 0, code = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t k = 0; k < 6; ++k) {
      off += std::pow(said[10 * i + k] - x[6 * i + k], 2);
      all += std::pow(x[6 * i + k], 2);
    }
    for (std::size_t k = 6; k < 8; ++k) code += std::pow(said[10 * i + k], 2) / 800;
  }
  EXPECT_LT(off, 0.05 * all);
  EXPECT_NEAR(code, 1, 0.3);  // codes are about standard normal
}

TEST(Recipes, TwoHeadsLearnBoth) {
  const Numbers x = normal_numbers(2 * 300, 6);
  Numbers t;
  for (std::size_t i = 0; i < 300; ++i) {
    const double a = x[2 * i], b = x[2 * i + 1];
    t.insert(t.end(), {a > 0.5 ? 2.0 : b > 0 ? 1.0 : 0.0, a * b});
  }
  Trainer<float> trainer(two_heads(), 1);
  const History history = trainer.fit({300, {x, t}}, {.epochs = 80, .verbose = false});
  EXPECT_LT(history.of("kind").back(), 0.2);
  EXPECT_LT(history.of("size").back(), 0.05);
  EXPECT_NEAR(history.of("loss").back(), history.of("kind").back() + 0.5 * history.of("size").back(), 1e-5);
}

TEST_F(RecipesWithFiles, ATiedAutoencoderThatIsResumedEndsWithTheSameBits) {
  const Numbers z = normal_numbers(64, 7);
  Numbers x;
  for (const double v : z)
    for (int k = 0; k < 6; ++k) x.push_back(std::sin(v + k) / 2);
  const Dataset<float> data(64, {x, x});
  const auto whole = tied_weights(data, 40, file("whole"));
  tied_weights(data, 15, file("parts"));
  const auto half = tied_weights(data, 20, file("half"));
  EXPECT_NE(half, whole);
  // It is resumed, for there is nothing left to do.
  EXPECT_THAT(tied_weights(data, 20, file("whole")), ElementsAreArray(whole));
  EXPECT_THAT(tied_weights(data, 40, file("parts")), ElementsAreArray(whole));
  Trainer<float> trainer(tied_autoencoder(), 1);
  trainer.fit(data, {.epochs = 300, .verbose = false});
  EXPECT_LT(trainer.evaluate(data).at("loss"), 0.01);
  EXPECT_THAT(trainer.summary(), HasSubstr("parameters: 20 "));
}

TEST_F(RecipesWithFiles, FineTuningKeepsTheFrozenLayerAndMovesTheOthersAtTwoRates) {
  const Numbers x = normal_numbers(2 * 200, 8);
  Numbers before, after;
  for (std::size_t i = 0; i < 200; ++i) {
    before.push_back(std::sin(x[2 * i]) * x[2 * i + 1]);
    after.push_back(0.5 - before.back());
  }
  Trainer<float> first(with_head("head", adam({.rate = 0.02})), 1);
  first.fit({200, {x, before}}, {.epochs = 100, .verbose = false});
  first.save_weights(file("trained"));
  const Dataset<float> data(200, {x, after});
  Trainer<float> second = fine_tuned(file("trained"), data);
  const auto moved = [&](const char* name) {
    double most = 0;
    for (std::size_t i = 0; i < first.store().values(name).size(); ++i)
      most = std::max(most, std::abs(double(first.store().values(name)[i]) - second.store().values(name)[i]));
    return most;
  };
  EXPECT_EQ(moved("body/0/W"), 0);
  EXPECT_EQ(moved("body/0/b"), 0);
  EXPECT_GT(moved("body/1/W"), 0);
  EXPECT_LT(moved("body/1/W"), 0.2);
  EXPECT_LT(second.evaluate(data).at("loss"), 0.02);
  EXPECT_FALSE(second.store().contains("adam/m/body/0/W"));
  EXPECT_TRUE(second.store().contains("slow/m/body/1/W"));
}

TEST(Recipes, ALoopOfOnesOwnStopsWhenItIsGoodEnough) {
  Random random(9);
  std::vector<float> x, t;
  for (int i = 0; i < 400; ++i) {
    const double a = random.uniform(-1, 1), b = random.uniform(-1, 1);
    x.insert(x.end(), {static_cast<float>(a), static_cast<float>(b)});
    t.push_back(a * a + b * b < 0.5 ? 1 : 0);
  }
  const auto [loss, steps] = trained_by_hand(x, t, 0.15F);
  EXPECT_LT(loss, 0.15F);
  EXPECT_GT(steps, 9);
  EXPECT_LT(steps, 5000);
  EXPECT_EQ(trained_by_hand(x, t, 0.15F), std::pair(loss, steps));
}

TEST(Recipes, ADifferentialEquationIsSolved) { EXPECT_LT(error_of_the_solution(), 1e-3); }

TEST(Recipes, TwoDensitiesSayMoreThanOneOfTwoAnswers) {
  Random random(10);
  Numbers x, t;
  for (int i = 0; i < 400; ++i) {
    x.push_back(random.uniform(0.2, 1));
    t.push_back((random.uniform() < 0.5 ? -1 : 1) * x.back() + 0.05 * random.normal());
  }
  const Dataset<float> data(400, {x, t});
  const auto loss_of = [&](std::int64_t parts) {
    Trainer<float> trainer(mixture(parts), 1);
    return trainer.fit(data, {.epochs = 100, .verbose = false}).of("loss").back();
  };
  const double one = loss_of(1), two = loss_of(2);
  // The entropy of a choice of two and a normal distribution of deviation 0.05.
  EXPECT_NEAR(two, std::log(2) + 0.5 * std::log(2 * 3.14159265358979 * std::exp(1)) + std::log(0.05), 0.2);
  EXPECT_GT(one, two + 1);
}

// Nine samples in ten are of class 0, and the classes overlap.
std::pair<Numbers, Numbers> unbalanced() {
  std::pair<Numbers, Numbers> found{normal_numbers(2 * 500, 11), {}};
  for (std::size_t i = 0; i < 500; ++i) {
    found.second.push_back(i % 10 == 0 ? 1 : 0);
    if (i % 10 == 0) found.first[2 * i] += 1.5;
  }
  return found;
}

TEST(Recipes, BalancedClassesAreFoundAlike) {
  const auto [x, t] = unbalanced();
  const auto share_found = [&, &x = x, &t = t](const std::vector<double>& weights) {
    Trainer<float> trainer(weighted_classes(weights, ""), 1);
    const Dataset<float> data(500, {x, t});
    trainer.fit(data, {.epochs = 100, .batch = 500, .verbose = false});
    const auto logits = trainer.predict(data);
    double found = 0;
    for (std::size_t i = 0; i < 500; i += 10) found += logits[2 * i + 1] > logits[2 * i] ? 1.0 / 50 : 0;
    return found;
  };
  EXPECT_LT(share_found({}), 0.4);
  EXPECT_GT(share_found(balanced_weights(std::vector<std::int64_t>{450, 50})), 0.65);
}

TEST(Recipes, ClassWeightsAreSampleWeightsAndAWeightOfTwoIsARowMore) {
  const auto [x, t] = unbalanced();
  const auto trained = [](ModelDefinition model, const Dataset<double>& data, double rate) {
    model.optimizer = sgd({.rate = rate});
    Trainer<double> trainer(model, 1);
    trainer.fit(data, {.epochs = 20, .batch = data.count(), .shuffle = false, .verbose = false});
    const auto W = trainer.store().values("output/W");
    return Numbers(W.begin(), W.end());
  };
  Numbers weights;
  for (const double label : t) weights.push_back(label == 1 ? 2 : 1);
  const Numbers by_class = trained(weighted_classes({1, 2}, ""), {500, {x, t}}, 0.5);
  const Numbers by_sample = trained(weighted_classes({}, "weight"), {500, {x, t, weights}}, 0.5);
  Numbers more_x = x, more_t = t;
  for (std::size_t i = 0; i < 500; i += 10) {
    more_x.insert(more_x.end(), {x[2 * i], x[2 * i + 1]});
    more_t.push_back(1);
  }
  // The mean is over 550 then.
  const Numbers by_rows = trained(weighted_classes({}, ""), {550, {more_x, more_t}}, 0.5 * 550 / 500);
  const Numbers alike = trained(weighted_classes({}, ""), {500, {x, t}}, 0.5);
  for (std::size_t i = 0; i < by_class.size(); ++i) {
    EXPECT_NEAR(by_class[i], by_sample[i], 1e-14);
    EXPECT_NEAR(by_class[i], by_rows[i], 1e-12);
    EXPECT_GT(std::abs(by_class[i] - alike[i]), 1e-3);
  }
}

TEST_F(RecipesWithFiles, StopsEarlyForTwoReasons) {
  const Numbers x = normal_numbers(2 * 200, 12), noise = normal_numbers(200, 13);
  Numbers t, noisy_t;
  for (std::size_t i = 0; i < 200; ++i) {
    t.push_back(std::sin(x[2 * i]) * x[2 * i + 1]);
    noisy_t.push_back(t.back() + noise[i]);
  }
  Trainer<float> good(with_head("head", adam({.rate = 0.02})), 1);
  const History reached = fit_until(good, {200, {x, t}}, 0.02);
  EXPECT_EQ(reached.stopped, "it is good enough");
  EXPECT_LT(reached.epochs.size(), 500U);
  EXPECT_LT(reached.of("val_loss").back(), 0.02);
  Trainer<float> bad(with_head("head", adam({.rate = 0.02})), 1);
  const History given_up = fit_until(bad, {200, {x, noisy_t}}, 0.02);
  EXPECT_THAT(given_up.stopped, HasSubstr("val_loss"));
  EXPECT_LT(given_up.epochs.size(), 500U);
}

TEST_F(RecipesWithFiles, TwoThreadsAnswerAsOne) {
  const auto model = [] {
    return ModelDefinition{
        .inputs = {{"x", {B, 2}}},
        .target = {"t", {B, 1}},
        .network = [](Expr x) { return linear(tanh(linear(x, 16, "hidden")), 1, "output"); },
        .loss = mse};
  };
  Trainer<float> trainer(model(), 1);
  trainer.save_weights(file("weights"));
  const Numbers x = normal_numbers(2 * 101, 14);
  const std::vector<float> questions(x.begin(), x.end());
  EXPECT_THAT(answers(file("weights"), questions),
              ElementsAreArray(trainer.predict(Dataset<float>(101, {x}))));
}

TEST(Recipes, ThePlaneThroughTensors) {
  Random random(15);
  xt::xarray<double> x = xt::empty<double>({200, 2}), t = xt::empty<double>({200, 1});
  for (std::size_t i = 0; i < 200; ++i) {
    x(i, 0) = random.uniform(0, 10), x(i, 1) = random.uniform(0, 10);
    t(i, 0) = 1.5 * x(i, 0) - 2 * x(i, 1) + 4;
  }
  const auto [W, said] = plane(x, t, xt::xarray<double>{{5, 5}, {7, 3}, {0, 0}});
  EXPECT_NEAR(W(0, 0), 2 * 1.5, 1e-3);  // as the columns were divided by 2
  EXPECT_NEAR(W(1, 0), 2 * -2.0, 1e-3);
  EXPECT_NEAR(said(0, 0), 1.5, 1e-3);
  EXPECT_NEAR(said(1, 0), 8.5, 1e-3);
  EXPECT_NEAR(said(2, 0), 4, 1e-3);
}

TEST(Recipes, GeluIsRightToTheSecondOrder) {
  EXPECT_TRUE(gelu_is_right());
  Graph g;
  const Expr x = g.input("x", {B});
  Store<double> store;
  auto program = compile<double>({my_gelu(x)}, {}, 4, store);
  program.feed(x, {-3, 0, 1, 10});
  program.run();
  const double expected[] = {-0.00404951, 0, 0.84134475,
                             10};  // x · Φ(x), from which the formula is 5e-4 away
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(program.output().values[i], expected[i], 1e-3);
}

// The lines of the fenced block behind this line of the page.
std::string block_after(const std::string& page, const std::string& mark) {
  const std::size_t begin = page.find('\n', page.find("```", page.find(mark))) + 1;
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST_F(RecipesWithFiles, AMessyTableIsTrainedAndPredicted) {
  const std::string page = test::contents(GRADUS_SOURCE_DIR "/docs/recipes.md");
  write("commands", "set -e\n" + block_after(page, "<!-- commands: messy -->"));
  const std::string folder = std::filesystem::path(GRADUS_PROGRAM).parent_path();
  const auto ran =
      test::run_command("cd '" + folder_.string() + "' && PATH='" + folder + "':$PATH sh commands");
  ASSERT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output,
              testing::AllOf(HasSubstr("Baujahr"), HasSubstr("date"), HasSubstr("training:   R² 1.0")));
  const std::string answers = read("answers.csv");
  EXPECT_EQ(std::ranges::count(answers, '\n'), 8);
  EXPECT_THAT(answers, testing::Not(HasSubstr("NA")));
}

// Less than sixty lines of a user's code each.
TEST(Recipes, AreShort) {
  const std::string page = test::contents(GRADUS_SOURCE_DIR "/docs/recipes.md");
  std::size_t blocks = 0;
  for (std::size_t at = page.find("\n<!-- "); at != std::string::npos; at = page.find("\n<!-- ", at + 1)) {
    const std::string block = block_after(page, page.substr(at, page.find("-->", at) - at));
    EXPECT_LE(std::ranges::count(block, '\n'), 60) << block;
    ++blocks;
  }
  EXPECT_GE(blocks, 17U);
  for (const char* elsewhere : {"sort", "own_siamese", "xtensor_model"})
    EXPECT_LE(std::ranges::count(test::contents(GRADUS_SNIPPETS "/" + std::string(elsewhere) + ".cpp"), '\n'),
              60)
        << elsewhere;
}

}  // namespace
}  // namespace gradus
