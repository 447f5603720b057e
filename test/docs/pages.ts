import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import GithubSlugger from "github-slugger";
import { marked } from "marked";
import type { Token } from "marked";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A fenced block of code in a page. */
export interface Block {
  /** The page, from the project's root. */
  readonly page: string;
  /** The line of its opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What the page shows right below it: the block of another language that follows with nothing in between. */
  readonly output: Block | undefined;
}

export interface Link {
  readonly page: string;
  readonly line: number;
  readonly href: string;
}

export interface Page {
  readonly path: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What `#fragment` may name in it. */
  readonly anchors: ReadonlySet<string>;
}

/** The languages of blocks that show what the block above them prints. */
const outputLanguages = new Set(["json", "text"]);

/** Every page of prose in the project, the generated ones too. */
export const pages: readonly Page[] = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && !path.startsWith("gen/src/"))
  .map(readPage);

export const blocks: readonly Block[] = pages.flatMap((page) => page.blocks);

/** Replaces what a page shows below a block. */
export function rewriteOutput({ page, language, text, output }: Block, printed: string): void {
  const path = join(root, page);
  const source = readFileSync(path, "utf8");
  const begin = `${fence}${language}\n${text}\n${fence}\n\n${fence}${output?.language}\n`;
  const [before, after, ...more] = source.split(begin);
  if (after === undefined || more.length > 0) throw new Error(`${page} has this block not once: ${text}`);
  writeFileSync(path, `${before}${begin}${printed}\n${after.slice(after.indexOf(`${fence}\n`))}`);
}

const fence = "```";

function readPage(path: string): Page {
  const source = readFileSync(join(root, path), "utf8");
  const blocks: { -readonly [key in keyof Block]: Block[key] }[] = [];
  const links: Link[] = [];
  const anchors = new Set<string>();
  const slugger = new GithubSlugger();
  let line = 1;
  let lastBlock: (typeof blocks)[number] | undefined;
  for (const token of marked.lexer(source)) {
    if (token.type === "heading") anchors.add(slugger.slug(plainText(token)));
    void marked.walkTokens([token], (inner) => {
      if (inner.type === "link") links.push({ page: path, line, href: String(inner["href"]) });
      if (inner.type !== "code") return;
      const { lang = "", text } = inner as unknown as { lang?: string; text: string };
      const block = { page: path, line, language: lang, text, output: undefined };
      if (lastBlock !== undefined && outputLanguages.has(lang) && !outputLanguages.has(lastBlock.language)) {
        lastBlock.output = block;
      }
      blocks.push(block);
    });
    if (token.type === "code") lastBlock = blocks.at(-1);
    else if (token.type !== "space") lastBlock = undefined;
    line += token.raw.split("\n").length - 1;
  }
  return { path, blocks, links, anchors };
}

function plainText(token: Token): string {
  if ("tokens" in token && token.tokens !== undefined) return token.tokens.map(plainText).join("");
  return "text" in token ? String(token.text) : "";
}
