import { connectionFlags } from "./model.ts";
import type { ArgumentPlace, OptionPlace, Place } from "./model.ts";
import { signalNames } from "./signals.ts";

/** The script for fish: the words are in it with what they mean, ids and paths are asked of `yonder`. */
export function fishScript(places: readonly Place[]): string {
  return `# Completion of yonder for fish. To have it in every shell:
#   yonder completion fish > ~/.config/fish/completions/yonder.fish

# Whether an option takes a value. $argv: the verb's words and the option, as one.
function __yonder_takes
    switch "$argv"
        case ${places.flatMap(valued).map(quote).join(" ")}
            return 0
    end
    return 1
end

function __yonder_is_verb
    switch "$argv"
        case ${places
          .filter(({ path }) => path !== "")
          .map(({ path }) => quote(path))
          .join(" ")}
            return 0
    end
    return 1
end

# What was typed before the current word, as "the verb's words/the number of its arguments".
function __yonder_place
    set -l at
    set -l number 0
    set -l expects 0
    for word in (commandline -opc)[2..-1]
        if test $expects = 1
            set expects 0
        else if string match -q -- '--*=*' $word
            continue
        else if string match -q -- '-*' $word
            __yonder_takes "$at $word"; and set expects 1
        else if __yonder_is_verb (string join ' ' $at $word); and test $number = 0
            set at $at $word
        else
            set number (math $number + 1)
        end
    end
    echo "$at/$number"
end

# Whether we are after the verb $argv[1], and, if it is given, at its argument number $argv[2].
function __yonder_at
    set -l place (string split / (__yonder_place))
    test "$place[1]" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test "$place[2]" = "$argv[2]"
end

function __yonder_find
    set -l words (commandline -opc)
    set -l connection
    for index in (seq 2 (count $words))
        switch $words[$index]
            case ${connectionFlags.join(" ")}
                set -a connection $words[$index] $words[(math $index + 1)]
            case ${connectionFlags.map((flag) => quote(`${flag}=*`)).join(" ")}
                set -a connection $words[$index]
        end
    end
    set -l current (string unescape -- (commandline -ct))
    string match -q -- '-*=*' $current; and set current (string replace -r '^[^=]*=' '' -- $current)
    $words[1] __complete $argv[1] $connection -- "$current" 2>/dev/null </dev/null
end

complete -c yonder -e
complete -c yonder -f
${places.map(lines).join("")}`;
}

function lines({ path, verbs, options, arguments: places, passThrough }: Place): string {
  const at = quote(`__yonder_at ${quote(path)}`);
  // What follows the first argument has options of its own.
  const beforeArguments = passThrough ? quote(`__yonder_at ${quote(path)} 0`) : at;
  return [
    ...verbs.map(({ name, summary }) => {
      const here = quote(`__yonder_at ${quote(path)} 0`);
      return `complete -c yonder -n ${here} -a ${name} -d ${quote(summary)}\n`;
    }),
    ...options.map(
      (option) => `complete -c yonder -n ${beforeArguments} ${flags(option)} -d ${quote(option.description)}\n`,
    ),
    ...places.map((place, index) => {
      const offered = value(place.completes);
      const here = place.repeats ? at : quote(`__yonder_at ${quote(path)} ${index}`);
      return offered === "" ? "" : `complete -c yonder -n ${here} ${offered}\n`;
    }),
  ].join("");
}

function flags({ names, takes }: OptionPlace): string {
  const words = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  return takes === undefined ? words : `${words} -r ${value(takes) || "-f"}`;
}

function value(completes: ArgumentPlace["completes"]): string {
  switch (completes) {
    case "text":
      return "";
    case "local-path":
      return "-F";
    case "either-path":
      return "-F -a '(__yonder_find either-path)'";
    case "remote-path":
    case "exec-id":
    case "profile":
      return `-f -a '(__yonder_find ${completes})'`;
    case "signal":
      return `-f -a ${quote(signalNames.join(" "))}`;
    default:
      return `-f -a ${quote(completes.join(" "))}`;
  }
}

function valued({ path, options }: Place): string[] {
  return options
    .filter(({ takes }) => takes !== undefined)
    .flatMap(({ names }) => names.map((name) => `${path} ${name}`));
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
