#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <map>

#include "gradus/data/option_error.hpp"
#include "gradus/version.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/fetch/fetch.hpp"
#include "models/app/cli/inspect.hpp"
#include "models/app/cli/mlp.hpp"
#include "models/app/cli/onnx/export.hpp"
#include "models/app/cli/profile.hpp"
#include "models/app/cli/tutorials.hpp"
#include "models/app/table/table_network.hpp"

namespace {

using gradus::Precision;
using namespace gradus::cli;

const std::map<std::string, Precision> precisions{{"float", Precision::single},
                                                  {"double", Precision::double_}};

template <class Target>
CLI::Option* add_precision(CLI::App* command, Target& precision, const std::string& help) {
  return command
      ->add_option_function<std::string>(
          "--precision", [&precision](const std::string& name) { precision = precisions.at(name); }, help)
      ->check(CLI::IsMember({"float", "double"}));
}

CLI::Option* add_data(CLI::App* command, std::string& data) {
  return command->add_option(
      "--data", data, "Folder of the MNIST files (else $GRADUS_MNIST, ./data/mnist, ~/.cache/gradus/mnist)");
}

// An option that takes one character, or the name of one that is hard to type.
template <class Take>
void add_character(CLI::App* command, const std::string& option, Take take, const std::string& help) {
  command->add_option_function<std::string>(
      option,
      [option, take](const std::string& text) {
        const std::string one = text == "tab" || text == "\\t" ? "\t" : text == "space" ? " " : text;
        if (one.size() != 1 || one == "\"" || one == "\n" || one[0] < 0)
          throw CLI::ValidationError(option, "expected one character, tab or space, not '" + text + "'");
        take(one[0]);
      },
      help);
}

// How a CSV file is written. `Character` is char, or one that may be left to the model.
template <class Character>
void add_format(CLI::App* command, Character& delimiter, Character& decimal, Character& thousands,
                std::vector<std::string>& na, const std::string& by_default) {
  add_character(
      command, "--delimiter", [&delimiter](char c) { delimiter = c; },
      "What separates the columns" + (by_default.empty() ? " (default ,)" : by_default));
  add_character(
      command, "--decimal", [&decimal](char c) { decimal = c; },
      "The decimal sign of numbers" + (by_default.empty() ? " (default .)" : by_default));
  add_character(
      command, "--thousands", [&thousands](char c) { thousands = c; },
      "What separates groups of three digits" + (by_default.empty() ? " (default: nothing)" : by_default));
  command->add_option("--na", na, "Words for missing values, as NA,?,unknown")->delimiter(',');
}

void add_files(CLI::App* command, gradus::TrainingFiles& files) {
  command->add_option("--history", files.history,
                      "Write the scores of every epoch to this .json or .csv file");
  command->add_option("--tensorboard", files.tensorboard,
                      "Write scores, histograms, images and the graph into this folder, for TensorBoard");
  command->add_option("--checkpoint", files.checkpoint, "Write everything to this file after every epoch");
  command->add_option("--checkpoint-steps", files.checkpoint_steps, "… and after every so many steps")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--resume", files.resume, "Go on from the checkpoint, bit for bit, if there is one");
}

// The options of every training, for a tutorial and for a table; `whose` are the defaults before those of
// mlp.
void add_training(CLI::App* command, gradus::TrainOptions& options, std::string& out,
                  const std::string& whose) {
  const std::string rate = whose.empty() ? "the optimizer's" : "the tutorial's or the optimizer's";
  const std::string precision = whose.empty() ? "float" : "double; mnist, mlp: float";
  command->add_option("--epochs", options.epochs, "Passes over the data (default: " + whose + "100)");
  command->add_option("--rate", options.rate, "Learning rate (default: " + rate + ")");
  command->add_option("--batch", options.batch, "Samples a step (default: " + whose + "32)");
  command->add_option("--seed", options.seed, "Of starting weights and shuffling")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--threads", options.threads, "Of a step: for large layers and batches")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  add_precision(command, options.precision, "float or double (default " + precision + ")");
  add_files(command, options.files);
  command->add_option(
      "--out", out, "Leave pictures (SVG and PNG) and report.html in this folder (by gnuplot and graphviz)");
}

// The options that say which table it is and how it is read.
void add_table(CLI::App* command, gradus::TableOptions& table) {
  command
      ->add_option(
          "--data,--csv", table.data,
          "The table: CSV with the columns' names in its first line, .npy (columns are c1, c2, …) or "
          ".npz (arrays are columns)")
      ->required();
  command->add_option("--target", table.target, "The column to be predicted")->required();
  command->add_option("--features", table.features, "The columns to predict from (default: all others)")
      ->delimiter(',');
  command->add_option("--text", table.text, "Number columns that are categories")->delimiter(',');
  command->add_option("--exclude", table.exclude, "Columns that are not to be predicted from")
      ->delimiter(',');
  command->add_option("--weight", table.weight,
                      "A column of numbers that multiply the rows' losses; no feature then");
  command
      ->add_option_function<std::string>(
          "--class-weight",
          [&table](const std::string&) { table.class_weights = gradus::ClassWeights::balanced; },
          "balanced: in the loss each class counts as much as any other, however many rows it has")
      ->check(CLI::IsMember({"balanced"}));
  auto& format = table.format;
  add_format(command, format.delimiter, format.style.decimal, format.style.thousands, format.na, "");
  command->add_flag("!--no-header", format.header, "The CSV begins with a row; columns are c1, c2, …");
  const std::map<std::string, gradus::Missing> missing{{"error", gradus::Missing::error},
                                                       {"drop", gradus::Missing::drop},
                                                       {"mean", gradus::Missing::mean},
                                                       {"level", gradus::Missing::level}};
  command
      ->add_option_function<std::string>(
          "--missing", [&table, missing](const std::string& name) { table.missing = missing.at(name); },
          "Rows that lack a value: error, drop them, take the mean (of text the most frequent), or make it a "
          "level of its own (default error)")
      ->check(CLI::IsMember({"error", "drop", "mean", "level"}));
  command->add_flag("--strict", table.strict, "A level that only validation rows have is an error");
  auto* classify = command->add_flag_callback(
      "--classify", [&table] { table.task = gradus::Task::classify; }, "The target's values are classes");
  command
      ->add_flag_callback(
          "--regress", [&table] { table.task = gradus::Task::regress; },
          "The target's values are numbers (default: text is classified, numbers are regressed)")
      ->excludes(classify);
}

// The options of the network that is trained on it.
void add_network(CLI::App* command, gradus::TableOptions& table) {
  command
      ->add_option_function<std::vector<std::int64_t>>(
          "--hidden",
          [&table](const std::vector<std::int64_t>& units) {
            table.hidden = units == std::vector<std::int64_t>{0} ? std::vector<std::int64_t>{} : units;
            if (std::ranges::count(table.hidden, 0) > 0)
              throw CLI::ValidationError("--hidden",
                                         "a layer of 0 units lets nothing through; 0 alone is a linear "
                                         "model");
          },
          "Units of the hidden layers (default 32); 0: none, a linear model")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 16));
  command->add_option("--activation", table.activation, "Of the hidden layers")
      ->check(CLI::IsMember(gradus::activation_names()))
      ->capture_default_str();
  command->add_option("--norm", table.normalization, "Normalise hidden layers: batch or layer")
      ->check(CLI::IsMember({"batch", "layer"}));
  command->add_option("--dropout", table.dropout, "Of hidden units, in [0, 1)")->check(CLI::Range(0.0, 0.99));
  command->add_flag("!--raw", table.standardize, "Do not standardise number columns");
}

