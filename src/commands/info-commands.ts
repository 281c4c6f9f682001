/** INFO's sections Commandstats, Errorstats and Latencystats, as Redis writes them. Times: command-times.ts. */
import type { Server } from "../session/server.ts";
import type { InfoLines } from "./info-lines.ts";
import { displayName } from "./refusal-words.ts";

/** Commands that were asked for at least once. */
export function aboutCommands(server: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { name, calls, usec, rejections, failures } of server.commands.entries()) {
    if (calls + rejections === 0) continue;
    const perCall = (calls === 0 ? 0 : usec / calls).toFixed(2);
    const times = `calls=${calls},usec=${Math.floor(usec)},usec_per_call=${perCall}`;
    lines[`cmdstat_${displayName(name)}`] =
      `${times},rejected_calls=${rejections},failed_calls=${failures}`;
  }
  return lines;
}

export function aboutErrors(server: Server): InfoLines {
  const counts = server.errors.byCode();
  return Object.fromEntries(counts.map(([code, count]) => [`errorstat_${code}`, `count=${count}`]));
}

export function aboutLatencies(server: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { name, latencies } of server.commands.entries()) {
    if (latencies === null) continue;
    lines[`latency_percentiles_usec_${displayName(name)}`] = server.insight.percentiles
      .map((percentile) => `p${percentile}=${latencies.percentile(percentile).toFixed(3)}`)
      .join(",");
  }
  return lines;
}
