// `gradus export` as a person meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "gradus/data/tensor_file.hpp"
#include "models/tutorials/all.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ExportCommand : public test::ProgramTest {
 protected:
  ::onnx::ModelProto read(const std::string& name) const {
    ::onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(FolderTest::read(name))) << name;
    return model;
  }
};

TEST_F(ExportCommand, WritesEveryTutorial) {
  for (const Tutorial* tutorial : tutorials()) {
    const std::string name(tutorial->name());
    SCOPED_TRACE(name);
    const auto [status, output] = run("export " + name + " --onnx " + name + ".onnx --precision double");
    EXPECT_EQ(status, 0) << output;
    EXPECT_THAT(output, HasSubstr("wrote " + name + ".onnx: " + name + " in double"));
    const auto model = read(name + ".onnx");
    EXPECT_EQ(model.graph().name(), name);
    ASSERT_EQ(model.graph().input_size(), 1);
    EXPECT_EQ(model.graph().input(0).name(), "x");
    EXPECT_EQ(model.graph().input(0).type().tensor_type().elem_type(), ::onnx::TensorProto::DOUBLE);
    EXPECT_EQ(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "B");
    ASSERT_EQ(model.graph().output_size(), 1);
    EXPECT_EQ(model.graph().output(0).name(), "prediction");
  }
}

TEST_F(ExportCommand, WritesASavedModelWithItsWeightsAndItsRecipe) {
  std::ofstream table(folder_ / "table.csv");
  table << "a,b,y\n";
  for (int i = 0; i < 40; ++i) table << i % 7 << ',' << i % 5 << ',' << (i % 7) * 0.5 - i % 5 << '\n';
  table.close();
  ASSERT_EQ(run("train mlp --csv table.csv --target y --regress --hidden 4 --norm batch --epochs 3 --save "
                "m.safetensors")
                .status,
            0);
  const auto [status, output] = run("export m.safetensors --onnx m.onnx");
  ASSERT_EQ(status, 0) << output;
  const auto model = read("m.onnx");
  const TensorFile saved(folder_ / "m.safetensors");
  std::size_t found = 0;
  for (const auto& tensor : model.graph().initializer()) {
    const TensorBytes* same = saved.find(tensor.name());
    if (same == nullptr) continue;
    ++found;
    ASSERT_EQ(tensor.raw_data().size(), same->bytes.size());
    EXPECT_EQ(std::memcmp(tensor.raw_data().data(), same->bytes.data(), same->bytes.size()), 0)
        << tensor.name();
  }
  EXPECT_EQ(found, saved.tensors().size());
  ASSERT_EQ(model.metadata_props_size(), 1);
  EXPECT_EQ(model.metadata_props(0).key(), "recipe");
  EXPECT_EQ(model.metadata_props(0).value(), saved.metadata().at("recipe"));
}

TEST_F(ExportCommand, SaysWhatItCannotDo) {
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    const auto [status, output] = run(arguments);
    EXPECT_NE(status, 0);
    EXPECT_THAT(output, HasSubstr(message));
  };
  refused("export nothing --onnx x.onnx",
          "there is no file of this name, and there is no tutorial 'nothing'; there are: neuron,");
  refused("export sine", "--onnx is required");
  refused("export sine --onnx no/such/folder.onnx", "no/such/folder.onnx");
  refused("export sine --onnx x.onnx --precision half", "half");
  std::ofstream(folder_ / "text.safetensors") << "no tensors";
  refused("export text.safetensors --onnx x.onnx", "text.safetensors");
  EXPECT_FALSE(fs::exists(folder_ / "x.onnx"));
}

}  // namespace
}  // namespace gradus
