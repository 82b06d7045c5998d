// Event files, read by a decoder of the tests' own; tests/interop/tensorboard_check.py has TensorBoard read
// them.
#include "gradus/train/tensorboard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <set>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "models/train/event_file.hpp"
#include "models/train/event_summary.hpp"
#include "snippets/tensorboard_images.cpp"
#include "tests/support/errors.hpp"
#include "tests/support/events.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::events_in;
using test::ProtobufFields;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Fields of Event, Summary.Value, HistogramProto, Summary.Image and GraphDef.
constexpr int step = 2, version_text = 3, graph_def = 4, summary = 5, session_log = 7;
constexpr int tag = 1, simple_value = 2, image = 4, histogram = 5;

ModelDefinition model(Optimizer optimizer = sgd({.rate = 0.1})) {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network =
              [](const std::vector<Expr>& in, Mode& mode) {
                const Expr h = tanh(batch_norm(linear(in[0], 4, "hidden"), "norm", mode));
                return linear(dropout(h, 0.1, "drop", mode), 1, "output");
              },
          .loss = mse,
          .metrics = {mean_absolute_error()},
          .optimizer = std::move(optimizer)};
}

Dataset<float> data(std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<double> x(90), t(30);
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = x[3 * i] + 0.3 * random.normal();
  return {30, {x, t}};
}

FitOptions<float> options(Callbacks callbacks, std::int64_t epochs = 4) {
  return {.epochs = epochs,
          .batch = 8,
          .validation_split = 0.2,
          .callbacks = std::move(callbacks),
          .verbose = false};
}

// What a reader sees: values by tag and step, without what a beginning training has put aside.
struct Seen {
  std::map<std::string, std::map<std::int64_t, float>> scalars;
  std::map<std::string, std::map<std::int64_t, std::string>> histograms;
  std::map<std::string, std::map<std::int64_t, std::string>> images;
  std::string graph;
  bool operator==(const Seen&) const = default;
};

template <class V> void forget(std::map<std::string, std::map<std::int64_t, V>>& all, std::int64_t from) {
  for (auto& [name, values] : all) values.erase(values.lower_bound(from), values.end());
  std::erase_if(all, [](const auto& each) { return each.second.empty(); });
}

Seen seen_in(const fs::path& folder) {
  Seen seen;
  for (const ProtobufFields& event : events_in(folder)) {
    const std::int64_t at = event.integer(step);
    if (event.has(session_log)) {
      forget(seen.scalars, at);
      forget(seen.histograms, at);
      forget(seen.images, at);
    }
    if (event.has(graph_def)) seen.graph = event.text(graph_def);
    if (!event.has(summary)) continue;
    const ProtobufFields value = event.message(summary).message(1);
    if (value.has(simple_value)) seen.scalars[value.text(tag)][at] = value.single(simple_value);
    if (value.has(histogram)) seen.histograms[value.text(tag)][at] = value.text(histogram);
    if (value.has(image)) seen.images[value.text(tag)][at] = value.text(image);
  }
  return seen;
}

template <class V> std::vector<std::string> names(const std::map<std::string, V>& all) {
  std::vector<std::string> found;
  for (const auto& [name, values] : all) found.push_back(name);
  return found;
}

class TensorboardTest : public test::FolderTest {
 protected:
  fs::path events(const std::string& name = "events") const { return folder_ / name; }
};

