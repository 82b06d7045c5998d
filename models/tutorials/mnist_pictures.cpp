#include "models/tutorials/mnist_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus {

namespace {

constexpr std::size_t digit_count = 10;
constexpr std::int64_t side = 28;
constexpr std::size_t image_size = side * side;

struct Mistake {
  std::size_t image;
  std::size_t label;
  std::size_t answer;
  double probability;  ///< that the network gave its answer
};

// The weights of every unit of the first layer, one behind the other.
std::vector<double> by_unit(const std::vector<double>& weights) {
  const std::size_t units = weights.size() / image_size;
  std::vector<double> turned;
  for (std::size_t unit = 0; unit < units; ++unit)
    for (std::size_t p = 0; p < image_size; ++p) turned.push_back(weights[p * units + unit]);
  return turned;
}

}  // namespace

TensorboardImage first_layer_image(const std::vector<double>& weights) {
  constexpr std::int64_t columns = 16;
  return grey_tiles("first layer", by_unit(weights), side, side, columns);
}

std::vector<Picture> mnist_pictures(const Digits& test, const std::vector<double>& logits,
                                    const std::vector<double>& weights) {
  Confusion confusion{{}, std::vector<std::int64_t>(digit_count * digit_count, 0)};
  for (std::size_t i = 0; i < digit_count; ++i) confusion.labels.push_back(fmt::format("{}", i));
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i * digit_count < logits.size(); ++i) {
    const double* row = &logits[i * digit_count];
    const double* best = std::max_element(row, row + digit_count);
    const auto answer = static_cast<std::size_t>(best - row);
    const std::size_t label = test.labels[i];
    ++confusion.counts[label * digit_count + answer];
    double total = 0;
    for (std::size_t k = 0; k < digit_count; ++k) total += std::exp(row[k] - *best);
    if (answer != label) mistakes.push_back({i, label, answer, 1 / total});
  }
  constexpr std::size_t shown = 25;
  std::ranges::stable_sort(mistakes, std::ranges::greater(), &Mistake::probability);
  mistakes.resize(std::min(mistakes.size(), shown));
  Tiles worst{
      .columns = 5, .width = side, .height = side, .images = {}, .texts = {}, .value = {"ink"}, .ink = true};
  for (const Mistake& m : mistakes) {
    const auto* image = &test.pixels[m.image * image_size];
    worst.images.emplace_back(image, image + image_size);
    // Rounded down: what is not certain is not printed as 100 %.
    worst.texts.push_back(
        fmt::format("{} as {}: {:.2f} %", m.label, m.answer, std::floor(1e4 * m.probability) / 100));
  }
  const std::size_t units = weights.size() / image_size;
  Tiles layer{.columns = 16,
              .width = side,
              .height = side,
              .images = {},
              .texts = {},
              .value = {"weight (no unit; a few larger ones)"}};
  const std::vector<double> turned = by_unit(weights);
  for (std::size_t unit = 0; unit < units; ++unit)
    layer.images.emplace_back(&turned[unit * image_size], &turned[unit * image_size] + image_size);
  std::vector<Picture> pictures{{"confusion", "Which digits are taken for which (test images)",
                                 "Framed: right answers. The darker another cell, the more often the row's "
                                 "digit was taken for the column's.",
                                 confusion}};
  if (!worst.images.empty())
    pictures.push_back({"mistakes", fmt::format("The {} worst mistakes", worst.images.size()),
                        "Test images that were taken for another digit with the highest probability, the "
                        "worst first: the label, the answer, its probability.",
                        worst});
  pictures.push_back(
      {"weights", fmt::format("The first layer's weights: what each of its {} units looks for", units),
       "An image a unit, a pixel a weight: where ink speaks for the unit (light) and against it (dark).",
       layer});
  return pictures;
}

}  // namespace gradus
