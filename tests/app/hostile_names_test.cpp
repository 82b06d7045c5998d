// Names, levels and values of files and of the command line that would command a terminal, on their way to
// it and to the report; models whose metadata make no sense; and options that do not apply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradus/data/tensor_file.hpp"
#include "models/data/printable.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string>& attacks() {
  static const std::vector<std::string> all{"\x1b[31m",
                                            "\x1b]0;owned\a",
                                            "\x1bP+q\x1b\\",
                                            "\xc2\x9b"
                                            "2J",
                                            "\b\b\b",
                                            "\x7f",
                                            "\xe2\x80\xae"
                                            "gpj"};
  return all;
}

class HostileNames : public test::ProgramTest {
 protected:
  // A table in which every name and every level has this in it.
  void write_table(const std::string& attack) const {
    std::string text = "x" + attack + ",word" + attack + ",kind" + attack + "\n";
    for (int i = 0; i < 24; ++i)
      text += std::to_string(i % 7) + ",w" + std::to_string(i % 3) + attack + "," + (i % 2 == 0 ? "a" : "b") +
              attack + "\n";
    write("t.csv", text);
  }
  Ran run_on(const std::string& attack, const std::string& arguments) const {
    write("name", attack);
    std::string filled = arguments;
    for (std::size_t at = 0; (at = filled.find('@', at)) != std::string::npos;)
      filled.replace(at, 1, "\"$(cat name)\"");
    return run(filled);
  }
  static void expect_shown(const Ran& ran) {
    std::string text = ran.output;
    EXPECT_EQ(printable_lines(text), text) << ran.output;
    EXPECT_THAT(text, HasSubstr("\\x"));
  }
};

TEST_F(HostileNames, OfTablesDoNotReachTheTerminalOrTheReport) {
  for (const std::string& attack : attacks()) {
    write_table(attack);
    const Ran trained = run_on(attack, "train mlp --data t.csv --target kind@ --epochs 1 --save m --out out");
    EXPECT_EQ(trained.status, 0) << trained.output;
    expect_shown(trained);
    const std::string html = read("out/report.html");
    EXPECT_EQ(printable_lines(html), html);
    EXPECT_THAT(html, HasSubstr("\\x"));
    for (const char* wrong :
         {"train mlp --data t.csv --target none@", "train mlp --data t.csv --target kind@ --exclude none@",
          "train mlp --data none@.csv --target kind",
          "train mlp --data t.csv --target x@ --classify --stratify "
          "--in-order",
          "train @", "@", "graph @", "export @ --onnx o", "predict m@ --data t.csv", "fetch @",
          "train sine --@ 3", "train mlp --data t.csv --target kind@ --save none@/m",
          "train mlp --data t.csv --target kind@ --history none@/h", "tutorials --data none@"}) {
      const Ran refused = run_on(attack, wrong);
      EXPECT_NE(refused.status, 0) << wrong;
      expect_shown(refused);
    }
    // A level that the training has not, told in a note.
    write("p.csv", "x" + attack + ",word" + attack + "\n1,new" + attack + "\n");
    const Ran predicted = run("predict m --data p.csv --output out.csv");
    EXPECT_EQ(predicted.status, 0) << predicted.output;
    expect_shown(predicted);
    expect_shown(run("predict m --data p.csv --strict"));
    // Data stay what they are.
    EXPECT_THAT(read("out.csv"), HasSubstr("a" + attack));
  }
}

TEST_F(HostileNames, OptionsThatDoNotApplyAreRefused) {
  std::string table = "x,y,kind\n";
  for (int i = 0; i < 24; ++i)
    table += std::to_string(i % 7) + "," + std::to_string(i % 5) + (i % 2 == 0 ? ",a\n" : ",b\n");
  write("t.csv", table);
  const std::vector<double> numbers(24, 1);
  write_tensors(file("t.npz"),
                std::vector{tensor_bytes("x", {24}, numbers), tensor_bytes("y", {24}, numbers)});
  ASSERT_EQ(run("train mlp --data t.csv --target y --features x --epochs 1 --save m").status, 0);
  const std::string numbers_of = "train mlp --epochs 1 --data t.csv --target y ",
                    arrays =
                        "train mlp --epochs 1 "
                        "--data t.npz --target y ";
  const std::vector<std::pair<std::string, std::string>> calls{
      {numbers_of + "--in-order --validation-split 0", "--in-order"},
      {"train mlp --epochs 1 --data t.csv --target kind --stratify --validation-split 0", "--stratify"},
      {numbers_of + "--stratify", "--stratify"},
      {numbers_of + "--class-weight balanced", "--class-weight"},
      {numbers_of + "--momentum 0.9", "--momentum"},
      {numbers_of + "--patience 2 --validation-split 0", "--patience"},
      {numbers_of + "--checkpoint-steps 2", "--checkpoint-steps"},
      {numbers_of + "--resume", "--resume"},
      {numbers_of + "--hidden 0 --activation tanh", "--activation"},
      {numbers_of + "--hidden 0 --dropout 0.5", "--dropout"},
      {numbers_of + "--hidden 0 --norm layer", "--norm"},
      {arrays + "--delimiter ';'", "--delimiter"},
      {arrays + "--decimal ,", "--decimal"},
      {arrays + "--thousands \"'\"", "--thousands"},
      {arrays + "--no-header", "--no-header"},
      {arrays + "--header", "--header"},
      {"predict m --data t.npz --delimiter ';'", "--delimiter"},
      {"predict m --data t.npz --decimal ,", "--decimal"},
      {"train sine --init-scale 2", "--init-scale"},
      {"train sine --data .", "--data"},
      {"train sine --resume", "--resume"},
      {"train sine --checkpoint-steps 3", "--checkpoint-steps"},
      {"graph sine --boxes 3", "--boxes"},
      {"graph sine --what stages --format dot", "--format"}};
  for (const auto& [call, option] : calls) {
    const Ran ran = run(call + (call.starts_with("train mlp") ? " --save n" : ""));
    EXPECT_NE(ran.status, 0) << call;
    EXPECT_THAT(ran.output, AllOf(HasSubstr(option), Not(HasSubstr("Epoch")))) << call;
    EXPECT_FALSE(std::filesystem::exists(file("n"))) << call;
  }
}

