# Writes docs/builders.md, the list of what the public headers declare, on the standard output:
#
#     docs/builders > docs/builders.md
#
# The arguments are headers, with their paths within the project. Each function and each class outside of `detail`
# gets a line: how it is called, and the first sentence of the comment above it, by the conventions that reference.awk
# names. Of classes, the member functions that build expressions or optimizers are listed, too. A header that belongs
# to no section, and a declaration without a comment, are errors.
BEGIN {
  # Sections in the order of the page; the longest pattern that matches a header's path decides.
  section("Ops", "^ops/", "Elementwise ones broadcast as NumPy does. Operands are expressions or numbers.")
  section("Losses", "/ops/losses\\.", "")
  section("Layers", "/nn/", "")
  section("Initializers", "/nn/initializers\\.", "")
  section("Optimizers", "/optim/", "Each takes a loss or a list of parameters and makes updates for `compile`; a `Trainer` takes it as it is.")
  section("Gradient transforms", "", "Members of every optimizer, applied in the order written.")
  section("Metrics", "/train/metrics\\.", "")
  section("Callbacks", "/train/(callbacks?|progress)\\.", "")
  section("Schedules", "/train/schedules\\.", "")
  section("Training", "/train/", "")
  section("Graphs", "/graph/", "")
  section("Gradients", "/autodiff/", "")
  section("Checking gradients", "/check/", "")
  section("Compiling and running", "/(compile|runtime)/", "")
  section("Looking inside", "/inspect/", "")
  section("Data and files", "/data/", "")
  section("ONNX", "/onnx/", "")
  section("xtensor", "/xtensor/", "")
  section("Steps of optimizers", "/ops/optimizer_step\\.", "What rules of optimizers are made of.")
  section("Functions for rules", "/simd/", "A rule `f` of an op of one's own calls these by their bare names: they are vectorised, where std's are not. " \
                                   "With plain numbers the same names mean std's: `using std::exp;`.")
  section("Ops of one's own", "/(ops/rules|graph/(expr|op|op_of|elementwise|node|onnx_spelling))\\.", "")
  section("Errors, places, random numbers", "/base/", "")
  longest = 220
  umbrella = "gradus/gradus.hpp"
  builds = "^(static |inline |virtual )*(Expr|std::vector<Expr>|Optimizer) "
}

function section(title, pattern, words) {
  titles[++sections] = title; patterns[sections] = pattern; intro[sections] = words
}
function section_of(path,   i, best) {
  for (i = 1; i <= sections; ++i)
    if (patterns[i] != "" && path ~ patterns[i] && (!best || length(patterns[i]) > length(patterns[best]))) best = i
  if (!best) fault("it belongs to no section of docs/builders.awk; add it to one")
  return best
}
# All faults are told; then there is no page.
function fault(why) {
  print FILENAME ":" FNR ": " why > "/dev/stderr"
  failed = 1
}