TEST(Crc32c, IsThatOfTheStandard) {
  // RFC 3720, B.4, and the usual check.
  EXPECT_EQ(test::crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(test::crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(test::crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  for (const std::string& text : {std::string(), std::string("123456789"), std::string(1000, 'x')}) {
    const std::uint32_t crc = test::crc32c(text);
    EXPECT_EQ(masked_crc32c(text), static_cast<std::uint32_t>((crc >> 15U | crc << 17U) + 0xA282EAD8U));
  }
}

TEST_F(TensorboardTest, WritesRecordsWithChecksums) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), options({tensorboard(events())}));
  const auto all = events_in(events());
  ASSERT_GT(all.size(), 10U);
  EXPECT_EQ(all[0].text(version_text), "brain.Event:2");
  EXPECT_GT(all[0].number(1), 1e9);  // the time
  EXPECT_EQ(all[1].message(session_log).integer(1), 1);
  const std::string name = fs::directory_iterator(events())->path().filename();
  EXPECT_THAT(name, testing::StartsWith("events.out.tfevents."));
  // The decoder would find what is damaged.
  std::string damaged = read("events/" + name);
  for (const std::size_t at : {0U, 9U, 40U}) {
    damaged[at] ^= 1;
    EXPECT_ANY_THROW(test::records_of(damaged)) << at;
    damaged[at] ^= 1;
  }
}

TEST_F(TensorboardTest, ScalarsAreTheHistory) {
  Trainer<float> trainer(model(), 1);
  const History history =
      trainer.fit(data(), options({schedule(step_decay(0.2, 2, 0.5)), tensorboard(events())}));
  const Seen seen = seen_in(events());
  EXPECT_THAT(names(seen.scalars),
              ElementsAre("loss", "mean_absolute_error", "rate", "val_loss", "val_mean_absolute_error"));
  for (const std::string& name : history.names) {
    const auto course = history.of(name);
    ASSERT_EQ(seen.scalars.at(name).size(), 4U);
    for (std::size_t epoch = 0; epoch < 4; ++epoch)
      EXPECT_EQ(seen.scalars.at(name).at(static_cast<std::int64_t>(epoch)),
                static_cast<float>(course[epoch]));
  }
  EXPECT_EQ(seen.scalars.at("rate"),
            (std::map<std::int64_t, float>{{0, 0.2F}, {1, 0.2F}, {2, 0.1F}, {3, 0.1F}}));
}

TEST_F(TensorboardTest, AnOptimizerWithoutARateHasNone) {
  Trainer<float> trainer(model(rprop()), 1);
  trainer.fit(data(), options({tensorboard(events())}));
  EXPECT_FALSE(seen_in(events()).scalars.contains("rate"));
}

TEST_F(TensorboardTest, HistogramsCountEveryEntry) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), options({tensorboard(events(), {.histograms = 2})}));
  const Seen seen = seen_in(events());
  for (const char* name :
       {"hidden/W", "hidden/b", "output/W", "output/b", "gradients/hidden/W", "gradients/output/b"})
    ASSERT_THAT(names(seen.histograms), Contains(name));
  const auto& at = seen.histograms.at("hidden/W");
  EXPECT_EQ(at.size(), 2U);
  const ProtobufFields found(at.at(3));
  const auto weights = trainer.store().values("hidden/W");
  double sum = 0, squares = 0;
  for (const float w : weights) sum += w, squares += static_cast<double>(w) * w;
  EXPECT_EQ(found.number(1), *std::ranges::min_element(weights));
  EXPECT_EQ(found.number(2), *std::ranges::max_element(weights));
  EXPECT_EQ(found.number(3), 12);
  EXPECT_NEAR(found.number(4), sum, 1e-12);
  EXPECT_NEAR(found.number(5), squares, 1e-12);
  const auto limits = found.numbers(6), buckets = found.numbers(7);
  ASSERT_EQ(limits.size(), buckets.size());
  EXPECT_EQ(limits.back(), found.number(2));
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const double from = i == 0 ? found.number(1) : limits[i - 1];
    const bool last = i + 1 == limits.size();
    const auto inside = std::ranges::count_if(
        weights, [&](double w) { return w >= from && (w < limits[i] || (last && w <= limits[i])); });
    EXPECT_EQ(buckets[i], static_cast<double>(inside)) << i;
  }
}

