#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// One sigmoid neuron, forward only.
const Tutorial& neuron();
/// 2-2-1 sigmoid, forward only.
const Tutorial& feedforward();
/// 2-2-1 sigmoid: tells female from male by weight and height, one sample at a time.
const Tutorial& height_weight();
/// 2-2-2 sigmoid with untrained biases: two inputs to two targets.
const Tutorial& two_targets();
/// 2-3-1 sigmoid without biases: hours studied and slept to an exam score.
const Tutorial& exam_score();
/// n-h-o sigmoid, whole batch as matrices, shown on XOR.
const Tutorial& bp_network();
/// 784-128-10: relu, softmax, cross-entropy, Adam.
const Tutorial& mnist();
/// 1-25-1, sigmoid then linear: fits 20 sin 2πx.
const Tutorial& sine();

}  // namespace gradus
