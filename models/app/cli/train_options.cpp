#include "models/app/cli/train_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "models/app/cli/common_options.hpp"
#include "models/app/cli/tutorials.hpp"
#include "models/app/table/table_network.hpp"

namespace gradus::cli {

namespace {

void add_files(CLI::App* command, gradus::TrainingFiles& files) {
  add_output(command, "--history", files.history,
             "Write the scores of every epoch to this .json or .csv file");
  add_output(command, "--tensorboard", files.tensorboard,
             "Write scores, histograms, images and the graph into this folder, for TensorBoard; of "
             "more than 199 epochs, histograms and matrices after every epochs/100");
  add_output(command, "--checkpoint", files.checkpoint, "Write everything to this file after every epoch");
  command
      ->add_option("--checkpoint-steps", files.checkpoint_steps,
                   "… and after every so many steps; needs --checkpoint")
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
  add_output(command, "--out", out,
             "Leave pictures (SVG and PNG) and report.html in this folder (by gnuplot and graphviz)");
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
  add_list(command, "--features", table.features,
           "The columns to predict from (default: all others); one whose name has a comma is in quotes: "
           "'\"a, b\",c'");
  add_list(command, "--text", table.text, "Number columns that are categories");
  add_list(command, "--exclude", table.exclude, "Columns that are not to be predicted from");
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
  auto* no_header =
      command->add_flag("!--no-header", format.header, "The CSV begins with a row; columns are c1, c2, …");
  command
      ->add_flag("--header", table.names_are_numbers,
                 "The CSV's first line has the columns' names even if they are numbers")
      ->excludes(no_header);
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
  add_output(command, "--save", shared.files.weights, "Write the model here, for 'gradus predict'");
  command->callback([train, &options, &shared, &out, &status] {
    // CLI11's search by name takes memory and, being noexcept, ends the program when there is none.
    for (const CLI::Option* option : train->get_options())
      for (const std::string_view own : {"name", "--data", "--init-scale"})
        if (option->count() > 0 && option->get_name() == own)
          throw CLI::ValidationError(std::string(own), "it is a tutorial's; leave it out before mlp");
    status = train_mlp(options, shared, out);
  });
}

}  // namespace

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

}  // namespace gradus::cli