function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }
# Up to the first full stop that a blank follows, and neither a small letter nor an initial precedes it.
function first_sentence(text,   at, rest, done) {
  rest = text
  while ((at = index(rest, ". ")) > 0) {
    done = done substr(rest, 1, at - 1)
    if (substr(rest, at + 2) !~ /^[a-z]/ && done !~ /(^|[ (])[A-Z]$/) return done
    done = done ". "; rest = substr(rest, at + 2)
  }
  text = done rest
  sub(/[.:;]$/, "", text)
  return text
}
# Markdown takes < for a tag's beginning, but within backticks, and | for a cell's end.
function cell(text,   parts, n, i, all) {
  gsub(/\|/, "\\|", text)
  n = split(text, parts, "`")
  for (i = 1; i <= n; ++i) {
    if (i % 2 == 1) gsub(/</, "\\<", parts[i])
    all = all (i == 1 ? "" : "`") parts[i]
  }
  return all
}

# The arguments as a user would write them, with their defaults.
function arguments_of(text,   parts, n, i, c, depth, one, shown) {
  depth = 0; one = ""; n = 0
  gsub(/ = '[^']*'/, "", text)
  for (i = 1; i <= length(text); ++i) {
    c = substr(text, i, 1)
    if (c ~ /[<({[]/) ++depth
    if (c ~ /[>)}\]]/) --depth
    if (c == "," && depth == 0) { parts[++n] = one; one = "" } else one = one c
  }
  if (trim(one) != "") parts[++n] = one
  for (i = 1; i <= n; ++i)
    if ((one = argument_of(trim(parts[i]))) != "") shown = shown (shown == "" ? "" : ", ") one
  return shown
}
function argument_of(text,   at, value, type, name) {
  if ((at = index(text, " = ")) > 0) { value = substr(text, at + 3); text = substr(text, 1, at - 1) }
  if (text ~ /^Location /) return ""
  name = text; sub(/^.*[ &*]/, "", name)
  type = text; sub(/^const /, "", type); sub(/[ &].*$/, "", type)
  # A parameter without a name, as in f(Training&).
  if (text !~ /[ &*.][a-z_0-9]+$/ || text ~ /^[a-z]+$/) { name = text; gsub(/std::span<const |>.*$|^const |[&*]/, "", name); name = tolower(name) }
  if (type in fields) return "{" fields[type] "}"
  if (text ~ /\.\.\./) return name "…"
  return name (value ~ /^(-?[0-9.e-]+|true|false|Every::[a-z]+)$/ ? " = " value : "")
}
function call_of(name, arguments,   sign, sides) {
  if (name !~ /^operator/) return name "(" arguments ")"
  sign = substr(name, 9); split(arguments, sides, ", ")
  return sides[2] == "" ? sign sides[1] : sides[1] " " sign " " sides[2]
}

# A row of a section. Declarations of one comment share a row, and overloads that say "the same" of the one before
# have none.
function add(where, call, name, text,   key) {
  if (text == "") fault("a comment of /// is missing above " name)
  text = first_sentence(text)
  if (text ~ /^(The|And the) same/ && (where, name) in told) return
  if (text ~ /^(The|And the|Like the|As the) (same|one|last)/) fault("say in full what " name " is: its line stands alone in docs/builders.md")
  if (length(text) > longest) fault("the first sentence on " name " has " length(text) " bytes: in docs/builders.md it is one line, of at most " longest)
  key = where SUBSEP group
  if ((key, name) in told) return
  told[key, name] = told[where, name] = 1
  if (!(key in rows)) {
    rows[key] = where SUBSEP (++count[where])
    sentences[rows[key]] = cell(text) (included[header] ? "" : " (`" header "`)")
  }
  calls[rows[key]] = calls[rows[key]] (calls[rows[key]] == "" ? "" : ", ") cell("`" call "`")
}

function declared(text, owner, doc,   name, rest, at, depth, i, c, where) {
  gsub(/[ \n]+/, " ", text); text = trim(text); gsub(/decltype\(auto\)/, "auto", text)
  sub(/^template <[^<>]*(<[^<>]*>[^<>]*)*> /, "", text)
  sub(/^requires ?\(.*\)\) /, "", text)
  if (text ~ /^(struct|class) /) {
    name = text; sub(/^(struct|class) /, "", name); sub(/[ ;{:].*$/, "", name)
    if (name !~ /Options$/ && text ~ /\{/) add(here, name, name, doc)
    return
  }
  if (text ~ /^(extern|using|enum|friend|namespace|concept|static_assert|#)/ || text !~ /\(/) return
  at = text ~ /operator *\(\)/ ? 0 : index(text, "(")
  if (at == 0) return
  name = substr(text, 1, at - 1)
  rest = substr(text, at + 1)
  depth = 1
  for (i = 1; i <= length(rest) && depth > 0; ++i) {
    c = substr(rest, i, 1)
    if (c == "(") ++depth
    if (c == ")") --depth
  }
  rest = substr(rest, 1, i - 2)
  if (name !~ / / || (name ~ /=/ && name !~ /operator/)) return  # a constructor, or a variable
  if (name ~ /operator/) sub(/^.*operator/, "operator", name)
  else sub(/^.*[ &*]/, "", name)
  where = here
  if (owner != "") {
    if (text !~ builds || text ~ /\) (const )?(final|override)/ || name ~ /^operator|_$/) return
    if (owner == "Optimizer" && text ~ /^Optimizer /) where = transforms
    if (owner != "Optimizer" && owner != "Graph") name = owner "::" name
    else name = (owner == "Graph" ? "g." : ".") name
  }
  add(where, call_of(name, arguments_of(rest)), name, doc)
}

# What a header includes, and that includes.
function find_included(header,   parts, n, i) {
  if (included[header]++) return
  n = split(includes[header], parts, " ")
  for (i = 1; i <= n; ++i) find_included(parts[i])
}

# First all fields of options, which are named where they are taken, and what is included; then the rest. The files are
# given twice.
FNR == 1 {
  if (seen[FILENAME]++ == 0) { pass = 1 } else pass = 2
  inside = ""; doc = ""; skipping = 0; open = ""; fresh = 0; public_part = 1; skip_body = 0
  if (pass == 2) {
    if (!included[umbrella]) find_included(umbrella)
    header = FILENAME; sub(/^.*include\//, "", header)
    if (is_public[FILENAME]) here = section_of(FILENAME)
  }
  for (i = 1; i <= sections; ++i) if (titles[i] == "Gradient transforms") transforms = i
}
pass == 1 && /^#include "gradus/ { name = FILENAME; sub(/^.*include\//, "", name); split($0, quoted, "\""); includes[name] = includes[name] " " quoted[2] }
/^namespace GRADUS_PUBLIC/ { is_public[FILENAME] = 1 }
pass == 2 && !is_public[FILENAME] { next }
/^namespace detail/ { skipping = 1 }
skipping { if (/^}  \/\/ namespace detail/) skipping = 0; next }
/^#|^ *\/\/ |^}  \/\/ namespace|^(inline )?namespace/ { if (!/^ *\/\/ /) { doc = ""; group = ++groups }; next }
pass == 1 {
  if (/^struct [A-Za-z]*Options \{/ || /^template <class T> struct [A-Za-z]*Options \{/) { options = $0; sub(/^.*struct /, "", options); sub(/ .*$/, "", options); pending = ""; next }
  if (/^};/) options = ""
  if (options != "" && !/^ *\/\//) {
    text = $0; sub(/ *\/\/.*$/, "", text); pending = trim(pending " " trim(text))
    if (pending !~ /;$/) next
    if (pending ~ /^(enum|using|static|friend)|\) const/) { pending = ""; next }
    sub(/;$/, "", pending)
    value = ""
    if ((at = index(pending, " = ")) > 0) { value = substr(pending, at + 3); pending = substr(pending, 1, at - 1) }
    sub(/^.* /, "", pending)
    fields[options] = fields[options] (fields[options] == "" ? "" : ", ") "." pending (value ~ /^(-?[0-9.e-]+|true|false|[a-zA-Z]*::[a-z]+|".*")$/ ? " = " value : "")
    pending = ""
  }
  next
}
skip_body { if ($0 ~ "^" body_indent "}") skip_body = 0; next }
/^ *\/\/\/($|[^<\/])/ {
  if (open == "") {
    if (!fresh) { doc = ""; ended = 0; group = ++groups }
    text = $0; sub(/^ *\/\/\/ ?/, "", text)
    if (text == "" && doc != "") ended = 1
    if (!ended) doc = doc (doc == "" ? "" : " ") text
    fresh = 1
    next
  }
}
/^ *$/ { doc = ""; group = ++groups; fresh = 0; next }
{ fresh = 0 }
inside != "" && /^};/ { inside = ""; doc = ""; group = ++groups; next }
inside != "" && /^ (public|private|protected):/ { public_part = /public/; doc = ""; next }
inside != "" && !public_part { next }
open == "" && inside != "" && !/^  [^ ]/ { next }
{
  text = $0; sub(/ *\/\/.*$/, "", text)
  open = open " " text
  ends = text ~ /[;{}]$/ || text ~ /\{.*\}$/
  if (!ends) next
  whole = open; open = ""
  if (inside == "" && whole ~ /^ *(template <.*> *)?(struct|class) [^;]*\{$/) {
    declared(whole, "", doc)
    inside = whole; sub(/^ *(template <.*> *)?(struct|class) /, "", inside); sub(/[ :{].*$/, "", inside)
    public_part = whole !~ /(^|> *| )class [A-Za-z]* ?[^,>]*\{$/ || whole ~ /^ *(template <.*> *)?struct /
    doc = ""
    next
  }
  declared(whole, inside, doc)
  if (text ~ /\{$/) { skip_body = 1; body_indent = $0; body_indent = inside == "" ? "" : "  " }
}

END {
  if (failed) exit 1
  print "<!-- Written by docs/builders; do not edit. -->"
  print "# What there is\n"
  print "All that the public headers declare, a line each: how it is called, with what it has by default, and what it is. The comments in the"
  print "headers say more. In braces are options, given by their names: `adam({.rate = 0.01})`. `" umbrella "` has them all, but for those"
  print "with another header behind them."
  for (s = 1; s <= sections; ++s) {
    print "\n## " titles[s] "\n"
    if (intro[s] != "") print intro[s] "\n"
    print "| | |\n|---|---|"
    for (r = 1; r <= count[s]; ++r) print "| " calls[s SUBSEP r] " | " sentences[s SUBSEP r] " |"
  }
}
