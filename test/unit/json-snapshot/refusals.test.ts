/** Every way to write a file wrong: refused with line and column, and with what was expected there. */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { MAX_JSON_DEPTH } from "../../../src/limits.ts";
import { createRecordingSink } from "../../suites/index.ts";
import { diskWith, FILE, fileOf, make, refusal } from "./support.ts";

/** The place is counted by the test: `^` stands before what is wrong, and is no part of the file. */
function expectRefused(marked: string, code = "DAMAGE"): Promise<string> {
  const at = marked.indexOf("^");
  const before = marked
    .slice(0, at)
    .replace(/^\ufeff/, "")
    .split("\n");
  const column = [...(before.at(-1) ?? "")].length + 1;
  const content = marked.slice(0, at) + marked.slice(at + 1);
  return refusal(content).then((error) => {
    const place = `${FILE}:${before.length}:${column}: `;
    expect(error.message.slice(0, place.length)).toBe(place);
    expect(error.code as string).toBe(code);
    return error.message.slice(place.length);
  });
}

/** An entry, or several, in database 0. */
const within = (entries: string): string => `{"databases":{"0":{${entries}}}}`;

describe("the file", () => {
  test.each<[string, string]>([
    ["^", "'{'"],
    ["  \n ^", "'{'"],
    ["^[]", "'{'"],
    ["^null", "'{'"],
    ["^\0", "'{'"],
    ["^// a comment\n{}", "'{'"],
    ["{^}", '"databases"'],
    ['{"kvdb":{}^}', '"databases"'],
    ["{^databases:{}}", '"kvdb" or "databases"'],
    ['{^"name":"Alice"}', '"kvdb" or "databases"'],
    ['{"databases" ^{}}', "':'"],
    ['{"databases":^[]}', "an object"],
    ['{"databases":{}^', "',' or '}'"],
    ['{"databases":{},^}', '"kvdb" or "databases"'],
    ['{"databases":{},^"databases":{}}', '"databases" only once'],
    ['{"databases":{}}^}', "nothing behind the last '}'"],
    ['{"databases":{}}\n\n^{}', "nothing behind the last '}'"],
    ['{"databases":{}}^\0\0', "nothing behind the last '}'"],
    ['{"databases":{}}^"', "nothing behind the last '}'"],
    ['{"databases":{}} ^"and more', "nothing behind the last '}'"],
    ['{"databases":{}}\n^12', "nothing behind the last '}'"],
    ['{"databases":{}}^tru', "nothing behind the last '}'"],
    ['\ufeff{"databases":{}}^\ufeff', "nothing behind the last '}'"],
  ])("%j", async (marked, expected) => {
    expect(await expectRefused(marked)).toStartWith(`expected ${expected}`);
  });
});

describe("the head", () => {
  test.each<[string, string]>([
    ['{"kvdb":^1}', "an object"],
    ['{"kvdb":{^"revison":1}}', '"format" or "revision" or "time" or "crc32"'],
    ['{"kvdb":{"revision":1,^"revision":1}}', '"revision" only once'],
    ['{"kvdb":{"format":^2}}', "1"],
    ['{"kvdb":{"format":^"1"}}', "1"],
    ['{"kvdb":{"revision":^-1}}', "a whole number up to 140737488355328"],
    ['{"kvdb":{"revision":^1.0}}', "a whole number"],
    ['{"kvdb":{"revision":^140737488355329}}', "a whole number"],
    ['{"kvdb":{"revision":^"1"}}', "a whole number"],
    ['{"kvdb":{"time":^"yesterday"}}', "a moment such as"],
    ['{"kvdb":{"time":^0}}', "a moment such as"],
    ['{"kvdb":{"crc32":^12345678}}', "a checksum in quotes"],
  ])("%j", async (marked, expected) => {
    expect(await expectRefused(marked)).toStartWith(`expected ${expected}`);
  });
});

describe("databases", () => {
  test.each<[string, string]>([
    ['{"databases":{^0:{}}}', "the number of a database in quotes"],
    ['{"databases":{^"":{}}}', "the number of a database"],
    ['{"databases":{^"00":{}}}', "the number of a database"],
    ['{"databases":{^"-1":{}}}', "the number of a database"],
    ['{"databases":{^"1.0":{}}}', "the number of a database"],
    ['{"databases":{^"1234567890":{}}}', "the number of a database"],
    ['{"databases":{^"name":"Alice"}}', "the number of a database"],
    ['{"databases":{"0":^"name"}}', "an object with the entries"],
    ['{"databases":{"0":{},^"0":{}}}', "database 0 only once"],
    ['{"databases":{"0":{} ^"1":{}}}', "',' or '}'"],
    ['{"databases":{"0":{},^}}', "the number of a database"],
  ])("%j", async (marked, expected) => {
    expect(await expectRefused(marked)).toStartWith(`expected ${expected}`);
  });
});

