#!/usr/bin/env python3
"""Damages the reverse rules, the simplifications and the planner, one place at a time: does anybody notice?

    cmake --preset release -B build/mutation -D CMAKE_UNITY_BUILD=OFF && cmake --build build/mutation
    tests/mutation/mutate.py --list                # the mutants, without running them
    tests/mutation/mutate.py                       # all of them, as many at once as there are cores: takes hours
    tests/mutation/mutate.py --only 'ops/softmax'  # those whose file, line or rule matches

Mutants come from the sources by rule (RULES below); none is picked by hand. Each one compiles the object of its source
file (for a header, one or several that include it), which is linked ahead of the libraries, so that its definitions
win. A gradient mutant is first shown to the gradient check alone (mutation_checker: the op table's rows without their
references); what survives, and every other mutant, is shown to the tests. A mutant that does not compile does not
count.

Outcomes are kept in BUILD/mutation/outcomes.json, so that a run that was stopped goes on where it was; --again
forgets them. RESULTS.md is written at the end of a run of all. equivalent.txt holds the survivors that are proven to
compute the same, or what is as right: "file | rule | line of the source | after the damage", then the proof, indented (of equal
lines, "| 2" is the second).
"""

import argparse
import collections
import datetime
import json
import multiprocessing
import os
import pathlib
import re
import resource
import shlex
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SECONDS = 60  # of processor time for one mutant, shown to everybody

Mutant = collections.namedtuple("Mutant", "file line rule before after text kind nth")

# Where rules are looked for, within a file: in the bodies of the functions so named (of the classes so named); or
# everywhere but in those.
Part = collections.namedtuple("Part", "functions classes but", defaults=(None, None, None))

# The reverse rules of ops with what only they call; ops that are the derivatives of others; the reverse sweep, but for
# the checks of its arguments.
REVERSE_RULES = Part("vjp|d|da|db|spread|keep|accumulate|chain|composite_vjp|copy_needed")
GRADIENT_OPS = Part("f", classes=r"\w+Grad")
REVERSE_SWEEP = Part(but="common_graph|check_pairs")
EVERYWHERE = Part()

OPS = sorted(ROOT.glob("ops/*.cpp"))
STAGES = ("fold", "canonicalize", "program", "fuse", "plan", "schedule", "plan_memory")
SOURCES = (
    [(f, "gradient", REVERSE_RULES) for f in OPS]
    + [(f, "gradient", GRADIENT_OPS) for f in OPS]
    + [(ROOT / "ops/include/gradus/ops/rules.hpp", "gradient", REVERSE_RULES)]
    + [(ROOT / "framework/autodiff" / f, "gradient", REVERSE_RULES) for f in ("add.hpp", "add.cpp")]
    + [(ROOT / "framework/autodiff/gradient.cpp", "gradient", REVERSE_SWEEP)]
    + [(f, "trait", EVERYWHERE) for f in OPS + [ROOT / "framework/autodiff/add.hpp"]]
    + [(ROOT / f"framework/compile/{stage}.cpp", "compile", EVERYWHERE) for stage in STAGES]
)

