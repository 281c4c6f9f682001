/**
 * INFO: sections of lines `name:value`. The core's are in info-sections.ts; what plugins add to one of those stands below
 * its lines, sections of their own follow the core's. A section that does not exist is answered by nothing.
 */
import type { Server } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { InfoLines } from "./info-lines.ts";
import { INFO_SECTIONS, type InfoSection } from "./info-sections.ts";
import type { Reply } from "./reply.ts";

function info(session: Session, args: Arguments, reply: Reply): void {
  const wanted = new Set<string>();
  for (let i = 1; i < args.count; i++) wanted.add(args.latin(i).toLowerCase());
  const isEverything = wanted.has("all") || wanted.has("everything");
  const isDefault = wanted.size === 0 || wanted.has("default");
  const texts = sectionsOf(session.server)
    .filter((section) => {
      if (wanted.has(section.title.toLowerCase())) return true;
      if (isEverything) return section.shown !== "byName";
      return isDefault && section.shown === "default";
    })
    .map((section) => sectionText(section.title, section.lines(session.server)));
  reply.verbatim(texts.join("\r\n"), "txt");
}

function sectionsOf(server: Server): readonly InfoSection[] {
  const added = new Map([...server.info].map(([name, lines]) => [name.toLowerCase(), lines]));
  const own = INFO_SECTIONS.map((section) => {
    const more = added.get(section.title.toLowerCase());
    added.delete(section.title.toLowerCase());
    if (more === undefined) return section;
    return { ...section, lines: (of: Server) => ({ ...section.lines(of), ...more() }) };
  });
  const others = [...added].map(([name, lines]) => ({
    title: name.charAt(0).toUpperCase() + name.slice(1),
    shown: "default" as const,
    lines,
  }));
  return [...own, ...others];
}

function sectionText(title: string, lines: InfoLines): string {
  const rows = Object.entries(lines).map(([name, value]) => `${name}:${value}\r\n`);
  return `# ${title}\r\n${rows.join("")}`;
}

export const infoCommands: readonly Command[] = [
  {
    name: "INFO",
    arity: -1,
    flags: ["loading", "stale"],
    group: "server",
    since: "1.0.0",
    summary: "Returns what the server knows about itself, by sections.",
    syntax: "[section [section ...]]",
    run: info,
  },
];
