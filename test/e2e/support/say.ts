/** A program that sends one command to a port of 127.0.0.1 and prints the reply: for places where only programs get. */
import { Client } from "./client.ts";

const [port = "", ...command] = process.argv.slice(2);
try {
  using client = await Client.connect({ host: "127.0.0.1", port: Number(port) });
  process.stdout.write(`${JSON.stringify(await client.call(...command))}\n`);
} catch (error) {
  process.stdout.write(`${(error as NodeJS.ErrnoException).code ?? String(error)}\n`);
}
