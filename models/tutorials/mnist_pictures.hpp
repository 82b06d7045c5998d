#pragma once

#include <vector>

#include "gradus/data/mnist.hpp"
#include "gradus/train/tensorboard.hpp"
#include "models/app/plot/picture.hpp"

namespace gradus {

/// Confusion matrix and the worst mistakes, by the logits [count, 10] of the test images, and the first
/// layer's weights [784, units] as images.
std::vector<Picture> mnist_pictures(const Digits& test, const std::vector<double>& logits,
                                    const std::vector<double>& weights);

/// The weights of each unit of the first layer, 28 x 28 pixels a unit, for TensorBoard.
TensorboardImage first_layer_image(const std::vector<double>& weights);

}  // namespace gradus
