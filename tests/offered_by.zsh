# Prints what zsh offers for the last word of a line: zsh -f offered_by.zsh SCRIPT LINE
zmodload zsh/zpty || exit 3
zpty shell zsh -f -i
zpty -w shell "autoload -Uz compinit; compinit -u; source ${(q)1}"
# With -O, -A and -D a function asks which words would match, and nothing is offered.
zpty -w shell '
compadd () {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
  local -a matching
  builtin compadd -A matching "$@"
  local word
  for word in $matching; do print -r -- "offered:$word"; done
}
bindkey "^I" complete-word
zle -C complete-word complete-word _main_complete
finish () { print "the-""end"; exit }
zle -N finish
bindkey "^X" finish
print "rea""dy"'
local line
while zpty -r shell line; do [[ $line == *ready* ]] && break; done
zpty -n -w shell "$2"$'\t\x18'
while zpty -r shell line; do
  print -r -- "$line"
  [[ $line == *the-end* ]] && break
done
exit 0
