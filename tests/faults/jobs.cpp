#include <stdexcept>

#include "tests/faults/job.hpp"

namespace gradus::faults {

namespace {

std::string table() {
  std::string text = "size,kind,price\n";
  for (int i = 0; i < 8; ++i)
    text += std::to_string(20 + 37 * i % 100) + (i % 2 == 0 ? ",flat," : ",house,") +
            std::to_string(100 + 61 * i % 70) + "\n";
  return text;
}

std::vector<std::string> split(const std::string& program, const std::string& arguments) {
  std::vector<std::string> words{program};
  for (std::size_t at = 0; at < arguments.size();) {
    const std::size_t end = std::min(arguments.find(' ', at), arguments.size());
    words.push_back(arguments.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::vector<Job> all_jobs(Runner& runner, const std::string& program, const std::string& library) {
  const std::string mlp = "train mlp --data t.csv --target price --hidden 2 --seed 1 ";
  const Files csv{{"t.csv", table()}};
  const auto made = [&](Files files, const std::string& arguments) {
    const Outcome outcome = runner.run({arguments, split(program, arguments), {}}, files, "");
    if (outcome.status != 0 || outcome.signal != 0)
      throw std::runtime_error("gradus " + arguments + ": " + outcome.errors);
    return files;
  };
  const auto trained = made(csv, mlp + "--epochs 1 --save m.safetensors --checkpoint c.safetensors");
  const Files model{{"t.csv", table()}, {"m.safetensors", trained.at("m.safetensors")}};
  const Files npz_model{{"t.csv", table()},
                        {"m.npz", made(csv, mlp + "--epochs 1 --save m.npz").at("m.npz")}};
  const Files begun{{"t.csv", table()}, {"c.safetensors", trained.at("c.safetensors")}};
  const Files remote{{"mirror/data.bin", std::string(1000, 'x')}};

  return {
      {"list", split(program, "list"), {}},
      {"tutorials", split(program, "tutorials --json figures.json"), {}, {"figures.json"}},
      {"train sine",
       split(program,
             "train sine --epochs 1 --history h.json --checkpoint "
             "c.safetensors"),
       {},
       {"h.json", "c.safetensors"}},
      {"train mlp --out",
       split(program, mlp + "--epochs 1 --out out"),
       csv,
       {"out/report.html"},
       false,
       "out/report.html"},
      {"train sine --out",
       split(program, "train sine --epochs 1 --out out"),
       {},
       {"out/report.html"},
       false,
       "out/report.html"},
      {"train bp-network --out",
       split(program, "train bp-network --epochs 1 --out out"),
       {},
       {"out/report.html"},
       false,
       "out/report.html"},
      {"train height-weight --out",
       split(program, "train height-weight --epochs 1 --out out"),
       {},
       {"out/report.html"},
       true,
       "out/report.html"},
      {"train mlp",
       split(program, mlp + "--epochs 1 --save m.safetensors --history h.csv --checkpoint c.safetensors"),
       csv,
       {"m.safetensors", "h.csv", "c.safetensors"}},
      {"train mlp --save .npz", split(program, mlp + "--epochs 1 --save m.npz"), csv, {"m.npz"}},
      {"train mlp --tensorboard",
       split(program, mlp + "--epochs 1 --tensorboard events"),
       csv,
       {},
       false,
       {},
       {},
       "events/"},
      {"resume",
       split(program, mlp + "--epochs 2 --resume --checkpoint c.safetensors --save m.safetensors"),
       begun,
       {"m.safetensors"}},
      {"predict", split(program, "predict m.safetensors --data t.csv --output p.csv"), model, {"p.csv"}},
      {"predict to stdout", split(program, "predict m.npz --data t.csv"), npz_model},
      {"export", split(program, "export m.safetensors --onnx m.onnx"), model, {"m.onnx"}},
      {"check", split(program, "check two-targets --json c.json"), {}, {"c.json"}},
      {"graph", split(program, "graph height-weight --what stages"), {}},
      {"graph --format svg", split(program, "graph height-weight --format svg"), {}, {}, true},
      {"profile", split(program, "profile height-weight --runs 1 --json p.json"), {}, {"p.json"}},
      {"library compile", {library, "compile"}, {}},
      {"library fit", {library, "fit"}, {}, {"weights.safetensors", "checkpoint.safetensors"}},
      {"library resume",
       {library, "resume"},
       [&] {
         Files files;
         Outcome outcome = runner.run({"fit", {library, "fit"}, {}}, files, "");
         if (outcome.status != 0) throw std::runtime_error("library fit: " + outcome.errors);
         return Files{{"checkpoint.safetensors", files.at("checkpoint.safetensors")}};
       }()},
      {"library fetch",
       {library, "fetch"},
       remote,
       {},
       false,
       {},
       "could not be fetched",
       "cache/data.bin.part"},
  };
}

}  // namespace gradus::faults
