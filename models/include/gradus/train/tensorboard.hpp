#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradus/train/callback.hpp"

namespace GRADUS_PUBLIC gradus {

/// An image for TensorBoard.
struct TensorboardImage {
  std::string tag;                   ///< the title under which it is shown
  std::int64_t height = 0;           ///< in pixels
  std::int64_t width = 0;            ///< in pixels
  std::int64_t channels = 1;         ///< 1 for grey, 3 for red, green and blue
  std::vector<std::uint8_t> pixels;  ///< height x width x channels, from the top
};

/// Images of numbers: `values` is count x height x width, and each tile is drawn from its least number,
/// black, to its largest, white, `columns` of them in a row with a line of black between. Error unless that
/// fits.
TensorboardImage grey_tiles(std::string tag, std::span<const double> values, std::int64_t height,
                            std::int64_t width, std::int64_t columns = 1);

/// Options of `tensorboard`.
struct TensorboardOptions {
  std::int64_t histograms = 1;  ///< after so many epochs: of parameters and running means; 0: none
  bool gradients = true;        ///< with these, of the gradients over the first batch of the epoch, too
  std::int64_t matrices = 1;    ///< after so many epochs: parameters that are matrices, as images; 0: none
  bool graph = true;            ///< the graph of the loss
  /// Images of one's own after every epoch, such as filters of a layer, or answers to samples.
  std::function<std::vector<TensorboardImage>(Training&)> images = {};
};
/// Writes events for TensorBoard into a folder, a file for each `fit`: after every epoch the scores and the
/// learning rate, and what the options say. A step is an epoch, from 0. What a resumed training writes goes
/// on where the checkpoint was made; one that begins anew stands in the place of what the folder had. Give
/// each training that is to be compared a folder of its own: `tensorboard --logdir runs` shows those in
/// runs/. Error when the folder cannot be written.
std::shared_ptr<Callback> tensorboard(const std::string& folder, const TensorboardOptions& options = {});

}  // namespace gradus
