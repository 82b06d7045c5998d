#include "gradus/train/tensorboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/train/model.hpp"
#include "models/train/event_file.hpp"
#include "models/train/event_summary.hpp"

namespace gradus {

namespace {

// The shades of one tile's numbers; those that are not finite are black.
std::vector<std::uint8_t> shades(std::span<const double> values) {
  double min = std::numeric_limits<double>::infinity(), max = -min;
  for (const double v : values)
    if (std::isfinite(v)) min = std::min(min, v), max = std::max(max, v);
  std::vector<std::uint8_t> made;
  constexpr double white = 255;
  const double half = max / 2 - min / 2;  // max - min may overflow
  for (const double v : values) {
    const bool is_shown = std::isfinite(v) && half > 0;
    made.push_back(is_shown ? static_cast<std::uint8_t>(std::lround(white * ((v / 2 - min / 2) / half))) : 0);
  }
  return made;
}

class Tensorboard final : public PerFit<Tensorboard> {
 public:
  Tensorboard(std::string folder, TensorboardOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {
    if (options_.histograms < 0 || options_.matrices < 0)
      throw Error(
          fmt::format("tensorboard: histograms after {} epochs and matrices after {}; neither may be "
                      "negative",
                      options_.histograms, options_.matrices));
  }

  void on_train_begin(Training& training) override {
    file_ = std::make_shared<EventFile>(folder_);
    file_->write(training.epoch(), session_event());
    if (options_.graph) file_->write(training.epoch(), graph_event(training.graph()));
    file_->flush();
  }

  void on_epoch_end(Training& training) override {
    const std::int64_t epoch = training.epoch();
    const Scores& scores = training.scores();
    for (std::size_t i = 0; i < scores.names.size(); ++i)
      file_->write(epoch, scalar_event(scores.names[i], scores.values[i]));
    if (training.has_rate()) file_->write(epoch, scalar_event("rate", training.rate()));
    const auto is_due = [&](std::int64_t every) { return every > 0 && (epoch + 1) % every == 0; };
    if (is_due(options_.histograms)) write_histograms(training);
    if (is_due(options_.matrices)) write_matrices(training);
    if (options_.images)
      for (const TensorboardImage& image : options_.images(training)) file_->write(epoch, image_event(image));
    file_->flush();
  }

 private:
  void write_histograms(Training& training) {
    for (const auto& [name, values] : training.weights())
      file_->write(training.epoch(), histogram_event(name, values));
    if (!options_.gradients) return;
    for (const auto& [name, values] : training.gradients())
      file_->write(training.epoch(), histogram_event("gradients/" + name, values));
  }

  void write_matrices(Training& training) {
    constexpr std::int64_t most = 1024;  // pixels each way
    const NamedValues weights = training.weights();
    const Graph& graph = training.graph().graph;
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Variable* variable = graph[id].variable();
      if (variable == nullptr || !variable->trainable || graph[id].shape.rank() != 2) continue;
      const Extents extents = graph[id].shape.resolve({});
      const auto found = weights.find(variable->name);
      if (found == weights.end() || extents[0] > most || extents[1] > most) continue;
      // TensorBoard shows one kind of thing under a tag, and the histogram has the name.
      file_->write(training.epoch(), image_event(grey_tiles("matrices/" + variable->name, found->second,
                                                            extents[0], extents[1])));
    }
  }

  std::string folder_;
  TensorboardOptions options_;
  std::shared_ptr<EventFile> file_;  // of this fit
};

}  // namespace

TensorboardImage grey_tiles(std::string tag, std::span<const double> values, std::int64_t height,
                            std::int64_t width, std::int64_t columns) {
  const std::int64_t size = height * width, count = size > 0 ? std::ssize(values) / size : 0;
  if (height < 1 || width < 1 || columns < 1 || count < 1 || count * size != std::ssize(values))
    throw Error(fmt::format("grey_tiles: '{}' has {} numbers, which are no tiles of {} x {} in {} columns",
                            tag, std::ssize(values), height, width, columns));
  const std::int64_t across = std::min(columns, count), down = (count + across - 1) / across;
  TensorboardImage image{std::move(tag), down * (height + 1) - 1, across * (width + 1) - 1, 1, {}};
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width));
  for (std::int64_t tile = 0; tile < count; ++tile) {
    const auto made =
        shades(values.subspan(static_cast<std::size_t>(tile * size), static_cast<std::size_t>(size)));
    const std::int64_t top = tile / across * (height + 1), left = tile % across * (width + 1);
    for (std::int64_t row = 0; row < height; ++row)
      std::copy_n(made.begin() + row * width, width, image.pixels.begin() + (top + row) * image.width + left);
  }
  return image;
}

std::shared_ptr<Callback> tensorboard(const std::string& folder, const TensorboardOptions& options) {
  return std::make_shared<Tensorboard>(folder, options);
}

}  // namespace gradus