describe("entries", () => {
  test.each<[string, string]>([
    ['^name:"Alice"', "a key in quotes or '}'"],
    ['"a":1,^', "a key in quotes"],
    ['"a" ^1', "':'"],
    ['"a":^', "a value"],
    ['"a":^,', "a value"],
    ['"a":^Alice', "a value"],
    ['"a":^nul', "a value"],
    ['"a":^truth', "a value"],
    ['"a":1 ^"b":2', "',' or '}'"],
    ['"a":1\n\n  ^"b":2', "',' or '}'"],
    ['"a":0^1', "',' or '}'"],
    ['"a":-^a', "a digit"],
    ['"a":1.^e1', "a digit"],
    ['"a":1e+^}', "a digit"],
    ['"a":^+1', "a value"],
    ['"a":"b^\nc"', "the end of the string"],
    ['"a^\tb":1', "the end of the string"],
    [String.raw`"a":"\^x"`, "one of"],
    [String.raw`"a":"\u00^g0"`, "four hexadecimal digits"],
    [String.raw`"a":"é^\ud800"`, "both halves of a surrogate pair"],
    [String.raw`"a":"^\udc00"`, "both halves"],
    [String.raw`"a":"^\ud800\ud800"`, "both halves"],
    [String.raw`"a":"^\ud800\n\udc00"`, "both halves"],
    [String.raw`"^\ud800":1`, "both halves"],
    ['"a":[1 ^2]', "',' or ']'"],
    ['"a":[1,^]', "a value"],
    ['"a":[^}', "a value (strings in double quotes), or ']'"],
    ['"a":{"b":1 ^"c"', "',' or '}'"],
    ['"a":{"b":1,^}', "a name in quotes"],
    ['"a":{"b"^}', "':'"],
    ['"a":{^b:1}', "a name in quotes or '}'"],
    ['"a":1,"é":2,^"a":3', "each key only once: this one comes at 1:20 already"],
    ['"a":1,\n"b":2,\n^"a":3', "each key only once: this one comes at 1:20 already"],
    [String.raw`"a":1,^"\u0061":3`, "each key only once: this one comes at 1:20 already"],
    ['"$base64:YQ==":1,^"a":3', "each key only once: this one comes at 1:20 already"],
  ])("%j", async (marked, expected) => {
    expect(await expectRefused(within(marked))).toStartWith(`expected ${expected}`);
  });

  test.each<[string, string]>([
    ['"$index:a":^"hash"', "an object, the definition of an index"],
    ['"$index:a":^1', "an object, the definition of an index"],
    ['"$index:a":^["hash"]', "an object, the definition of an index"],
    ['"$index:a":^null', "an object, the definition of an index"],
    ['"$index:a":^,', "an object, the definition of an index"],
    ['"$index:a":{"use":^}', "a value"],
    ['"$index:a":{"use":"hash"^]', "',' or '}'"],
    ['^"$indexes":{}', 'a key, in which "$" at the front is written "$$", or "$index:"'],
    ['^"$index":{}', 'a key, in which "$" at the front is written "$$", or "$index:"'],
    ['"$index:a":{},"a":1,^"$index:a":{}', "each key only once: this one comes at 1:20 already"],
  ])("%j of an index", async (marked, expected) => {
    expect(await expectRefused(within(marked))).toStartWith(`expected ${expected}`);
  });

  test("a document that is too deep", async () => {
    const levels = "[".repeat(MAX_JSON_DEPTH);
    const message = await expectRefused(within(`"a":${levels}^[`));
    expect(message).toStartWith(`expected at most ${MAX_JSON_DEPTH} objects and arrays`);
  });

  test("columns are characters, not bytes", async () => {
    const message = await expectRefused(within('"Grüße 🎈":"é",\n "x":"世界" ^"y":1'));
    expect(message).toStartWith("expected ',' or '}'");
  });
});

