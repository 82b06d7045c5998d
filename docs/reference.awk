# What Doxygen reads of a header, line for line, by three conventions of this project:
# - a header without GRADUS_PUBLIC is internal;
# - a comment above a declaration holds for those below it, up to the next blank line or comment;
# - the class of an op is its implementation: users meet its builders;
# - an override is documented where the function is first declared.
BEGIN {
  public = ARGV[1] ~ /\.md$/
  while (!public && (getline line < ARGV[1]) > 0) public = line ~ /GRADUS_PUBLIC/
  close(ARGV[1])
}
!public { print ""; next }
function indent(line) { match(line, /^ */); return RLENGTH }
/^(template <.*> )?(struct|class) / && !/Options/ && FILENAME ~ /(^|\/)(ops\/|framework\/autodiff\/add\.)/ { printf "/** \\cond */ "; hidden = 1 }
hidden { if (/^};/) { print $0 " /** \\endcond */"; hidden = 0 } else print; next }
/^ *\/\/\/($|[^<\/])/ {
  if (!fresh) { doc = ""; at = indent($0) }
  text = $0; sub(/^ *\/\/\/ ?/, "", text)
  doc = doc text " "; fresh = 1; print; next
}
/^ *$/ { doc = ""; fresh = 0; print; next }
{
  # A declaration that begins here, at the comment's indentation, and does not go on with the line before.
  starts = !open && indent($0) == at && $0 !~ /^ *(}|public:|private:|protected:|#|\/\/|friend class)/
  if (/^  [^ ].*\) (const )?(final|override)( \{.*)?;?$/) printf "/** As in the base class. */ "
  else if (doc != "" && !fresh && starts && $0 !~ /\/\/\/</) printf "/** %s*/ ", doc
  fresh = 0
  if (indent($0) == at || open) open = $0 !~ /[;}] *(\/\/.*)?$/ && $0 !~ /^ *(public|private|protected):/
  if (indent($0) < at) { doc = ""; open = 0 }
  print
}
