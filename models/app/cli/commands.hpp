#pragma once

#include <optional>
#include <string>

#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "models/app/table/fit_table.hpp"
#include "models/tutorials/tutorial.hpp"

/// The subcommands of the program `gradus`. Each returns the exit status; Error for what it cannot do.
namespace gradus::cli {

int list();

struct TutorialsOptions {
  std::string json;  ///< file to write, or empty
  ReproduceOptions reproduce;
};
int tutorials(const TutorialsOptions& options);

/// `out`: the folder for pictures and report, or empty.
int train(const std::string& name, TrainOptions options, const std::string& out);

/// What `gradus train mlp` takes beside the options of `train`.
struct MlpOptions {
  TableOptions table;
  std::string optimizer = "adam";
  double momentum = 0;
  double weight_decay = 0;
  double clip_norm = 0;
  double clip_value = 0;
};
int train_mlp(MlpOptions options, const TrainOptions& shared, const std::string& out);

struct PredictOptions {
  std::string model;
  std::string data;
  std::string output;  ///< or empty: the standard output
  char delimiter = ',';
};
int predict(const PredictOptions& options);

struct CheckOptions {
  std::string name;
  std::string mode;  ///< full, fast, or empty: full up to 200 parameters
  int order = 1;
  std::string json;  ///< file to write, or empty
};
int check(const CheckOptions& options);

struct GraphOptions {
  std::string name;
  std::string what = "training";  ///< forward, training, stages or plan
  std::string format = "text";    ///< text, dot or svg
  std::size_t boxes = DrawOptions().most_boxes;
};
int graph(const GraphOptions& options);

struct ProfileOptions {
  std::string name;
  std::int64_t batch = 0;  ///< 0: the tutorial's
  std::size_t runs = 1000;
  Precision precision = Precision::single;
  std::string json;  ///< files to write, or empty
  std::string svg;
};
int profile(const ProfileOptions& options);

struct ExportOptions {
  std::string model;  ///< a tutorial's name, or a file that 'train mlp --save' wrote
  std::string onnx;   ///< file to write
  std::optional<Precision> precision = {};
};
int export_model(const ExportOptions& options);

}  // namespace gradus::cli
