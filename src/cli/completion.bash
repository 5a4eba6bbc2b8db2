# Completion of colossus for bash. Verbs and options are read from the program's own help, so they are never behind it;
# pools are asked of the daemon, if it answers at once.

_colossus_verbs() {
    colossus --help 2>/dev/null | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z-]*\( [a-z]*\)\{0,1\}\)  .*/\1/p'
}

_colossus_options() {
    # shellcheck disable=SC2086 # a verb may be two words
    colossus $1 --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u
}

_colossus_pools() {
    colossus pools --timeout 1 2>/dev/null | sed -n '2,$s/ .*//p'
}

# The verb among the words before the cursor ("reserve", "token create"), and how many arguments follow it.
_colossus_parse() {
    local word skip=
    verb='' arguments=0
    for word in "${words[@]:1:cword-1}"; do
        if [[ -n $skip ]]; then
            skip=
        elif [[ $word == --*=* ]]; then
            :
        elif [[ $word == -* ]]; then
            case $word in
            -h | --help | -V | --version | -n | --dry-run | -y | --yes | --waive-fee | -a | --all | -F | --follow | --operator | --sql) ;;
            *) skip=1 ;;
            esac
        elif [[ -z $verb ]]; then
            verb=$word
        elif [[ $verb == token ]]; then
            verb="token $word"
        else
            arguments=$((arguments + 1))
        fi
    done
}

_colossus() {
    local cur prev words cword verb arguments
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur prev words cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    _colossus_parse

    case $prev in
    -o | --output) mapfile -t COMPREPLY < <(compgen -W 'table json' -- "$cur") && return ;;
    --tier) mapfile -t COMPREPLY < <(compgen -W 'firm preemptible' -- "$cur") && return ;;
    --order) mapfile -t COMPREPLY < <(compgen -W 'earliest cheapest' -- "$cur") && return ;;
    --pools) mapfile -t COMPREPLY < <(compgen -W "$(_colossus_pools)" -- "$cur") && return ;;
    --state) mapfile -t COMPREPLY < <(compgen -W 'waiting held booked active completed cancelled expired' -- "$cur") && return ;;
    --pool) mapfile -t COMPREPLY < <(compgen -W "$(_colossus_pools)" -- "$cur") && return ;;
    --socket | --token-file | -f | --file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_colossus_options "$verb")" -- "$cur")
    elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_colossus_verbs | cut -d' ' -f1 | sort -u)" -- "$cur")
    elif [[ $verb == token ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_colossus_verbs | sed -n 's/^token //p')" -- "$cur")
    else
        case $verb-$arguments in
        reserve-0 | calendar-0 | capacity-0) mapfile -t COMPREPLY < <(compgen -W "$(_colossus_pools)" -- "$cur") ;;
        capacity-1) mapfile -t COMPREPLY < <(compgen -W 'initial growth delay maintenance outage retirement' -- "$cur") ;;
        apply-0 | verify-0) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        esac
    fi
}

complete -F _colossus colossus
