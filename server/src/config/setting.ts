import { formatDuration, formatSize, parseDuration, parseSize } from "./quantities.ts";

/** One thing that can be set: as a flag, as an environment variable and, by `startServer`, as an option. */
export interface Setting<T> {
  /** Without its dashes: "drain-timeout". */
  readonly flag: string;
  /** What stands for the value in help; undefined for a switch. */
  readonly placeholder: string | undefined;
  readonly defaultValue: T;
  /** The default as text, where there is one to show. */
  readonly defaultText: string | undefined;
  /** Which values are taken, for help, docs and refusals; undefined where that goes without saying. */
  readonly range: string | undefined;
  /** A sentence without its period, begun with a capital. */
  readonly help: string;
  /** Whether a flag may stand several times, and a variable hold several values with commas between. */
  readonly isList: boolean;
  /** Turns the texts given (one, unless it is a list) into the value. Throws an Error that says what is wrong. */
  parse(texts: readonly string[]): T;
  /** Throws an Error unless a value given as such is one that `parse` could return. */
  check(value: T): void;
}

interface Common {
  readonly flag: string;
  readonly help: string;
}

/** A text of any kind; an empty one is refused. */
export function text(setting: Common & { placeholder: string; defaultText?: string }): Setting<string | undefined> {
  return { ...base(setting), defaultValue: undefined, parse: ([value]) => notEmpty(value), check: notEmpty };
}

export function textWithDefault(setting: Common & { placeholder: string; defaultValue: string }): Setting<string> {
  const { defaultValue } = setting;
  return {
    ...base(setting),
    defaultValue,
    defaultText: defaultValue,
    parse: ([value]) => notEmpty(value),
    check: notEmpty,
  };
}

/** True or false: as a flag it stands for itself, as a variable it is "true" or "false". */
export function toggle(setting: Common): Setting<boolean> {
  return {
    ...base(setting),
    defaultValue: false,
    parse: ([value]) => {
      if (value === "true" || value === "1") return true;
      if (value === "false" || value === "0") return false;
      throw new Error('it is "true" or "false"');
    },
    check: () => {},
  };
}

export function choice<const T extends string>(
  setting: Common & { placeholder: string; values: readonly T[]; defaultValue: T },
): Setting<T> {
  const range = setting.values.join(", ");
  const check = (value: string): void => {
    if (!setting.values.some((known) => known === value)) throw new Error(`it is one of: ${range}`);
  };
  return {
    ...base(setting),
    range,
    defaultValue: setting.defaultValue,
    defaultText: setting.defaultValue,
    parse: ([value = ""]) => {
      check(value);
      return value as T;
    },
    check,
  };
}

interface NumberSetting {
  readonly defaultValue: number;
  readonly min: number;
  readonly max: number;
}

export function count(setting: Common & NumberSetting): Setting<number> {
  return number(setting, "N", parseCount, String);
}

export function duration(setting: Common & NumberSetting): Setting<number> {
  return number(setting, "DURATION", parseDuration, formatDuration);
}

export function size(setting: Common & NumberSetting): Setting<number> {
  return number(setting, "SIZE", parseSize, formatSize);
}

export function port(setting: Common & { defaultValue: number | undefined }): Setting<number | undefined> {
  const { defaultValue } = setting;
  const inner = number(
    { ...setting, defaultValue: defaultValue ?? 0, min: 0, max: 65_535 },
    "PORT",
    parseCount,
    String,
  );
  return {
    ...inner,
    defaultValue,
    defaultText: defaultValue?.toString(),
    check: (value) => (value === undefined ? undefined : inner.check(value)),
  };
}

export function list(
  setting: Common & { placeholder: string; range: string; checkItem(item: string): void },
): Setting<readonly string[]> {
  const check = (items: readonly string[]): void => items.forEach((item) => setting.checkItem(item));
  return {
    ...base(setting),
    range: setting.range,
    isList: true,
    defaultValue: [],
    parse(items) {
      check(items);
      return items;
    },
    check,
  };
}

/** Names with values, as NAME=VALUE. */
export function pairs(setting: Common): Setting<Readonly<Record<string, string>>> {
  return {
    ...base({ ...setting, placeholder: "NAME=VALUE" }),
    isList: true,
    defaultValue: {},
    parse: (items) =>
      Object.fromEntries(
        items.map((item) => {
          const [, name, value] = /^([^=]+)=(.*)$/s.exec(item) ?? [];
          if (name === undefined || value === undefined) throw new Error("it has the form NAME=VALUE");
          return [name, value];
        }),
      ),
    check: () => {},
  };
}

function base({ flag, help, placeholder, defaultText }: Common & { placeholder?: string; defaultText?: string }) {
  return { flag, help, placeholder, defaultText, range: undefined, isList: false };
}

function number(
  setting: Common & NumberSetting,
  placeholder: string,
  parse: (text: string) => number,
  show: (value: number) => string,
): Setting<number> {
  const { flag, help, defaultValue, min, max } = setting;
  const range = `${show(min)} to ${show(max)}`;
  const check = (value: number): void => {
    if (!Number.isSafeInteger(value) || value < min || value > max) throw new Error(`it lies in the range ${range}`);
  };
  return {
    ...base({ flag, help, placeholder, defaultText: show(defaultValue) }),
    range,
    defaultValue,
    parse: ([value = ""]) => {
      const parsed = parse(value);
      check(parsed);
      return parsed;
    },
    check,
  };
}

function parseCount(value: string): number {
  if (!/^\d+$/.test(value)) throw new Error("it is a whole number");
  return Number(value);
}

function notEmpty(value: string | undefined): string {
  if (value === undefined || value === "") throw new Error("it is empty");
  return value;
}