OPERAND = r"[A-Za-z_][\w.]*(?:\[\w+\])?(?:\([^()]*\))?|\d[\w.]*"
ARGUMENT = r"(?:[A-Za-z_!][\w.]*(?:\[\w+\])?(?:\([^()]*\))?|\d[\w.]*)"
# (kinds, name, pattern, replacements): each replacement at each match is a mutant.
RULES = [
    ("gradient", "sign flipped", r"\breturn (?!\{)(?!w;|cotangent|parts|sum;|depends|last|found)([^;{}]+);", [r"return -(\1);"]),
    ("gradient", "sign flipped", r"\bv\.cotangent\b", [r"(-v.cotangent)"]),
    ("gradient", "sign flipped", r"\bdy\b(?! =)", [r"(-dy)"]),
    ("gradient", "factor 2", r"\breturn (?!\{)(?!w;|cotangent|parts|sum;|depends|last|found)([^;{}]+);", [r"return 2 * (\1);"]),
    ("gradient", "factor 2", r"\bv\.cotangent\b", [r"(2 * v.cotangent)"]),
    ("gradient", "term dropped", rf"({OPERAND}) ([-+*/]) ({OPERAND}|\()", [r"\1 \2 0 * \3", r"1 \2 \3"]),
    ("gradient", "term dropped", r"\baccumulate\(([^,()]+), ([^()]+)\)", [r"\1", r"\2"]),
    ("gradient", "term dropped", rf"(?<=return )\{{({ARGUMENT}), ({ARGUMENT})\}}", [r"{Expr(), \2}", r"{\1, Expr()}"]),
    ("gradient", "operator changed", r"(?<=\S) ([-+*/]) (?=\S)", {"+": " - ", "-": " + ", "*": " / ", "/": " * "}),
    ("gradient", "operand swapped", r"\b(a|b|x|y|ta|tb)\b(?! =)", {"a": "b", "b": "a", "x": "y", "y": "x", "ta": "tb", "tb": "ta"}),
    ("gradient", "operand swapped", rf"(?<=[(,] |.\()({ARGUMENT}), ({ARGUMENT})(?=[,)])", [r"\2, \1"]),
    ("gradient", "reduction missing", r"\bsum\(([^(){},]+), ([^(){}]+|\{axis\}, true)\)", [r"(\1)"]),
    ("gradient", "reduction missing", r"\bsum\(", ["max("]),
    ("gradient", "flag wrong", r"\b(true|false)\b", {"true": "false", "false": "true"}),
    ("gradient", "flag wrong", r"!(?=\w)", [""]),
    ("gradient", "flag wrong", r"\b(\w[\w.\[\]]*) \? ", [r"!\1 ? "]),
    ("gradient", "comparison flipped", r" (<=|>=|<|>|==|!=) ",
     {"<": [" <= ", " > "], ">": [" >= ", " < "], "<=": [" < ", " >= "], ">=": [" > ", " <= "], "==": " != ", "!=": " == "}),
    ("gradient", "number changed", r"(?<![\w.\[\"])(0|1|2|0\.5)(?![\w.\]\"])", {"0": "1", "1": "2", "2": "3", "0.5": "1.0"}),
    ("gradient", "and, or", r" (&&|\|\|) ", {"&&": " || ", "||": " && "}),
    ("gradient", "step left out", r"^( +)((?:[\w.:\[\]()<>&]+ (?:=|\+=) |[\w.]+\()[^;{}]*;)$", [r"\1;"]),
    ("trait", "trait dropped", r"\.(commutative|involution) = true", [r".\1 = false"]),
    ("trait", "identity wrong", r"\.(left|right)_identity = (0|1)\.0", {"left": None}),
    ("compile", "comparison flipped", r" (<=|>=|<|>|==|!=) (?!std::|\w+>)",
     {"<": " <= ", ">": " >= ", "<=": " < ", ">=": " > ", "==": " != ", "!=": " == "}),
    ("compile", "and, or", r" (&&|\|\|) ", {"&&": " || ", "||": " && "}),
    ("compile", "flag wrong", r"\b(true|false)\b", {"true": "false", "false": "true"}),
    ("compile", "flag wrong", r"(?<=[ (])!(?=\w)", [""]),
    ("compile", "rule dropped", r"\bif \((?!const )(.+?)\)(?= (?:return|continue|break|try)|$| \{)", [r"if (false && (\1))"]),
    ("compile", "by one", r"(?<=\w) ([-+]) 1\b", [""]),
    ("compile", "by one", r"static_cast<std::int32_t>\(s\)|(?<= = )s(?=;)", [r"(\g<0> - 1)", r"(\g<0> + 1)"]),
    ("compile", "by one", r"(?<=[ (\[])(0|1)(?=[;,)\]])", {"0": "1", "1": "0"}),
    ("compile", "all, any", r"\b(all_of|any_of|none_of)\b", {"all_of": "any_of", "any_of": "all_of", "none_of": "any_of"}),
    ("compile", "first, last", r"\b(front|back)\(\)", {"front": "back()", "back": "front()"}),
    ("compile", "way to read changed", r"Access::(full|scalar|row|column)\b",
     {"full": "Access::scalar", "scalar": "Access::full", "row": "Access::column", "column": "Access::row"}),
    ("compile", "step left out", r"^( +)((?:[\w.:\[\]()<>+&]+ (?:=|\+=) |[\w.>-]+\(|\+\+|--)[^;{}]*;)$", [r"\1;"]),
]