void add_mlp(CLI::App* train, MlpOptions& options, gradus::TrainOptions& shared, std::string& out,
             int& status) {
  auto* command = train->add_subcommand("mlp", "Train a network on a table of your own");
  auto& table = options.table;
  add_table(command, table);
  add_network(command, table);
  command
      ->add_option("--validation-split", table.validation_split, "The part of the rows kept for validation")
      ->capture_default_str();
  command->add_flag("--in-order", table.in_order, "Keep the last rows, not a random choice");
  command->add_flag("--stratify", table.stratify, "Keep the same part of each class for validation");
  command->add_option("--patience", table.patience, "Stop when val_loss has not improved for so many epochs")
      ->check(CLI::NonNegativeNumber);
  add_training(command, shared, out, "");
  command->add_option("--optimizer", options.optimizer, "adam, nadam, sgd, rmsprop, adagrad or rprop")
      ->capture_default_str();
  command->add_option("--momentum", options.momentum, "Of sgd or rmsprop");
  command->add_option("--weight-decay", options.weight_decay, "Decoupled; a fraction of the rate");
  command->add_option("--clip-norm", options.clip_norm, "Largest norm of all gradients");
  command->add_option("--clip-value", options.clip_value, "Largest entry of a gradient");
  command->add_option("--save", table.save, "Write the model here, for 'gradus predict'");
  command->callback([train, &options, &shared, &out, &status] {
    for (const char* own : {"name", "--data", "--init-scale"})
      if (train->count(own) > 0)
        throw CLI::ValidationError(own, "it is a tutorial's; leave it out before mlp");
    status = train_mlp(options, shared, out);
  });
}