describe("forms", () => {
  test.each<[string, string]>([
    ['^"$a":1', 'a key, in which "$" at the front is written "$$"'],
    ['^"$":1', "a key"],
    ['^"$base64":1', "a key"],
    ['^"$base64:AA":1', 'base64 behind "$base64:"'],
    ['"a":{^"$foo":1}', 'one of "$value", "$expires", "$base64", "$json"'],
    ['"a":{^"$":1}', "one of"],
    [`"a":{^"$${"x".repeat(2000)}":1}`, "one of"],
    ['"a":{"b":1,^"$json":1}', 'a member that does not begin with "$"'],
    ['"a":{"$json":1^,"b":1}', "'}'"],
    ['"a":{"$json":^}', "a value"],
    ['"a":{"$base64":^1}', "base64 in quotes"],
    ['"a":{"$base64":^{"b":1}}', "base64 in quotes"],
    ['"a":{"$base64":"AA^-_"}', "base64"],
    ['"a":{"$base64":"AAA^"}', "base64, padded"],
    ['"a":{"$base64":"AB=^="}', "base64"],
    ['"a":{"$base64":"AA=="^,"$expires":1}', "'}'"],
    ['"a":{"$value":1,^"$value":2}', '"$value" only once'],
    ['"a":{"$value":1,"$expires":1,^"$expires":1}', '"$expires" only once'],
    ['"a":{"$value":1,^"expires":1}', '"$value" or "$expires"'],
    ['"a":{"$value":{^"$value":1}}', 'one of "$base64", "$json"'],
    ['"a":{"$expires":1^}', '"$value" beside "$expires"'],
    ['"a":{"$value":1,"$expires":^null}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^-1}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^1.5}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^9007199254740992}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^"2030-01-01"}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^"2030-01-01T00:00:00"}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^"2030-02-30T00:00:00.000Z"}', "a moment such as"],
    ['"a":{"$value":1,"$expires":^"2030-01-01T24:00:00.000Z"}', "a moment such as"],
  ])("%j", async (marked, expected) => {
    expect(await expectRefused(within(marked))).toStartWith(`expected ${expected}`);
  });
});

test("bytes that are not UTF-8", async () => {
  for (const [bytes, at] of [
    [[0xff], 0],
    [[0xc3, 0x22], 1],
    [[0xc0, 0x80], 0],
    [[0xed, 0xa0, 0x80], 1],
    [[0xf4, 0x90, 0x80, 0x80], 1],
    [[0xf0, 0x9f, 0x8e], 3],
  ] as const) {
    for (const front of [
      '{"databases":{"0":{"a":"',
      '{"databases":{"0":{"',
      '{"databases":{"0":{"a":["',
    ]) {
      const content = Buffer.concat([Buffer.from(front), Buffer.from(bytes), Buffer.from('"')]);
      const { message, code } = await refusal(content);
      expect(code).toBe("DAMAGE");
      // The bytes of a character that was begun are none of the next one's column.
      const column = front.length + (at === 0 ? 1 : 2);
      expect(message).toStartWith(`${FILE}:1:${column}: expected UTF-8`);
    }
  }
});

test("what the store cannot take is told with its place, by the store's own code", async () => {
  const { files } = await diskWith(within('"a":1,\n"b":2'));
  for (const code of ["DAMAGE", "CONFIG"] as const) {
    const sink = createRecordingSink();
    const failing = {
      ...sink,
      entry(entry: Parameters<typeof sink.entry>[0]) {
        if (entry.keyBytes[0] === 0x62) throw new KvdbError(code, "no room for it");
      },
    };
    const [instance] = make(files);
    await instance.open();
    const error = await instance.load(failing).catch((thrown: unknown) => thrown);
    await instance.close();
    expect(error).toMatchObject({ code, message: `${FILE}:2:1: no room for it` });
  }
});

test("a file of another format that kvdb wrote is not called damaged", async () => {
  const file = (await fileOf([{ key: "a", value: "b" }])).toString();
  const later = file
    .replace('"format": 1', '"format": 2')
    .replace(/(?<="crc32": ")\w+/, "00000000");
  const crc32 = Bun.hash.crc32(Buffer.from(later)).toString(16).padStart(8, "0");
  const { code, message } = await refusal(
    later.replace('"crc32": "00000000', `"crc32": "${crc32}`),
  );
  expect(code).toBe("CONFIG");
  expect(message).toContain(FILE);
  expect((await refusal(file.replace('"format": 1', '"format": 2'))).code).toBe("DAMAGE");
});