# Preprocessor, declarations, loop headers, errors and checks of arguments, what only saves time, and where nodes say
# they come from.
NOT_RULES = re.compile(r"^ *(#|for \(|namespace|static_assert|template|using|throw\b|static constexpr std::string)|throw Error|\bfail_of\("
                       r"|\b(check_pairs|common_graph)\(|Graph::Scope|\.reserve\(|^ +[\w.]*describe\(")


def code_only(text):
    """The text with comments, strings and what errors say blanked: what rules may match."""
    blank = lambda text: re.sub(r"[^\n]", " ", text)
    text = re.sub(r"//[^\n]*", lambda m: blank(m[0]), text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + "\x01" * (len(m[0]) - 2) + '"', text)
    return re.sub(r"(\bthrow Error|\bfail(?:_of)?)(\([^;]*;)", lambda m: m[1] + blank(m[2]), text)


def closing(code, start, pair):
    """Where the bracket is closed that is open at `start`."""
    depth = 1
    while depth:
        depth += {pair[0]: 1, pair[1]: -1}.get(code[start], 0)
        start += 1
    return start - 1


def class_bodies(code, classes):
    """Ranges of the bodies of the classes so named."""
    for m in re.finditer(rf"\b(?:class|struct) (?:{classes})\b[^;{{]*\{{", code):
        yield m.end(), closing(code, m.end(), "{}")


def function_bodies(code, functions):
    """Ranges of the bodies of the functions so named that are defined in the code."""
    for m in re.finditer(rf"(?<=[\w>&*] )(?:[A-Z]\w*(?:<\w+>)?::)?(?:{functions})\(", code):
        end = closing(code, m.end(), "()") + 1
        opening = re.match(r"\s*(?:const)?\s*(?:override|final)?\s*\{", code[end:])
        before = code[code.rfind("\n", 0, m.start()) + 1 : m.start()]
        if opening and not re.search(r"\breturn\b|=", before):
            yield end + opening.end(), closing(code, end + opening.end(), "{}")


def ranges_of(code, part):
    """The ranges of the code that the part is."""
    if part.but:
        edges = [0] + [edge for body in function_bodies(code, part.but) for edge in body] + [len(code)]
        return list(zip(edges[::2], edges[1::2]))
    within = list(class_bodies(code, part.classes)) if part.classes else [(0, len(code))]
    if not part.functions:
        return within
    return [(start + b, start + e) for start, end in within for b, e in function_bodies(code[start:end], part.functions)]


def replacements(match, to):
    if isinstance(to, list):
        return [match.expand(t) for t in to]
    if to == {"left": None}:  # the other identity
        return [f".{match[1]}_identity = {1 - int(match[2])}.0"]
    chosen = to.get(match[1], [])
    return chosen if isinstance(chosen, list) else [chosen]


def mutants_of(path, kind, part):
    text = path.read_text()
    code = code_only(text)
    seen = set()
    for start, end in ranges_of(code, part):
        # Line by line; a body on one line is one.
        position = start
        for line in code[start:end].split("\n"):
            if not NOT_RULES.search(line):
                for kinds, rule, pattern, to in RULES:
                    if kinds != kind:
                        continue
                    for match in re.finditer(pattern, line):
                        for new in replacements(match, to):
                            at, until = position + match.start(), position + match.end()
                            damaged = text[:at] + new + text[until:]
                            if "\x01" in new or damaged in seen or damaged == text:
                                continue
                            seen.add(damaged)
                            number = text.count("\n", 0, at)
                            yield Mutant(str(path.relative_to(ROOT)), number + 1, rule,
                                         text.split("\n")[number].strip(), damaged.split("\n")[number].strip(),
                                         damaged, kind, 1)
            position += len(line) + 1