void add_train(CLI::App& app, std::string& name, gradus::TrainOptions& options, MlpOptions& mlp,
               std::string& out, const std::string& typed, int& status) {
  auto* command = app.add_subcommand(
      "train", "Train a tutorial from random starting weights, or a network on a table of your own: mlp");
  command->add_option("name", name, "Which tutorial; see 'gradus list'");
  add_training(command, options, out, "the tutorial's; mlp: ");
  command->add_option("--init-scale", options.init_scale,
                      "bp-network: starting weights are this times N(0, 1) (default 1; try 0.01)");
  add_data(command, options.data);
  options.live = isatty(STDOUT_FILENO) != 0;
  options.command = typed;
  add_mlp(command, mlp, options, out, status);
  command->callback([command, &name, &options, &out, &status] {
    if (command->got_subcommand("mlp")) return;
    if (name.empty()) throw CLI::RequiredError("name");
    status = train(name, options, out);
  });
}

void add_tutorials(CLI::App& app, TutorialsOptions& options, int& status) {
  auto* command = app.add_subcommand("tutorials",
                                     "Train every tutorial from its written-out starting weights "
                                     "and compare each figure with the published and\n"
                                     "the expected one; exit status 1 if any is out of tolerance");
  command->add_option("--json", options.json, "Write the rows to this file, too");
  add_data(command, options.reproduce.data);
  add_precision(command, options.reproduce.precision,
                "Compute in float or double (default double; float's tolerance is 1e-4, sine's 5 %)");
  command->callback([&options, &status] { status = tutorials(options); });
}

void add_predict(CLI::App& app, PredictOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "predict", "Apply a model that 'train mlp --save' wrote to a table; answers with CSV");
  command->add_option("model", options.table.model, "The saved model")->required();
  command
      ->add_option("--data,--csv", options.table.data,
                   "The table: CSV, .npy or .npz; columns are found by their names")
      ->required();
  command->add_option("--output", options.output, "Write here (default: the standard output)");
  auto& table = options.table;
  add_format(command, table.delimiter, table.decimal, table.thousands, table.na,
             " (default: as in the training)");
  command->add_flag("--strict", table.strict,
                    "A level that the training did not have, or a missing value, is an error");
  command->callback([&options, &status] { status = predict(options); });
}

void add_check(CLI::App& app, CheckOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "check",
      "Compare a tutorial's gradients with central differences, in double; exit status 1 on a mismatch");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--mode", options.mode,
                   "full: every entry; fast: random directions and sampled entries (default: full where that "
                   "is estimated to take less than 5 s)")
      ->check(CLI::IsMember({"full", "fast"}));
  command->add_option("--order", options.order, "2: the gradient of the gradient, too")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  command->add_option("--json", options.json, "Write the report to this file, too");
  command->callback([&options, &status] { status = check(options); });
}

void add_graph(CLI::App& app, GraphOptions& options, int& status) {
  auto* command = app.add_subcommand("graph", "Print a tutorial's graph, or the program that it compiles to");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--what", options.what,
                   "forward, training (gradient and updates, too), stages (of the compiler) or plan")
      ->check(CLI::IsMember({"forward", "training", "stages", "plan"}))
      ->capture_default_str();
  command->add_option("--format", options.format, "text, dot, or svg (by graphviz)")
      ->check(CLI::IsMember({"text", "dot", "svg"}))
      ->capture_default_str();
  command->add_option("--boxes", options.boxes, "A picture of more boxes than this is folded by scope")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->callback([&options, &status] { status = graph(options); });
}

