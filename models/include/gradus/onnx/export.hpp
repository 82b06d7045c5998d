#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "gradus/graph/graph.hpp"
#include "gradus/runtime/store.hpp"

namespace GRADUS_PUBLIC gradus {

/// A result of an exported graph. Without a name it gets its node's, or "output".
struct OnnxOutput {
  Expr value;             ///< what is computed
  std::string name = {};  ///< what it is called in the file
};

/// Options of the export.
struct OnnxOptions {
  std::string graph_name = "gradus";                 ///< of the graph
  std::map<std::string, std::string> metadata = {};  ///< texts for whoever reads it
};

/// The graph that the outputs are computed by, as it was written, in ONNX (opset 17). Inputs have their names
/// and an open batch, variables are initializers with their values in the store, named nodes keep their
/// names. Computes in T. Error, naming the op and its place, for one that has no spelling
/// (Op::onnx_spelling); and for a variable that the store lacks, outputs of different graphs, a name given
/// twice, or more than the 2 GB that protobuf can write.
template <class T>
std::string onnx_model(std::span<const OnnxOutput> outputs, const Store<T>& store,
                       const OnnxOptions& options = {});

/// Writes a graph to a file in ONNX, as onnx_model makes it, atomically (see write_atomically).
template <class T>
void export_onnx(const std::filesystem::path& path, std::span<const OnnxOutput> outputs,
                 const Store<T>& store, const OnnxOptions& options = {});

/// The same of outputs in braces.
template <class T>
void export_onnx(const std::filesystem::path& path, std::initializer_list<OnnxOutput> outputs,
                 const Store<T>& store, const OnnxOptions& options = {}) {
  export_onnx(path, std::span(outputs.begin(), outputs.size()), store, options);
}

}  // namespace gradus