def all_mutants(only):
    unique = {}
    for source in SOURCES:
        for mutant in mutants_of(*source):
            unique.setdefault((mutant.file, mutant.text), mutant)
    # Equal lines are told apart by their order.
    seen = collections.Counter()
    for place, mutant in unique.items():
        seen[key_of(mutant)] += 1
        unique[place] = mutant._replace(nth=seen[key_of(mutant)])
    return [m for m in unique.values() if re.search(only, f"{m.file}:{m.line} {m.rule} {m.before}")]


class Build:
    """Commands of the build that is there, changed for one object."""

    def __init__(self, directory, worker):
        self.directory = pathlib.Path(directory).resolve()
        self.work = self.directory / "mutation" / worker
        self.work.mkdir(parents=True, exist_ok=True)
        self.temporary = self.work / "temporary"  # of the tests that run here
        self.temporary.mkdir(exist_ok=True)
        commands = json.loads((self.directory / "compile_commands.json").read_text())
        self.compile_commands = {c["file"]: c["command"] for c in commands}
        self.links = {}

    def sources(self, file):
        """The source files to compile with the damage: the file itself, or for a header those that include it. (An inline
        function of the header may be inlined in each of them.)"""
        path = ROOT / file
        if path.suffix == ".cpp":
            return [str(path)]
        if path.name == "rules.hpp":  # in every op's object: some that use all of it, and an op of a user's
            return [str(ROOT / f"ops/{op}.cpp") for op in ("arithmetic", "extremum", "activation", "optimizer_step")] + [
                str(HERE / "mutation_checker.cpp")]
        including = f'#include "{self.included_as(file)}"'
        return [str(f) for room in ("framework/*", "ops") for f in sorted(ROOT.glob(f"{room}/*.cpp"))
                if including in f.read_text()]

    @staticmethod
    def included_as(file):
        return re.sub(r"^\w+/include/", "", file)

    def compile(self, mutant):
        overlay = self.work / "include"
        subprocess.run(["rm", "-rf", str(overlay)], check=True)
        damaged = overlay / self.included_as(mutant.file)
        damaged.parent.mkdir(parents=True)
        damaged.write_text(mutant.text)
        self.objects, self.replaced = [], []
        for source in self.sources(mutant.file):
            command = shlex.split(self.compile_commands[source])
            if command[0].endswith("ccache"):
                command = command[1:]
            out = command.index("-o") + 1
            self.replaced.append(command[out])
            command[out] = str(self.work / f"mutant{len(self.objects)}.o")
            self.objects.append(command[out])
            command[command.index("-c") + 1] = str(damaged) if source == str(ROOT / mutant.file) else source
            # Warnings are no errors: a parameter may be unused now.
            command = [a for a in command if not a.startswith("-W") and a != "-MD"]
            # Damage may need an operator that the source file includes later, or not at all.
            first = ["-include", "gradus/ops.hpp"] if mutant.kind == "gradient" else []
            command = [command[0], "-w", f"-I{overlay}", *first] + command[1:] + ["-O1"]
            if subprocess.run(command, cwd=self.directory, capture_output=True).returncode != 0:
                return False
        return True

    def program(self, name):
        """Links a test program with the mutant ahead of the libraries."""
        if name not in self.links:
            shown = subprocess.run(["ninja", "-t", "commands", name], cwd=self.directory, capture_output=True,
                                   text=True, check=True).stdout.strip().split("\n")[-1]
            link = shown.split(" && ")[1]
            self.links[name] = shlex.split(link)
        command = [part for part in self.links[name] if part not in self.replaced]
        out = command.index("-o")
        target = self.work / name
        command[out + 1] = str(target)
        own = [o for o in self.objects if "tests/" not in self.replaced[self.objects.index(o)]]
        checker = [o for o in self.objects if o not in own and name == "mutation_checker"]
        command[1:1] = own + checker
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2000:])
        return target


