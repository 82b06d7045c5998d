#pragma once

#include <optional>
#include <string>

#include "models/tutorials/tutorial.hpp"

/// The command `export`, which no_onnx.cpp has instead where gradus is built without ONNX.
namespace gradus::cli {

struct ExportOptions {
  std::string model;  ///< a tutorial's name, or a file that 'train mlp --save' wrote
  std::string onnx;   ///< file to write
  std::optional<Precision> precision = {};
};
int export_model(const ExportOptions& options);

}  // namespace gradus::cli
