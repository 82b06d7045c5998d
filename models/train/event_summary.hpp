#pragma once

#include <span>
#include <string>

#include "gradus/train/model.hpp"
#include "gradus/train/tensorboard.hpp"
#include "models/train/protobuf.hpp"

/// The contents of events of TensorBoard: the fields of an Event beside its time and step.
namespace gradus {

/// The beginning of a training: what an earlier one wrote for this step or later ones counts no more.
ProtobufMessage session_event();

/// A number, a histogram of numbers, an image.
ProtobufMessage scalar_event(const std::string& tag, double value);
/// In 30 buckets of equal width; numbers that are not finite are left out.
ProtobufMessage histogram_event(const std::string& tag, std::span<const double> values);
/// Error naming the image when its pixels are not as many as it says.
ProtobufMessage image_event(const TensorboardImage& image);

/// The graph of the loss, as TensorFlow's GraphDef: named nodes keep their names, others are in the scope of
/// their layer.
ProtobufMessage graph_event(const ModelGraph& model);

}  // namespace gradus