TEST_F(HostileNames, ModelsWhoseMetadataMakeNoSenseAreRefused) {
  write_table("");
  ASSERT_EQ(run("train mlp --data t.csv --target kind --epochs 1 --save m").status, 0);
  const TensorFile good(file("m"));
  const std::string recipe = good.metadata().at("recipe");
  const auto expect_refused = [&](const std::map<std::string, std::string>& metadata,
                                  const std::string& why) {
    write_tensors(file("odd"), good.tensors(), metadata);
    for (const char* call : {"predict odd --data t.csv", "export odd --onnx o.onnx"}) {
      const Ran ran = run(call);
      EXPECT_EQ(ran.status, 1) << call;
      EXPECT_THAT(ran.output, AllOf(HasSubstr("odd"), HasSubstr(why))) << call;
    }
  };
  using Json = nlohmann::json;
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json json = Json::parse(recipe);
    json[Json::json_pointer(pointer)] = value;
    auto metadata = good.metadata();
    metadata["recipe"] = json.dump();
    return metadata;
  };
  for (const Json& odd : {Json(0), Json(-1), Json(nullptr), Json("1"), Json(true), Json::array({1})})
    expect_refused(with("/features/0/deviation", odd), "deviation");
  for (const Json& odd : {Json(nullptr), Json("1"), Json(true), Json::object()})
    expect_refused(with("/features/0/mean", odd), "mean");
  for (const Json& odd : {Json(1), Json(-0.5), Json(1e300), Json("x"), Json(nullptr)})
    expect_refused(with("/dropout", odd), "dropout");
  expect_refused(with("/precision", "quad"), "precision");
  expect_refused(with("/activation", "rleu"), "did you mean 'relu'?");
  expect_refused(with("/normalization", "x"), "normalization");
  expect_refused(with("/task", "guess"), "task");
  for (const Json& odd : {Json(0), Json(-1), Json(1.5), Json(1e30)})
    expect_refused(with("/hidden/0", odd), "whole number");
  auto metadata = good.metadata();
  metadata["recipe"] = recipe.substr(0, recipe.find("\"mean\":") + 7) + "1e999" +
                       recipe.substr(recipe.find(',', recipe.find("\"mean\":")));
  expect_refused(metadata, "recipe");
  metadata["recipe"] = std::string(100000, '[') + std::string(100000, ']');
  expect_refused(metadata, "nested deeper than 32 levels");
  metadata = good.metadata();
  metadata["format"] = "gradus weights 99";
  expect_refused(metadata, "'gradus weights 99'");
}

TEST_F(HostileNames, ModelsWhoseWeightsAreNotFiniteAreRefused) {
  write_table("");
  ASSERT_EQ(run("train mlp --data t.csv --target kind --epochs 1 --save m").status, 0);
  const TensorFile good(file("m"));
  for (const TensorBytes& changed : good.tensors()) {
    std::vector<TensorBytes> tensors = good.tensors();
    const std::vector<double> doubles = good.values(changed.name);
    std::vector<float> values(doubles.begin(), doubles.end());
    values.back() = std::numeric_limits<float>::quiet_NaN();
    for (TensorBytes& each : tensors)
      if (each.name == changed.name) each = tensor_bytes(changed.name, changed.extents, values);
    write_tensors(file("odd"), tensors, good.metadata());
    for (const char* call : {"predict odd --data t.csv --output out.csv", "export odd --onnx out.onnx"}) {
      const Ran ran = run(call);
      EXPECT_EQ(ran.status, 1);
      EXPECT_THAT(ran.output,
                  AllOf(HasSubstr("odd"), HasSubstr("'" + changed.name + "'"), HasSubstr("is nan")));
    }
    EXPECT_FALSE(std::filesystem::exists(file("out.csv")));
    EXPECT_FALSE(std::filesystem::exists(file("out.onnx")));
  }
}

}  // namespace
}  // namespace gradus
