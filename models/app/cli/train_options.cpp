#include "models/app/cli/train_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "models/app/cli/common_options.hpp"
#include "models/app/cli/number_option.hpp"
#include "models/app/cli/tutorials.hpp"
#include "models/app/table/table_network.hpp"

namespace gradus::cli {

namespace {

void add_files(CLI::App* command, gradus::TrainingFiles& files) {
  command->add_option("--history", files.history,
                      "Write the scores of every epoch to this .json or .csv file");
  command->add_option("--tensorboard", files.tensorboard,
                      "Write scores, histograms, images and the graph into this folder, for TensorBoard; of "
                      "more than 199 epochs, histograms and matrices after every epochs/100");
  command->add_option("--checkpoint", files.checkpoint, "Write everything to this file after every epoch");
  add_number<std::int64_t>(command, "--checkpoint-steps", files.checkpoint_steps,
                           "… and after every so many steps; needs --checkpoint", {.least = 0});
  command->add_flag("--resume", files.resume,
                    "Go on from --checkpoint, bit for bit, if there is such a file");
}

// The options of every training, for a tutorial and for a table; `whose` are the defaults before those of
// mlp.
void add_training(CLI::App* command, gradus::TrainOptions& options, std::string& out,
                  const std::string& whose) {
  const std::string rate = whose.empty() ? "the optimizer's" : "the tutorial's or the optimizer's";
  const std::string precision = whose.empty() ? "float" : "double; mnist, mlp: float";
  add_number<std::int64_t>(command, "--epochs", options.epochs,
                           "Passes over the data (default: " + whose + "100)", {.least = 1});
  add_number<double>(command, "--rate", options.rate, "Learning rate (default: " + rate + ")",
                     {.least = 0, .without_least = true});
  add_number<std::int64_t>(command, "--batch", options.batch, "Samples a step (default: " + whose + "32)",
                           {.least = 1});
  add_number<std::uint64_t>(command, "--seed", options.seed, "Of starting weights and shuffling", {});
  add_number<std::int64_t>(command, "--threads", options.threads, "Of a step: for large layers and batches",
                           {1, 256});
  command->add_flag("--reproducible", options.reproducible,
                    "Add numbers up in the same order with any threads, and with AVX2 as with AVX-512");
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
      ->check(one_of({"balanced"}));
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
      ->check(one_of({"error", "drop", "mean", "level"}));
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
  add_whole_numbers(command, "--hidden", table.hidden,
                    "Units of the hidden layers (default 32); 0: none, a linear model", {0, 1 << 16});
  command->add_option("--activation", table.activation, "Of the hidden layers")
      ->check(one_of(gradus::activation_names()))
      ->capture_default_str();
  command->add_option("--norm", table.normalization, "Normalise hidden layers: batch or layer")
      ->check(one_of({"batch", "layer"}));
  add_number<double>(command, "--dropout", table.dropout, "Of hidden units, in [0, 1)",
                     {.least = 0, .most = 1, .without_most = true});
  command->add_flag("!--raw", table.standardize, "Do not standardise number columns");
}

void add_mlp(CLI::App* train, MlpOptions& options, gradus::TrainOptions& shared, std::string& out,
             Chosen& chosen) {
  auto* command = train->add_subcommand("mlp", "Train a network on a table of your own");
  auto& table = options.table;
  add_table(command, table);
  add_network(command, table);
  add_number<double>(command, "--validation-split", table.validation_split,
                     "The part of the rows kept for validation",
                     {.least = 0, .most = 1, .without_most = true});
  command->add_flag("--in-order", table.in_order, "Keep the last rows, not a random choice");
  command->add_flag("--stratify", table.stratify, "Keep the same part of each class for validation");
  add_number<std::int64_t>(command, "--patience", table.patience,
                           "Stop when val_loss has not improved for so many epochs", {.least = 0});
  add_training(command, shared, out, "");
  command->add_option("--optimizer", options.optimizer, "adam, nadam, sgd, rmsprop, adagrad or rprop")
      ->capture_default_str();
  add_number<double>(command, "--momentum", options.momentum, "Of sgd or rmsprop",
                     {.least = 0, .most = 1, .without_most = true});
  add_number<double>(command, "--weight-decay", options.weight_decay, "Decoupled; a fraction of the rate",
                     {.least = 0});
  add_number<double>(command, "--clip-norm", options.clip_norm, "Largest norm of all gradients; 0: any",
                     {.least = 0});
  add_number<double>(command, "--clip-value", options.clip_value, "Largest entry of a gradient; 0: any",
                     {.least = 0});
  command->add_option("--save", shared.files.weights, "Write the model here, for 'gradus predict'");
  command->callback([train, command, &table, &options, &shared, &out, &chosen] {
    // CLI11's search by name takes memory and, being noexcept, ends the program when there is none.
    for (const CLI::Option* before : train->get_options()) {
      if (before->count() == 0) continue;
      for (const std::string_view own : {"name", "--data", "--init-scale"})
        if (before->get_name() == own)
          throw CLI::ValidationError(std::string(own), "it is a tutorial's; leave it out before mlp");
      for (const CLI::Option* option : command->get_options())
        if (option->count() > 0 && option->get_name() == before->get_name())
          throw CLI::ValidationError(option->get_name(),
                                     "it is given before mlp and behind it; give it once");
    }
    require_checkpoint(shared.files);  // which may be named before mlp and behind it
    if (table.hidden == std::vector<std::int64_t>{0}) table.hidden.clear();
    if (std::ranges::count(table.hidden, 0) > 0)
      throw CLI::ValidationError("--hidden",
                                 "a layer of 0 units lets nothing through; 0 alone is a linear model");
    chosen = [&options, &shared, &out] { return train_mlp(options, shared, out); };
  });
}

}  // namespace

void add_train(CLI::App& app, std::string& name, gradus::TrainOptions& options, MlpOptions& mlp,
               std::string& out, const std::string& typed, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "train", "Train a tutorial from random starting weights, or a network on a table of your own: mlp");
  command->add_option("name", name, "Which tutorial; see 'gradus list'");
  add_training(command, options, out, "the tutorial's; mlp: ");
  add_number<double>(command, "--init-scale", options.init_scale,
                     "bp-network: starting weights are this times N(0, 1) (default 1; try 0.01)", {});
  add_data(command, options.data);
  options.live = isatty(STDOUT_FILENO) != 0;
  options.command = typed;
  add_mlp(command, mlp, options, out, chosen);
  command->callback([command, &name, &options, &out, &chosen] {
    if (command->got_subcommand("mlp")) return;
    if (name.empty())
      throw CLI::ValidationError("name", "it says what to train; give a tutorial, or mlp for a table");
    require_checkpoint(options.files);
    chosen = [&name, &options, &out] { return train(name, options, out); };
  });
}

}  // namespace gradus::cli