// Numbers of every size, none, and those that are not finite.
TEST(EventSummary, HistogramsOfAnything) {
  constexpr double large = std::numeric_limits<double>::max(), inf = INFINITY;
  const std::vector<std::vector<double>> cases{
      {}, {3}, {2, 2, 2}, {-large, large, 0}, {0, 5e-324}, {inf, -inf, 1}, {std::nan("")}, {1e300, 2e300}};
  for (const auto& values : cases) {
    const ProtobufFields found(
        ProtobufFields(histogram_event("h", values).bytes()).message(summary).message(1).text(histogram));
    const auto finite = std::ranges::count_if(values, [](double v) { return std::isfinite(v); });
    const auto limits = found.numbers(6), buckets = found.numbers(7);
    EXPECT_EQ(found.number(3), static_cast<double>(finite));
    double all = 0;
    for (const double count : buckets) all += count;
    EXPECT_EQ(all, static_cast<double>(finite));
    EXPECT_TRUE(std::ranges::is_sorted(limits)) << testing::PrintToString(limits);
    for (const double limit : limits) EXPECT_TRUE(std::isfinite(limit));
  }
}

// The pixels of a PNG of ours.
std::string pixels_of(const std::string& png, std::size_t width) {
  const std::size_t at = png.find("IDAT");
  std::string rows(1 << 20, '\0');
  uLongf size = rows.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(rows.data()), &size,
                       reinterpret_cast<const Bytef*>(png.data() + at + 4), png.size() - at - 4),
            Z_OK);
  std::string pixels;
  for (std::size_t row = 0; row < size; row += width + 1) pixels += rows.substr(row + 1, width);
  return pixels;
}

TEST_F(TensorboardTest, ImagesAreMatricesAndOnesOwn) {
  const auto mine = [](Training& training) {
    const auto shade = static_cast<std::uint8_t>(training.epoch());
    return std::vector{TensorboardImage{"mine", 1, 2, 3, {1, 2, 3, 4, 5, shade}}};
  };
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), options({tensorboard(events(), {.images = mine})}));
  const Seen seen = seen_in(events());
  EXPECT_THAT(names(seen.images), ElementsAre("matrices/hidden/W", "matrices/output/W", "mine"));
  const ProtobufFields own(seen.images.at("mine").at(3));
  EXPECT_EQ(own.integer(1), 1);
  EXPECT_EQ(own.integer(2), 2);
  EXPECT_EQ(own.integer(3), 3);
  EXPECT_EQ(pixels_of(own.text(4), 6), "\1\2\3\4\5\3");
  const ProtobufFields matrix(seen.images.at("matrices/hidden/W").at(3));
  EXPECT_EQ(matrix.integer(1), 3);
  EXPECT_EQ(matrix.integer(2), 4);
  const std::string pixels = pixels_of(matrix.text(4), 4);
  const auto weights = trainer.store().values("hidden/W");
  const auto [min, max] = std::ranges::minmax_element(weights);
  EXPECT_EQ(pixels[static_cast<std::size_t>(min - weights.begin())], '\0');
  EXPECT_EQ(pixels[static_cast<std::size_t>(max - weights.begin())], '\xFF');
}

TEST_F(TensorboardTest, TheGuideShowsStrokes) {
  auto strokes = model();
  strokes.inputs = {{"x", {B, 2}}};
  strokes.target = {"t", {B, 784}};
  strokes.network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 784, "decoder"); };
  Trainer<float> trainer(strokes, 1);
  trainer.fit({2, {{1, 0, 0, 1}, std::vector<double>(1568, 0.5)}},
              {.epochs = 10, .callbacks = {with_strokes(events().string())}, .verbose = false});
  const Seen seen = seen_in(events());
  EXPECT_EQ(ProtobufFields(seen.images.at("strokes").at(9)).integer(2), 57);
  EXPECT_EQ(seen.histograms.at("decoder/W").size(), 1U);
}

