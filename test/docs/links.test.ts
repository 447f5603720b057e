import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { pages, root } from "./pages.ts";

const byPath = new Map(pages.map((page) => [page.path, page]));

test.each(pages.filter(({ links }) => links.length > 0))("every link of $path leads somewhere", ({ path, links }) => {
  const broken = links.flatMap(({ line, href }) => {
    if (/^(https?|mailto):/.test(href)) return URL.canParse(href) ? [] : [`${path}:${line}: ${href} is no address`];
    const [file = "", fragment] = href.split("#");
    const target = file === "" ? path : normalize(join(dirname(path), decodeURIComponent(file)));
    if (!existsSync(join(root, target))) return [`${path}:${line}: there is no ${target}`];
    if (fragment === undefined || !target.endsWith(".md")) return [];
    return byPath.get(target)?.anchors.has(fragment) === true
      ? []
      : [`${path}:${line}: ${target} has no heading #${fragment}`];
  });
  expect(broken).toEqual([]);
});
