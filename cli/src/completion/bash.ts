import { connectionFlags } from "./model.ts";
import type { ArgumentPlace, OptionPlace, Place } from "./model.ts";
import { signalNames } from "./signals.ts";

/** The script for bash, from 3.2 on: the words are in it, ids and paths are asked of `yonder`. */
export function bashScript(places: readonly Place[]): string {
  return `# Completion of yonder for bash. To have it in every shell: source <(yonder completion bash)

# What may stand at a place; in REPLY.
_yonder_verbs() {
  case $1 in
${cases(places, ({ verbs }) => verbs.map(({ name }) => name).join(" "))}
  esac
}

_yonder_options() {
  case $1 in
${cases(places, ({ options }) => options.flatMap(({ names }) => names).join(" "))}
  esac
}

# What the value of an option may be: a kind, or "words ..."; empty for one that takes none.
_yonder_takes() {
  case $1 in
${places.map(takes).join("")}    *) REPLY= ;;
  esac
}

# The same for the argument with this number.
_yonder_argument() {
  case $1 in
${places.map(argumentCases).join("")}    *) REPLY= ;;
  esac
}

_yonder_passes_through() {
  case $1 in
${places
  .filter(({ passThrough }) => passThrough)
  .map(({ path }) => `    ${quote(path)}) return 0 ;;\n`)
  .join("")}    *) return 1 ;;
  esac
}

_yonder_is_connection() {
  case $1 in
    ${connectionFlags.join("|")}) return 0 ;;
    *) return 1 ;;
  esac
}

# Bash takes ":" and "=" for the ends of words; here only blanks are. In words; the last one goes up to the cursor.
_yonder_split() {
  local line=\${COMP_LINE:0:COMP_POINT} i part
  words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=\${COMP_WORDS[i]}
    if [[ $i -eq 0 || $line == [[:space:]]* ]]; then
      line=\${line#"\${line%%[![:space:]]*}"}
      words+=("")
    fi
    [[ $i -eq COMP_CWORD ]] && part=$line
    words[\${#words[@]} - 1]+=$part
    line=\${line#"$part"}
  done
}

# Offers what begins with the current word, but for the part that bash keeps. $1: the candidates, one a line.
_yonder_offer() {
  local candidate kept=
  if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then kept=\${current%"\${current##*:}"}; fi
  if [[ $COMP_WORDBREAKS == *=* && $current == *=* && \${current%"\${current##*=}"} == "$kept"* ]]; then
    kept=\${current%"\${current##*=}"}
  fi
  while IFS= read -r candidate; do
    [[ -n $candidate && $candidate == "$current"* ]] && COMPREPLY+=("\${candidate#"$kept"}")
  done <<< "$1"
}

# $1: the kind; $2: what stands before the value in its word, as in "--host=".
_yonder_kind() {
  local kind=$1 before=$2 value=\${current#"$2"} found file
  case $kind in
    words\\ *) _yonder_offer "$(printf -- "$before%s\\n" \${kind#words })" ;;
    local-path|either-path)
      compopt -o filenames 2>/dev/null
      found=
      while IFS= read -r file; do found+=$before$file$'\\n'; done < <(compgen -f -- "$value")
      _yonder_offer "$found"
      ;;
  esac
  case $kind in
    exec-id|profile|remote-path|either-path)
      [[ $kind == *-path ]] && compopt -o filenames -o nospace 2>/dev/null
      found=
      while IFS= read -r file; do found+=$before$file$'\\n'; done \\
        < <("\${words[0]}" __complete "$kind" \${connection[@]+"\${connection[@]}"} -- "$value" 2>/dev/null </dev/null)
      _yonder_offer "$found"
      ;;
  esac
}

_yonder() {
  local words current at= expects= option= number=0 dashes= i word REPLY
  local -a connection=()
  COMPREPLY=()
  _yonder_split
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ -n $expects ]]; then
      _yonder_is_connection "$option" && connection+=("$option" "$word")
      expects=
    elif [[ -z $dashes && $word == -- ]]; then
      dashes=1
    elif [[ -z $dashes && $word == --*=* ]]; then
      _yonder_is_connection "\${word%%=*}" && connection+=("$word")
    elif [[ -z $dashes && $word == -?* ]]; then
      option=$word
      _yonder_takes "$at $word"
      expects=$REPLY
    else
      _yonder_verbs "$at"
      if [[ " $REPLY " == *" $word "* ]]; then
        at="\${at:+$at }$word"
      else
        number=$((number + 1))
        _yonder_passes_through "$at" && dashes=1
      fi
    fi
  done
  # As it will be without the quotes that it is typed with.
  current=\${words[\${#words[@]} - 1]}
  current=\${current#[\\"\\']}
  current=\${current//\\\\/}
  if [[ -n $expects ]]; then
    _yonder_kind "$expects" ""
  elif [[ -z $dashes && $current == --*=* ]]; then
    _yonder_takes "$at \${current%%=*}"
    _yonder_kind "$REPLY" "\${current%%=*}="
  elif [[ -z $dashes && $current == -* ]]; then
    _yonder_options "$at"
    _yonder_kind "words $REPLY" ""
  else
    _yonder_verbs "$at"
    if [[ -n $REPLY && -z $dashes ]]; then
      _yonder_kind "words $REPLY" ""
    else
      _yonder_argument "$at $number"
      _yonder_kind "$REPLY" ""
    fi
  fi
}

complete -F _yonder yonder
`;
}

function cases(places: readonly Place[], words: (place: Place) => string): string {
  const filled = places.filter((place) => words(place) !== "");
  return [
    ...filled.map((place) => `    ${quote(place.path)}) REPLY=${quote(words(place))} ;;`),
    "    *) REPLY= ;;",
  ].join("\n");
}

function takes({ path, options }: Place): string {
  return options
    .filter(({ takes }) => takes !== undefined)
    .map(
      (option) =>
        `    ${option.names.map((name) => quote(`${path} ${name}`)).join("|")}) REPLY=${quote(kindOf(option))} ;;\n`,
    )
    .join("");
}

function argumentCases({ path, arguments: places }: Place): string {
  return places
    .map((place, index) => {
      const pattern = place.repeats ? `${quote(`${path} `)}*` : quote(`${path} ${index}`);
      return place.completes === "text" ? "" : `    ${pattern}) REPLY=${quote(kindOf(place))} ;;\n`;
    })
    .join("");
}

function kindOf(place: OptionPlace | ArgumentPlace): string {
  const kind = "takes" in place ? (place.takes ?? "") : place.completes;
  if (kind === "signal") return `words ${signalNames.join(" ")}`;
  return typeof kind === "string" ? kind : `words ${kind.join(" ")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