TEST(GreyTiles, AreSideBySide) {
  const std::vector<double> numbers{0, 1, 5, 5, -1e308, 1e308};
  const TensorboardImage tiles = grey_tiles("t", numbers, 1, 2, 2);
  EXPECT_EQ(tiles.height, 3);
  EXPECT_EQ(tiles.width, 5);
  EXPECT_THAT(tiles.pixels, ElementsAre(0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0));
  EXPECT_THAT(error_of([&] { grey_tiles("t", numbers, 2, 2); }), HasSubstr("'t' has 6 numbers"));
  EXPECT_THAT(error_of([&] { grey_tiles("t", {}, 2, 2); }), HasSubstr("'t' has 0 numbers"));
  EXPECT_THAT(error_of([&] { grey_tiles("t", numbers, 0, 2); }), HasSubstr("no tiles of 0 x 2"));
  EXPECT_THAT(
      error_of([&] {
        image_event({"i", 2, 2, 1, {1, 2, 3}});
      }),
      HasSubstr("the image 'i': PNG: an image of 2 x 2 pixels and 1 channels takes 4 values; it has 3"));
  EXPECT_THAT(error_of([&] { image_event({"i", 1, 1, 2, {1, 2}}); }), HasSubstr("1 or 3 channels"));
}

TEST_F(TensorboardTest, TheGraphHoldsTogether) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), options({tensorboard(events())}));
  const ProtobufFields graph(seen_in(events()).graph);
  std::vector<std::string> known, ops;
  for (const std::string& bytes : graph.texts(1)) {
    const ProtobufFields node(bytes);
    for (const std::string& input : node.texts(3)) EXPECT_THAT(known, Contains(input)) << node.text(1);
    EXPECT_THAT(known, testing::Not(Contains(node.text(1))));
    EXPECT_THAT(node.text(1), testing::MatchesRegex("[A-Za-z0-9.][A-Za-z0-9_./-]*"));
    known.push_back(node.text(1));
    ops.push_back(node.text(2));
  }
  for (const char* name : {"x", "t", "hidden/W", "output/b"}) EXPECT_THAT(known, Contains(name));
  for (const char* op : {"Placeholder", "VariableV2", "matmul", "tanh"}) EXPECT_THAT(ops, Contains(op));
}

// A label that looks like a name that was made for another.
TEST_F(TensorboardTest, NamesThatWereMadeAreTakenToo) {
  for (NodeId first = 0; first < 12; ++first) {
    auto odd = model();
    odd.network = [&](const std::vector<Expr>& in, Mode&) {
      Expr sum = linear(in[0], 1, "layer");
      for (NodeId id = first; id < first + 20; ++id) sum = named(tanh(sum), "a_" + std::to_string(id));
      for (const char* label : {"a:", "a ", "a!", "a?", "a_"}) sum = named(tanh(sum), label);
      return sum;
    };
    const fs::path folder = events("from" + std::to_string(first));
    Trainer<float> trainer(odd, 1);
    trainer.fit(data(), options({tensorboard(folder)}));
    std::set<std::string> known;
    for (const std::string& bytes : ProtobufFields(seen_in(folder).graph).texts(1))
      EXPECT_TRUE(known.insert(ProtobufFields(bytes).text(1)).second) << ProtobufFields(bytes).text(1);
  }
}

// Names sort as files were begun, though process ids do not.
TEST_F(TensorboardTest, FilesSortAsTheyWereBegun) {
  std::vector<std::string> begun;
  for (int i = 0; i < 12; ++i) {
    Trainer<float> trainer(model(), 1);
    trainer.fit(data(), options({tensorboard(events())}));
    for (const auto& entry : fs::directory_iterator(events()))
      if (std::ranges::count(begun, entry.path().filename().string()) == 0)
        begun.push_back(entry.path().filename());
  }
  EXPECT_EQ(begun.size(), 12U);
  EXPECT_TRUE(std::ranges::is_sorted(begun));
  EXPECT_THAT(begun.front(),
              testing::ContainsRegex("tfevents\\.[0-9]{10}\\.[0-9]{6}\\..*\\.[0-9]{10}\\.[0-9]{6}$"));
}

