#!/usr/bin/env bash
# What this is.

# Where it lives.
ROOT=/usr
ROOT=/opt
readonly LIMIT=10 OTHER=20
declare -r FIXED=1
declare -A map=([a]=1)
export PATH="$PATH:$ROOT/bin"
list=(a b)
list[1]=c
PREFIX=x command --flag

# Does something.
do_it() {
    local inner=1
    global=2
    nested() { :; }
}

function other {
    :
}

function with-dashes.and_dots () (
    sub=1
)

if true; then
    CONDITIONAL=1
fi

(subshell=1)
output=$(hidden=1; echo "$hidden")
for i in 1 2; do looped=1; done
cat <<EOF
not_a_variable=1
not_a_function() { }
EOF

source ./lib/own.sh
. "lib/other.sh" argument

mentions() {
    local made="$1 ${output:-$CONDITIONAL} $(helper "$made" | sort -u)"
    [[ -n $made ]] && /usr/bin/printf '%s $not' "${array[$index]}"
    if command -v git; then (( total += count )); fi
    trap cleanup EXIT
}
