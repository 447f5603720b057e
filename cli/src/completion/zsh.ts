import { connectionFlags } from "./model.ts";
import type { ArgumentPlace, OptionPlace, Place } from "./model.ts";
import { signalNames } from "./signals.ts";

/** The script for zsh: the words are in it with what they mean, ids and paths are asked of `yonder`. */
export function zshScript(places: readonly Place[]): string {
  return `#compdef yonder
# Completion of yonder for zsh. To have it in every shell: yonder completion zsh > "\${fpath[1]}/_yonder"

# Offers what yonder finds. $1: the kind.
_yonder_find() {
  local -a found connection
  local index word
  for ((index = 2; index <= $#_yonder_words; index++)); do
    word=\${(Q)_yonder_words[index]}
    case $word in
      ${connectionFlags.join("|")}) connection+=("$word" "\${(Q)_yonder_words[index + 1]}") ;;
      ${connectionFlags.map((flag) => `${flag}=*`).join("|")}) connection+=("$word") ;;
    esac
  done
  found=("\${(@f)$("\${(Q)_yonder_words[1]}" __complete "$1" $connection -- "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  found=(\${found:#})
  if [[ $1 == *-path ]]; then compadd -S '' -a found; else compadd -a found; fi
}

_yonder_either() {
  local ret=1
  _files && ret=0
  _yonder_find either-path && ret=0
  return ret
}

${places.map(verbFunction).join("\n")}
_yonder() {
  local -a _yonder_words=("\${words[@]}")
  ${functionOf("")}
}

if [[ $funcstack[1] == _yonder ]]; then _yonder "$@"; else compdef _yonder yonder; fi
`;
}

function verbFunction({ path, verbs, options, arguments: places, passThrough }: Place): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...(verbs.length > 0 ? ["'1: :->verb'", "'*:: :->rest'"] : argumentSpecs(places)),
  ];
  // What follows the first argument has options of its own.
  const how = `-s -S${verbs.length > 0 ? " -C" : ""}${passThrough ? " -A '-*'" : ""}`;
  const call = `_arguments ${how} ${specs.map((spec) => `\\\n    ${spec}`).join(" ")}`;
  if (verbs.length === 0) return `${functionOf(path)}() {\n  ${call}\n}\n`;
  return `${functionOf(path)}() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  local -a verbs=(
${verbs.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(":", String.raw`\:`)}`)}\n`).join("")}  )
  ${call}
  case $state in
    verb) _describe -t commands command verbs ;;
    rest)
      case $words[1] in
${verbs.map(({ name }) => `        ${name}) ${functionOf(path === "" ? name : `${path} ${name}`)} ;;\n`).join("")}      esac
      ;;
  esac
}
`;
}

/** One a name, each shutting out the others unless it repeats. */
function optionSpecs({ names, description, takes, placeholder, repeats }: OptionPlace): string[] {
  return names.map((name) => {
    const others = repeats ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
    const value = takes === undefined ? "" : `:${escape(placeholder)}:${action(takes)}`;
    // A long one may also have its value after "=".
    const form = takes !== undefined && name.startsWith("--") ? `${name}=` : name;
    return quote(`${others}${form}[${escape(description).replaceAll(/[[\]]/g, String.raw`\$&`)}]${value}`);
  });
}

/** None for those that may be anything: zsh would no longer insert the one option that fits, since it may be one of them. */
function argumentSpecs(places: readonly ArgumentPlace[]): string[] {
  return places.flatMap(({ name, completes, repeats }, index) =>
    completes === "text" ? [] : quote(`${repeats ? "*" : index + 1}:${escape(name)}:${action(completes)}`),
  );
}

function action(completes: ArgumentPlace["completes"]): string {
  switch (completes) {
    case "text":
      return " ";
    case "local-path":
      return "_files";
    case "either-path":
      return "_yonder_either";
    case "remote-path":
    case "exec-id":
    case "profile":
      return `{_yonder_find ${completes}}`;
    case "signal":
      return `(${signalNames.join(" ")})`;
    default:
      return `(${completes.join(" ")})`;
  }
}

function functionOf(path: string): string {
  return path === "" ? "_yonder_command" : `_yonder_verb_${path.replaceAll(/[ -]/g, "_")}`;
}

function escape(text: string): string {
  return text.replaceAll(":", String.raw`\:`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