// Names that TensorFlow does not allow, and two that become one.
TEST_F(TensorboardTest, NamesAreMadeAllowable) {
  auto odd = model();
  odd.network = [](const std::vector<Expr>& in, Mode&) {
    return linear(named(linear(in[0], 4, "a b"), "_ünd"), 1, "a:b") + linear(in[0], 1, "a_b");
  };
  Trainer<float> trainer(odd, 1);
  trainer.fit(data(), options({tensorboard(events())}));
  std::vector<std::string> known;
  for (const std::string& bytes : ProtobufFields(seen_in(events()).graph).texts(1))
    known.push_back(ProtobufFields(bytes).text(1));
  for (const std::string& name : known) {
    EXPECT_THAT(name, testing::MatchesRegex("[A-Za-z0-9.][A-Za-z0-9_./-]*"));
    EXPECT_EQ(std::ranges::count(known, name), 1) << name;
  }
}

TEST_F(TensorboardTest, OptionsLeaveThingsOut) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), options({tensorboard(events(), {.histograms = 0, .matrices = 0, .graph = false})}));
  const Seen seen = seen_in(events());
  EXPECT_EQ(seen.histograms.size() + seen.images.size() + seen.graph.size(), 0U);
  trainer.fit(data(), options({tensorboard(events("b"), {.gradients = false})}));
  for (const std::string& name : names(seen_in(events("b")).histograms))
    EXPECT_THAT(name, testing::Not(testing::StartsWith("gradients/")));
}

// Two fits with one object, and one object twice.
TEST_F(TensorboardTest, UsedAgainItIsAsNew) {
  const auto shared = tensorboard(events("shared"));
  Trainer<float> first(model(), 1), second(model(), 2), other(model(), 2);
  first.fit(data(1), options({shared}, 6));
  second.fit(data(2), options({shared, shared}));
  other.fit(data(2), options({tensorboard(events("fresh"))}));
  EXPECT_EQ(seen_in(events("shared")), seen_in(events("fresh")));
  EXPECT_EQ(std::distance(fs::directory_iterator(events("shared")), {}), 3);
}

// Killed after its fourth epoch, resumed from the second.
TEST_F(TensorboardTest, AResumedTrainingGoesOn) {
  Trainer<float> whole(model(), 1), killed(model(), 1), resumed(model(), 1);
  whole.fit(data(), options({tensorboard(events("whole"))}, 6));
  const auto stop = on_epoch_end([](Training& training) {
    if (training.epoch() == 3) throw Error("killed");
  });
  error_of([&] {
    killed.fit(data(), options({tensorboard(events("parts")), checkpoint(file("c{epoch}")), stop}, 6));
  });
  resumed.resume(file("c2"));
  resumed.fit(data(), options({tensorboard(events("parts"))}, 6));
  EXPECT_EQ(seen_in(events("parts")), seen_in(events("whole")));
}

// Nothing that it looks at changes the training.
TEST_F(TensorboardTest, TheTrainingIsTheSame) {
  Trainer<float> with(model(adam().clip_norm(1)), 1), without(model(adam().clip_norm(1)), 1);
  const auto a = with.fit(data(), options({tensorboard(events())}));
  const auto b = without.fit(data(), options({}));
  EXPECT_EQ(a.epochs, b.epochs);
  for (const std::string& name : without.store().names())
    EXPECT_TRUE(std::ranges::equal(with.store().values(name), without.store().values(name))) << name;
}

TEST_F(TensorboardTest, RefusesWhatCannotBe) {
  write("events", "a file");
  Trainer<float> trainer(model(), 1);
  EXPECT_THAT(
      error_of([&] { trainer.fit(data(), options({tensorboard(events())})); }),
      AllOf(HasSubstr("events: the folder cannot be made"), HasSubstr("there is a file of this name")));
  EXPECT_THAT(error_of([&] { tensorboard("f", {.histograms = -1}); }),
              HasSubstr("histograms after -1 epochs"));
  EXPECT_THAT(error_of([&] { tensorboard("f", {.matrices = -2}); }), HasSubstr("matrices after -2"));
}

}  // namespace
}  // namespace gradus