void add_profile(CLI::App& app, ProfileOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "profile", "Time a tutorial's training step, step by step of its plan: ns, share, GFLOP/s, bytes");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command->add_option("--batch", options.batch, "Samples a step (default: the tutorial's)")
      ->check(CLI::PositiveNumber);
  command->add_option("--runs", options.runs, "How many runs the medians are of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_precision(command, options.precision, "float or double (default float)");
  command->add_option("--json", options.json, "Write the figures to this file, too");
  command->add_option("--svg", options.svg,
                      "Draw the plan with its costs as colours into this file (by graphviz)");
  command->callback([&options, &status] { status = profile(options); });
}

void add_export(CLI::App& app, ExportOptions& options, int& status) {
  auto* command = app.add_subcommand("export", "Write a model's inference graph for other programs");
  command
      ->add_option(
          "model", options.model,
          "A file that 'train mlp --save' wrote, or a tutorial, with its written-out starting weights")
      ->required();
  command->add_option("--onnx", options.onnx, "Write it to this file, as ONNX (opset 17)")->required();
  command
      ->add_option_function<std::string>(
          "--precision",
          [&options](const std::string& precision) { options.precision = precisions.at(precision); },
          "float or double (default float; a saved model: its own)")
      ->check(CLI::IsMember({"float", "double"}));
  command->callback([&options, &status] { status = export_model(options); });
}

void add_fetch(CLI::App& app, FetchCommandOptions& options, int& status) {
  auto* command = app.add_subcommand("fetch",
                                     "Fetch data from the network, checked and resumed; $GRADUS_MIRROR names "
                                     "other mirrors (http, https, file)");
  command->add_option("what", options.what, "mnist")->required()->check(CLI::IsMember({"mnist"}));
  command->add_option("--data", options.data, "The folder to put it in (default ~/.cache/gradus/mnist)");
  command->callback([&options, &status] { status = fetch(options); });
}

// The options of all commands. The parser writes into them, so they must outlive it.
struct Arguments {
  TutorialsOptions tutorials;
  std::string name;  // of the tutorial to train
  gradus::TrainOptions train;
  MlpOptions mlp;
  std::string out;
  PredictOptions predict;
  CheckOptions check;
  GraphOptions graph;
  ProfileOptions profile;
  ExportOptions export_model;
  FetchCommandOptions fetch;
};

void add_commands(CLI::App& app, Arguments& arguments, const std::string& typed, int& status) {
  app.add_subcommand("list", "The tutorials, a line each")->callback([&status] { status = list(); });
  add_tutorials(app, arguments.tutorials, status);
  add_train(app, arguments.name, arguments.train, arguments.mlp, arguments.out, typed, status);
  add_predict(app, arguments.predict, status);
  add_check(app, arguments.check, status);
  add_graph(app, arguments.graph, status);
  add_profile(app, arguments.profile, status);
  add_export(app, arguments.export_model, status);
  add_fetch(app, arguments.fetch, status);
}

int run(int argc, char** argv) {
  std::vector<std::string> words{"gradus"};
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  CLI::App app{
      "gradus: models written once as graphs of tensor ops, differentiated and compiled into one flat "
      "program.\n"
      "The classic back-propagation tutorials, on our own automatic differentiation.",
      "gradus"};
  app.set_version_flag("--version", fmt::format("gradus {}", gradus::version));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  gradus tutorials --json figures.json\n"
      "  gradus train height-weight --seed 7\n"
      "  gradus fetch mnist\n"
      "  gradus train mnist --data ~/mnist --epochs 3 --out out\n"
      "  gradus train mlp --data iris.csv --target species --hidden 16,16 --save iris.safetensors\n"
      "  gradus predict iris.safetensors --data flowers.csv\n"
      "  gradus export iris.safetensors --onnx iris.onnx\n"
      "  gradus check two-targets\n"
      "  gradus graph sine --what plan\n"
      "  gradus profile mnist --batch 32");
  int status = 0;

  Arguments arguments;
  add_commands(app, arguments, shell_command(words), status);

  // CLI11 would only say that a subcommand is required.
  const auto is_first_word = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_first_word).empty())
    throw gradus::Error(fmt::format("there is no command '{}'; see 'gradus --help'", argv[1]));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return status;
}

int refused(const std::string& why) {
  std::fflush(stdout);
  fmt::print(stderr, "gradus: {}\n", why);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const gradus::OptionError& error) {
    return refused(with_options(error.what(), error.options()));
  } catch (const std::exception& error) {
    return refused(error.what());
  }
}
