import { connectionOptions } from "../connection/options.ts";
import { loadManual, optionsOf } from "../frame/manual.ts";
import type { Argument, Completion, Option, OptionTable } from "../frame/verb.ts";

/** What a shell may offer after the words of a verb. */
export interface Place {
  /** "" for the command itself, "git log" for a verb below another. */
  readonly path: string;
  readonly verbs: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionPlace[];
  readonly arguments: readonly ArgumentPlace[];
  /** Whether what follows the first argument is none of ours. */
  readonly passThrough: boolean;
}

export interface OptionPlace {
  /** "-l", "--label". */
  readonly names: readonly string[];
  readonly description: string;
  /** What its value may be; "text" for anything. Undefined: it takes none. */
  readonly takes: Completion | "text" | undefined;
  /** What its value is called. */
  readonly placeholder: string;
  readonly repeats: boolean;
}

export interface ArgumentPlace {
  readonly name: string;
  readonly completes: Completion | "text";
  readonly repeats: boolean;
}

/** The options that say which workspace is meant: a shell hands on those that were typed. */
export const connectionFlags = placesOf(connectionOptions).flatMap(({ names }) => names);

/** Every place, that of the command itself first. */
export async function loadPlaces(): Promise<readonly Place[]> {
  const manual = await loadManual();
  const summaryOf = (words: string) => manual.find((entry) => entry.words === words)?.summary ?? "";
  const top = manual.filter(({ words }) => !words.includes(" ")).map(({ words: name, summary }) => ({ name, summary }));
  const version = { names: ["-V", "--version"], description: "Show the version", ...switched };
  return [
    {
      path: "",
      verbs: top,
      options: [...placesOf(connectionOptions), version, help],
      arguments: [],
      passThrough: false,
    },
    ...manual.map(({ words, verb, verbs }) => ({
      path: words,
      verbs: verbs.map((name) => ({ name, summary: summaryOf(`${words} ${name}`) })),
      options: [...placesOf(optionsOf(verb)), help],
      arguments: (verb?.arguments ?? []).map(argumentPlace),
      passThrough: verb?.passThrough ?? false,
    })),
  ];
}

function placesOf(options: OptionTable): OptionPlace[] {
  return Object.values(options)
    .filter(({ hidden }) => !hidden)
    .map(place);
}

function place({ flags, description, kind, completes }: Option): OptionPlace {
  return {
    names: flags.match(/(?<![\w-])--?[\w-]+/g) ?? [],
    description,
    takes: kind === "flag" ? undefined : (completes ?? "text"),
    placeholder: /[<[](.*?)[>\]]/.exec(flags)?.[1] ?? "",
    repeats: kind === "list",
  };
}

function argumentPlace({ usage, completes }: Argument): ArgumentPlace {
  return { name: usage.replaceAll(/[<>[\].]/g, ""), completes: completes ?? "text", repeats: usage.includes("...") };
}

const switched = { takes: undefined, placeholder: "", repeats: false } as const;
const help: OptionPlace = { names: ["-h", "--help"], description: "Show help", ...switched };
