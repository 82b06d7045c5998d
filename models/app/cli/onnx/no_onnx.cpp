// A build without the ONNX component.
#include "gradus/base/error.hpp"
#include "models/app/cli/onnx/export.hpp"

namespace gradus::cli {

int export_model(const ExportOptions&) {
  throw Error(
      "export: this gradus was built without ONNX; install libonnx-dev and libprotobuf-dev and build it "
      "again");
}

}  // namespace gradus::cli