# Who may notice, the quickest first. The checker sees gradient mutants alone.
CHECKER = [("mutation_checker", [])]
TESTS = {
    "gradient": ["op_test", "op_properties_test", "gradient_test", "prod_test", "zero_cotangent_test", "losses_test",
                 "function_figures_test", "tutorial_test"],
    "trait": ["pass_test", "op_test", "op_properties_test", "graph_test", "random_graph_test"],
    "compile": ["pass_test", "plan_test", "fusion_test", "fused_ops_test", "verify_test", "update_test", "tile_test",
                "executable_test", "store_test", "gradient_size_test", "op_test", "tutorial_test", "allocation_test",
                "random_graph_test"],
}


def processor_seconds():
    """Of all commands run so far: other work on the machine must not make a mutant late."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def killer(build, programs, deadline):
    for name, arguments in programs:
        target = build.program(name)
        command = [str(target), *arguments]
        if name != "mutation_checker":
            command += ["--gtest_brief=1", "--gtest_fail_fast"]
        try:
            left = max(int(deadline - processor_seconds()), 1)
            run = subprocess.run(["prlimit", f"--cpu={left}", *command], cwd=build.directory / "tests", capture_output=True,
                                 env=os.environ | {"TMPDIR": str(build.temporary)},
                                 timeout=10 * SECONDS)  # for what sleeps
            if run.returncode != 0:
                return name + (" (in time)" if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else "")
        except subprocess.TimeoutExpired:
            return name + " (in time)"
    return None


def outcome(build, mutant):
    if not build.compile(mutant):
        return "does not compile"
    deadline = processor_seconds() + SECONDS
    found = killer(build, CHECKER, deadline) if mutant.kind == "gradient" else None
    if not found:
        found = killer(build, [(name, []) for name in TESTS[mutant.kind]], deadline)
    return found or "survived"


def check_undamaged(build, mutant):
    """A program that fails by itself, or by the way it is linked here, would kill everything."""
    found = outcome(build, mutant._replace(text=(ROOT / mutant.file).read_text()))
    if found != "survived":
        raise RuntimeError(f"{mutant.file}: as it is, without damage: {found}; build everything, and see that its tests pass")


def start_worker(directory):
    global own_build, checked
    own_build = Build(directory, f"worker{multiprocessing.current_process()._identity[0]}")
    checked = set()


def try_mutant(mutant):
    """In a worker: the mutant, its outcome, and the seconds it took."""
    if (mutant.file, mutant.kind) not in checked:
        check_undamaged(own_build, mutant)
        checked.add((mutant.file, mutant.kind))
    start = time.monotonic()
    return mutant, outcome(own_build, mutant), time.monotonic() - start


def key_of(mutant):
    again = f" | {mutant.nth}" if mutant.nth > 1 else ""
    return f"{mutant.file} | {mutant.rule} | {mutant.before} | {mutant.after}{again}"


def proofs():
    found, key = {}, None
    path = HERE / "equivalent.txt"
    for line in path.read_text().split("\n") if path.exists() else []:
        if line.startswith("  ") and key:
            found[key] = (found[key] + " " + line.strip()).strip()
        elif line.strip() and not line.startswith("#"):
            key = line.strip()
            found[key] = ""
    return found


def report(mutants, outcomes):
    proven = proofs()
    for key in sorted(proven.keys() - {key_of(m) for m in mutants}):
        print(f"equivalent.txt: there is no such mutant any more: {key}", file=sys.stderr)
    rows = collections.defaultdict(collections.Counter)
    survivors, not_by_checker, equivalent = [], [], []
    for m in mutants:
        result = outcomes[key_of(m)]
        if result == "does not compile":
            continue
        row = rows[(m.kind, m.file)], rows[(m.kind, "rule: " + m.rule)], rows[(m.kind, "all")]
        for r in row:
            r["mutants"] += 1
        is_equivalent = key_of(m) in proven
        column = ("checker" if result.startswith("mutation_checker") else
                  "equivalent" if is_equivalent else "survived" if result == "survived" else "tests")
        for r in row:
            r[column] += 1
        if column == "equivalent":
            equivalent.append((m, result))
        elif column == "survived":
            survivors.append(m)
        elif m.kind == "gradient" and column == "tests":
            not_by_checker.append((m, result))
    count = sum(rows[(k, "all")]["mutants"] for k in ("gradient", "trait", "compile"))
    lines = ["# Mutants, and who killed them", "",
             f"{datetime.date.today().isoformat()}, by [mutate.py](mutate.py): {count} distinct mutants that compile.", ""]
    titles = {"gradient": "Reverse rules and derivatives", "trait": "Traits that simplifications read",
              "compile": "Simplification, fusion, planning"}
    for kind, title in titles.items():
        lines += [f"## {title}", "", "| where | mutants | killed by the gradient check alone | by the tests | "
                  "equivalent | survived |", "|---|--:|--:|--:|--:|--:|"]
        for (k, where), r in sorted(rows.items(), key=lambda i: (i[0][1] == "all", i[0][1].startswith("rule"), i[0][1])):
            if k == kind:
                lines.append(f"| {where} | {r['mutants']} | {r['checker']} | {r['tests']} | {r['equivalent']} | "
                             f"{r['survived']} |")
        lines.append("")
    show = lambda m: f"- `{m.file}`, {m.rule}: `{m.before}` → `{m.after}`"
    lines += ["## Survivors", ""] + ([show(m) for m in survivors] or ["None."]) + [""]
    lines += ["## Gradient mutants that the check alone does not see", "",
              "In double, at the op table's points: what serves float, or numbers at the end of the range, is the tests'.", ""]
    lines += [f"{show(m)} (killed by {by})" for m, by in not_by_checker] or ["None."]
    lines += ["", "## Equivalent, with proofs", ""]
    lines += [f"{show(m)}\n  {proven[key_of(m)]}" + ("" if by == "survived" else f" (Seen by {by}.)")
              for m, by in equivalent] or ["None."]
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n")
    return survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build/mutation", help="a build of everything, each source by itself")
    parser.add_argument("--only", default="", metavar="REGEX", help="mutants whose file:line, rule and line match")
    parser.add_argument("--list", action="store_true", help="show the mutants and stop")
    parser.add_argument("--again", action="store_true", help="run those, too, whose outcome is known")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="how many at once")
    parser.add_argument("--survivors", action="store_true", help="run those again that survived, or that the check missed")
    arguments = parser.parse_args()
    mutants = all_mutants(arguments.only)
    if arguments.list:
        for m in mutants:
            print(f"{m.file}:{m.line}: {m.rule}: {m.before}  ->  {m.after}")
        print(len(mutants), "mutants")
        return 0
    kept = pathlib.Path(arguments.build).resolve() / "mutation/outcomes.json"
    kept.parent.mkdir(exist_ok=True)
    outcomes = json.loads(kept.read_text()) if kept.exists() else {}
    known = {key_of(m) for m in mutants if key_of(m) in outcomes and not arguments.again}
    if arguments.survivors:
        known -= {key_of(m) for m in mutants if outcomes.get(key_of(m)) == "survived" or
                  (m.kind == "gradient" and not outcomes.get(key_of(m), "").startswith(("mutation", "does")))}
    open_ones = [m for m in mutants if key_of(m) not in known]
    with multiprocessing.Pool(arguments.jobs, start_worker, [arguments.build]) as pool:
        for number, (m, found, seconds) in enumerate(pool.imap(try_mutant, open_ones), 1):
            outcomes[key_of(m)] = found
            kept.write_text(json.dumps(outcomes, indent=1))
            print(f"{number}/{len(open_ones)} {m.file}:{m.line} {m.rule}: {m.after}: {found} ({seconds:.0f} s)", flush=True)
    if arguments.only:
        return 0
    left = report(mutants, outcomes)
    print(f"{len(left)} survivors; see tests/mutation/RESULTS.md")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
